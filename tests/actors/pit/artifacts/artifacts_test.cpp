#include "actors/pit/artifacts/artifacts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "actors/pit/text_view.hpp"
#include "messages/supervisor.protocol.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/actors/pit/fake_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using runtime::Host;
using runtime::Storage;
using runtime::TestNode;

constexpr std::size_t kPartBytes = 1024;

struct Draft {
  std::string content;
  std::string name = {};
};

// One storage; the component on it can be made anew, as after a crash of its node.
struct Bench {
  explicit Bench(std::size_t uploads_max = 4)
      : storage(std::move(Storage::open(dir.path())).value()), writer(*storage) {
    options.store.part_bytes = kPartBytes;
    options.uploads_max = uploads_max;
    restart();
  }
  void restart() {
    artifacts.reset();
    node = std::make_unique<TestNode>();
    node->spawn("/pit/artifacts", [this](Host& host) {
      return std::make_unique<Artifacts>(host, *storage, writer, options);
    });
    artifacts = std::make_unique<Ref<protocol::Artifacts>>(node->asker());
  }

  auto ask_put(const std::vector<Draft>& drafts) {
    return artifacts->put([&](messages::PutArtifactsRequest::Builder request) {
      auto out = request.initDrafts(static_cast<unsigned>(drafts.size()));
      for (unsigned i = 0; i < out.size(); ++i) {
        out[i].setContent(as_data(drafts[i].content));
        out[i].setName(drafts[i].name);
      }
      request.initLineage().setRun("run-1");
    });
  }
  auto put(const std::vector<Draft>& drafts) { return ask_put(drafts).get(); }
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
  auto verify() { return artifacts->verify().within(1min).get(); }

  test::TempDir dir;
  std::unique_ptr<Storage> storage;
  FakeWriter writer;
  ArtifactsOptions options;
  std::unique_ptr<TestNode> node;
  std::unique_ptr<Ref<protocol::Artifacts>> artifacts;
};

TEST(ArtifactsComponent, StoresAndReadsByNameVersionAndDigestAlsoAfterARestart) {
  Bench bench;
  const auto stored = bench.put({{"one", "notes"}, {"two", "notes"}, {"three"}});
  ASSERT_TRUE(stored.ok()) << to_string(stored.error());
  const auto versions = (*stored)->getVersions();
  EXPECT_EQ(versions[0].getVersion(), 1u);
  EXPECT_EQ(versions[1].getVersion(), 2u);
  EXPECT_EQ(versions[2].getVersion(), 0u) << "no name, no version";
  EXPECT_STREQ(versions[1].getLineage().getRun().cStr(), "run-1");
  EXPECT_EQ(versions[1].getCreatedNs(), runtime::ManualClocks::kStartWallNs);
  const std::string three = versions[2].getDigest().cStr();
  bench.restart();
  EXPECT_EQ(bench.read("notes").value(), "two");
  EXPECT_EQ(bench.read("notes@1").value(), "one");
  EXPECT_EQ(bench.read(three).value(), "three");
  EXPECT_EQ(bench.read("sha256:" + three.substr(0, 12), 1, 3).value(), "hre");
  EXPECT_EQ(bench.read("notes", 17).value(), "");
  EXPECT_EQ(bench.read("nothing").error().code, Errc::NOT_FOUND);
  EXPECT_EQ((*bench.stat("notes"))->getVersion().getVersion(), 2u);
  EXPECT_EQ((*bench.stat(three))->getVersion().getSizeBytes(), 5u);
}

TEST(ArtifactsComponent, AcknowledgesOnlyWhatIsDurable) {
  Bench bench;
  bench.writer.hold = true;
  bool answered = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  bench.node->settle();
  EXPECT_FALSE(answered);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(answered);

  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(bench.put({{"two", "notes"}}).error().code, Errc::RESOURCE_EXHAUSTED);
  bench.writer.fail.reset();
  EXPECT_EQ(bench.read("notes").value(), "one");
  EXPECT_EQ((*bench.put({{"two", "notes"}}))->getVersions()[0].getVersion(), 2u);
}

TEST(ArtifactsComponent, WaitsForAWriterWhoseQueueIsFull) {
  Bench bench;
  bench.writer.refuse = Error{Errc::OVERLOADED, "the queue is full", "", true};
  bool answered = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  bench.node->advance(100ms);
  EXPECT_FALSE(answered);
  bench.writer.refuse.reset();
  bench.node->advance(100ms);
  EXPECT_TRUE(answered);
}

TEST(ArtifactsComponent, SaysWhichFieldOfAPutIsWrongAndStoresNothingOfIt) {
  Bench bench;
  const auto large = bench.put({{"fine", "a"}, {std::string(kPartBytes + 1, 'x')}}).error();
  EXPECT_EQ(large.code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(large.field, "drafts[1].content");
  EXPECT_EQ(bench.put({{"fine", "a"}, {"x", "sha256:1"}}).error().field, "drafts[1].name");
  const auto orphan = bench.artifacts
                          ->put([](auto request) {
                            request.initDrafts(1)[0].setName("a");
                            request.initLineage().initParents(1).set(0, "zz");
                          })
                          .get()
                          .error();
  EXPECT_EQ(orphan.field, "lineage.parents[0]");
  EXPECT_EQ(bench.read("a").error().code, Errc::NOT_FOUND);
}

RC_GTEST_PROP(ArtifactsComponentUploads, GiveBackWhatWasSentWhateverItsPieces, ()) {
  Bench bench;
  const auto size = *rc::gen::inRange<std::size_t>(0, 6 * kPartBytes);
  std::string content(size, '\0');
  std::uint32_t noise = *rc::gen::inRange<std::uint32_t>(1, 1'000'000);
  for (char& byte : content) byte = static_cast<char>((noise = noise * 1'664'525 + 1) >> 28);
  const auto upload = bench.begin("blob").value();
  std::size_t sent = 0;
  std::size_t acknowledged = 0;
  while (sent < size) {
    const auto piece = std::min(*rc::gen::inRange<std::size_t>(1, kPartBytes + 1), size - sent);
    bench.ask_append(upload, sent, content.substr(sent, piece)).then([&, piece](auto answer) {
      RC_ASSERT(answer.ok());
      acknowledged += piece;
    });
    sent += piece;
    if (*rc::gen::arbitrary<bool>()) bench.node->settle();
  }
  const auto finished = bench.finish(upload);
  RC_ASSERT(finished.ok());
  RC_ASSERT(acknowledged == size);
  RC_ASSERT((*finished)->getVersion().getSizeBytes() == size);
  bench.restart();
  RC_ASSERT(bench.read("blob").value() == content);
  const auto offset = *rc::gen::inRange<std::size_t>(0, size + 1);
  const auto length = *rc::gen::inRange<std::uint32_t>(1, 2 * kPartBytes);
  RC_ASSERT(bench.read("blob", offset, length).value() == content.substr(offset, length));
  RC_ASSERT((*bench.verify())->getProblems().size() == 0u);
}

TEST(ArtifactsComponent, TellsHowFarItsVerificationIs) {
  Bench bench;
  const auto progress = [&] { return bench.artifacts->verify_progress().get(); };
  EXPECT_FALSE((*progress())->getRunning());
  EXPECT_EQ((*progress())->getTotal(), 0u);
  ASSERT_TRUE(bench.put({{"one", "notes"}, {"two", "notes"}, {"three"}}).ok());
  ASSERT_TRUE(bench.verify().ok());
  const auto after = progress();
  EXPECT_FALSE((*after)->getRunning());
  EXPECT_EQ((*after)->getTotal(), 3u + 2u) << "contents, which are too small for parts; versions";
  EXPECT_EQ((*after)->getDone(), (*after)->getTotal());
}

TEST(ArtifactsComponent, AnUploadTakesItsPartsInOrderOnly) {
  Bench bench;
  const auto upload = bench.begin("blob").value();
  EXPECT_TRUE(bench.append(upload, 0, "abc").ok());
  EXPECT_EQ(bench.append(upload, 2, "x").error().field, "offset");
  EXPECT_EQ(bench.append(upload, 4, "x").error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(bench.append(upload, 3, std::string(kPartBytes + 1, 'x')).error().field, "data");
  EXPECT_TRUE(bench.append(upload, 3, "def").ok());
  ASSERT_TRUE(bench.finish(upload).ok());
  EXPECT_EQ(bench.finish(upload).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.read("blob").value(), "abcdef");
}

TEST(ArtifactsComponent, AnUploadThatLostAPartEnds) {
  Bench bench;
  const auto upload = bench.begin("blob").value();
  ASSERT_TRUE(bench.append(upload, 0, std::string(kPartBytes, 'a')).ok());
  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(bench.append(upload, kPartBytes, "b").error().code, Errc::RESOURCE_EXHAUSTED);
  bench.writer.fail.reset();
  EXPECT_EQ(bench.finish(upload).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.read("blob").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactsComponent, AnUploadEndsByAbortAndWhenItIsIdle) {
  Bench bench(2);
  const auto aborted = bench.begin("a").value();
  const auto idle = bench.begin("b").value();
  const auto third = bench.begin("c");
  EXPECT_EQ(third.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(third.error().retryable);
  ASSERT_TRUE(bench.artifacts->abort([&](auto request) { request.setUpload(aborted); }).get().ok());
  EXPECT_EQ(bench.append(aborted, 0, "x").error().code, Errc::NOT_FOUND);
  bench.node->advance(Artifacts::kUploadIdle - 1s);
  EXPECT_TRUE(bench.append(idle, 0, "x").ok()) << "a sign of life";
  bench.node->advance(Artifacts::kUploadIdle - 1s);
  EXPECT_TRUE(bench.append(idle, 1, "y").ok());
  bench.node->advance(2 * Artifacts::kUploadIdle);
  EXPECT_EQ(bench.append(idle, 2, "z").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactsComponent, AbortEndsWhatIsOnItsWay) {
  Bench bench;
  const auto upload = bench.begin("a").value();
  bench.writer.hold = true;
  std::vector<Errc> answers;
  for (std::uint64_t i = 0; i < 3; ++i) {
    bench.ask_append(upload, i * kPartBytes, std::string(kPartBytes, 'x')).then([&](auto answer) {
      answers.push_back(answer ? Errc::INTERNAL : answer.error().code);
    });
  }
  bench.node->settle();
  ASSERT_TRUE(bench.artifacts->abort([&](auto request) { request.setUpload(upload); }).get().ok());
  bench.writer.release();
  bench.node->settle();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0], Errc::INTERNAL) << "the first was taken before";
  EXPECT_EQ(answers[1], Errc::CANCELLED);
  EXPECT_EQ(answers[2], Errc::CANCELLED);
}

TEST(ArtifactsComponent, AnUploadBelongsToWhoeverBeganIt) {
  // Tries to finish upload 1 when asked for its tree, and answers with what it was told.
  class Stranger final : public runtime::ComponentOf<protocol::Supervisor> {
   public:
    using ComponentOf::ComponentOf;
    void tree(Call<protocol::Supervisor::Tree> call) override {
      Ref<protocol::Artifacts> artifacts{host()};
      artifacts.finish([](auto request) { request.setUpload(1); })
          .then([call = std::move(call)](auto answer) mutable { call.fail(answer.error()); });
    }
    void replace(Call<protocol::Supervisor::Replace> call) override { call.reply(); }
  };
  Bench bench;
  ASSERT_EQ(bench.begin("a").value(), 1u);
  bench.node->spawn("/test/stranger", [](Host& host) { return std::make_unique<Stranger>(host); });
  Ref<protocol::Supervisor> stranger{bench.node->asker(), "/test/stranger"};
  EXPECT_EQ(stranger.tree().get().error().code, Errc::PERMISSION_DENIED);
  EXPECT_TRUE(bench.finish(1).ok());
}

struct Entry {
  std::string path;
  std::string digest = {};  // nothing: a directory
  std::uint64_t size = 0;
  std::string target = {};
};

auto commit(Bench& bench, const std::vector<Entry>& entries, const std::string& name, bool last,
            std::uint64_t upload = 0) {
  return bench.artifacts
      ->commit_tree([&](messages::CommitTreeRequest::Builder request) {
        request.setUpload(upload);
        request.setLast(last);
        request.setName(name);
        auto out = request.initEntries(static_cast<unsigned>(entries.size()));
        for (unsigned i = 0; i < out.size(); ++i) {
          out[i].setPath(as_data(entries[i].path));
          out[i].setMode(0644);
          out[i].setKind(messages::TreeEntryKind::DIRECTORY);
          if (!entries[i].target.empty()) {
            out[i].setKind(messages::TreeEntryKind::SYMLINK);
            out[i].setTarget(as_data(entries[i].target));
          } else if (!entries[i].digest.empty()) {
            out[i].setKind(messages::TreeEntryKind::FILE);
            out[i].setDigest(entries[i].digest);
            out[i].setSizeBytes(entries[i].size);
          }
        }
      })
      .get();
}

TEST(ArtifactsComponent, CommitsATreeInSeveralRequestsAndReadsItPageByPage) {
  Bench bench;
  const auto one = bench.put_digest("one");
  const auto four = bench.put_digest("four");
  const auto begun = commit(bench, {{"src/b", four, 4}, {"link", "", 0, "src/b"}}, "", false);
  ASSERT_TRUE(begun.ok()) << to_string(begun.error());
  const auto tree =
      commit(bench, {{"src"}, {"a\n\xff", one, 3}}, "project", true, (*begun)->getUpload());
  ASSERT_TRUE(tree.ok()) << to_string(tree.error());
  EXPECT_EQ((*tree)->getVersion().getSizeBytes(), 7u);
  bench.restart();
  const auto stat = bench.stat("project");
  EXPECT_TRUE((*stat)->getTree());
  const std::string digest = (*stat)->getVersion().getDigest().cStr();
  EXPECT_TRUE((*bench.stat(digest))->getTree()) << "by its digest too";
  EXPECT_FALSE((*bench.stat(one))->getTree());
  std::vector<std::string> paths;
  for (std::uint64_t offset = 0; offset < 4; offset += 3) {
    const auto page = bench.artifacts
                          ->tree([&](auto request) {
                            request.setRef("project");
                            request.setOffset(offset);
                            request.setMax(3);
                          })
                          .get();
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    EXPECT_EQ((*page)->getTotal(), 4u);
    for (const auto entry : (*page)->getEntries()) paths.emplace_back(view(entry.getPath()));
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"a\n\xff", "link", "src", "src/b"}));
  const auto report = bench.verify();
  EXPECT_EQ((*report)->getTrees(), 1u);
  EXPECT_EQ((*report)->getProblems().size(), 0u);
  EXPECT_EQ((*report)->getUnreferenced(), 0u);
}

TEST(ArtifactsComponent, RefusesATreeThatIsNotWhole) {
  Bench bench;
  const auto one = bench.put_digest("one");
  const std::string missing(64, 'a');
  EXPECT_EQ(commit(bench, {{"a", missing, 3}}, "t", true).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(commit(bench, {{"a", one, 4}}, "t", true).error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(commit(bench, {{"dir/a", one, 3}}, "t", true).error().field, "entries");
  EXPECT_EQ(commit(bench, {{"../a", one, 3}}, "t", true).error().field, "entries");
  EXPECT_EQ(commit(bench, {{"a", "xyz", 3}}, "t", true).error().field, "entries[0].digest");
  EXPECT_EQ(bench.stat("t").error().code, Errc::NOT_FOUND);
  const auto no_tree =
      bench.artifacts->tree([&](auto request) { request.setRef(one); }).get().error();
  EXPECT_NE(no_tree.code, Errc::INTERNAL);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(commit(bench, {}, "empty", true).ok()) << "no leak";
}

TEST(ArtifactsComponent, ListsVersionsAndNamesInPages) {
  Bench bench;
  for (const auto* content : {"1", "2", "3"}) ASSERT_TRUE(bench.put({{content, "a"}}).ok());
  ASSERT_TRUE(bench.put({{"x", "b"}, {"y", "c"}}).ok());
  const auto log = [&](const std::string& name, std::uint64_t before, const std::string& after,
                       std::uint32_t max) {
    const auto page = bench.artifacts
                          ->log([&](auto request) {
                            request.setName(name);
                            request.setBefore(before);
                            request.setAfter(after);
                            request.setMax(max);
                          })
                          .get();
    std::string text;
    for (const auto version : (*page)->getVersions())
      text += std::string(version.getName().cStr()) + std::to_string(version.getVersion()) + " ";
    return text + ((*page)->getMore() ? "more" : "end");
  };
  EXPECT_EQ(log("a", 0, "", 2), "a3 a2 more");
  EXPECT_EQ(log("a", 2, "", 2), "a1 end");
  EXPECT_EQ(log("", 0, "", 2), "a3 b1 more");
  EXPECT_EQ(log("", 0, "b", 2), "c1 end");
}

TEST(ArtifactsComponent, DrainsWhatItAcceptedAndDropsUploads) {
  Bench bench;
  ASSERT_TRUE(bench.begin("open").ok());
  bench.writer.hold = true;
  bool answered = false;
  bool drained = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  Ref<protocol::Component> life{bench.node->asker(), "/pit/artifacts"};
  life.drain().then([&](auto answer) { drained = answer.ok(); });
  bench.node->settle();
  EXPECT_FALSE(drained);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(answered);
  EXPECT_TRUE(drained);
}

TEST(ArtifactsComponent, SaysInOneLineWhatIsGoingOn) {
  Bench bench;
  ASSERT_TRUE(bench.put({{"one", "notes"}}).ok());
  ASSERT_TRUE(bench.begin("open").ok());
  bench.node->advance(1s);
  EXPECT_EQ(bench.node->telemetry().find("/pit/artifacts")->snapshot().state_line,
            "1 write, 1 upload open");
}

}  // namespace
}  // namespace symphony::actors
