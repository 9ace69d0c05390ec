// The artifact store's component on a node of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/actors/pit/fake_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors {

inline constexpr std::size_t kPartBytes = 1024;

struct TestDraft {
  std::string content;
  std::string name = {};
};

// One storage; the component on it can be made anew, as after a crash of its node.
struct ArtifactsBench {
  explicit ArtifactsBench(std::size_t uploads_max = 4)
      : storage(std::move(runtime::Storage::open(dir.path())).value()), writer(*storage) {
    options.store.part_bytes = kPartBytes;
    options.uploads_max = uploads_max;
    restart();
  }
  void restart() {
    artifacts.reset();
    node = std::make_unique<runtime::TestNode>();
    node->spawn("/pit/artifacts", [this](runtime::Host& host) {
      return std::make_unique<Artifacts>(host, *storage, writer, options);
    });
    artifacts = std::make_unique<WaitingRef<protocol::Artifacts>>(node->asker());
  }

  auto ask_put(const std::vector<TestDraft>& drafts) {
    return artifacts->put([&](messages::PutArtifactsRequest::Builder request) {
      auto out = request.initDrafts(static_cast<unsigned>(drafts.size()));
      for (unsigned i = 0; i < out.size(); ++i) {
        out[i].setContent(as_data(drafts[i].content));
        out[i].setName(drafts[i].name);
      }
      request.initLineage().setRun("run-1");
    });
  }
  auto put(const std::vector<TestDraft>& drafts) { return ask_put(drafts).get(); }
  std::string put_digest(const std::string& content) {
    const auto stored = put({{content}});
    return (*stored)->getVersions()[0].getDigest().cStr();
  }
  Result<std::string> read(const std::string& ref, std::uint64_t offset = 0,
                           std::uint32_t size = 0) {
    const auto answer = artifacts
                            ->read([&](auto request) {
                              request.setRef(ref);
                              request.setOffset(offset);
                              request.setSizeBytes(size);
                            })
                            .get();
    if (!answer) return answer.error();
    return std::string(view((*answer)->getData()));
  }
  auto stat(const std::string& ref) {
    return artifacts->stat([&](auto request) { request.setRef(ref); }).get();
  }
  Result<std::uint64_t> begin(const std::string& name) {
    const auto begun = artifacts->begin([&](auto request) { request.setName(name); }).get();
    if (!begun) return begun.error();
    return (*begun)->getUpload();
  }
  auto ask_append(std::uint64_t upload, std::uint64_t offset, const std::string& data) {
    return artifacts->append([&](messages::AppendUploadRequest::Builder request) {
      request.setUpload(upload);
      request.setOffset(offset);
      request.setData(as_data(data));
    });
  }
  Status append(std::uint64_t upload, std::uint64_t offset, const std::string& data) {
    const auto answer = ask_append(upload, offset, data).get();
    return answer ? Status{} : Status{answer.error()};
  }
  auto finish(std::uint64_t upload) {
    return artifacts->finish([&](auto request) { request.setUpload(upload); }).get();
  }
  auto verify() { return artifacts->verify().within(std::chrono::minutes(1)).get(); }
  // As the link says of a peer whose connection ended.
  void asker_gone() {
    Envelope gone;
    gone.header.kind = Kind::cancel;
    const auto target = node->asker().resolve("/pit/artifacts");
    ASSERT_TRUE(node->asker().tell(*target, std::move(gone)).ok());
    node->settle();
  }

  test::TempDir dir;
  std::unique_ptr<runtime::Storage> storage;
  FakeWriter writer;
  ArtifactsOptions options;
  std::unique_ptr<runtime::TestNode> node;
  std::unique_ptr<WaitingRef<protocol::Artifacts>> artifacts;
};

}  // namespace symphony::actors
