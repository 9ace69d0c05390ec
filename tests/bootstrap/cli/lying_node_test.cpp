// `symphony artifact get` does not take a node's word for what it gives.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "messages/artifacts.protocol.hpp"
#include "runtime/link/server.hpp"
#include "runtime/link/unix_socket.hpp"
#include "runtime/system/sha256.hpp"
#include "runtime/time/clocks.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony {
namespace {

namespace fs = std::filesystem;
using protocol::Artifacts;
using runtime::PeerId;

// An artifact store that says one thing of its only artifact and gives another.
class LyingStore final : public runtime::Receiver {
 public:
  LyingStore(std::string promised, std::string given)
      : promised_(std::move(promised)), given_(std::move(given)) {}

  void receive(PeerId, std::string_view, Envelope request,
               std::unique_ptr<Responder> responder) override {
    if (responder == nullptr) return;
    Envelope answer;
    answer.header = request.header;
    answer.header.kind = Kind::response;
    if (request.header.protocol != Artifacts::kId) {
      answer = make_failure(request.header, {Errc::NOT_FOUND, "there is only a store here"});
    } else if (request.header.method == Artifacts::Stat::kOrdinal) {
      answer.words = Words::build<messages::StatArtifactResponse>([&](auto response) {
        auto version = response.initVersion();
        version.setName("text");
        version.setVersion(1);
        version.setDigest(digest());
        version.setSizeBytes(promised_.size());
      });
    } else {
      answer.words = Words::build<messages::ReadArtifactResponse>([&](auto response) {
        response.setDigest(digest());
        response.setTotalBytes(promised_.size());
        response.setData({reinterpret_cast<const capnp::byte*>(given_.data()), given_.size()});
      });
    }
    responder->respond(std::move(answer));
  }
  void cancelled(PeerId, std::uint64_t) override {}
  void peer_connected(const runtime::PeerInfo&) override {}
  void peer_lost(PeerId, const Error&) override {}

 private:
  std::string digest() const {
    runtime::Sha256 hash;
    hash.update(promised_);
    return hash.finish().hex();
  }

  std::string promised_;
  std::string given_;
};

struct Outcome {
  int code = -1;
  std::string said;
};

// The command with a node that answers as `store` does.
Outcome get(const fs::path& home, LyingStore& store, const std::string& arguments) {
  const runtime::SystemClocks clocks;
  fs::create_directories(home / "symphony");
  fs::permissions(home / "symphony", fs::perms::owner_all);
  runtime::LinkServer server{{.name = "main"}, store, clocks};
  auto listener = runtime::UnixListener::listen((home / "symphony" / "main.sock").string(), clocks);
  EXPECT_TRUE(listener.ok()) << to_string(listener.error());
  EXPECT_TRUE(server.listen(std::move(*listener)).ok());
  const std::string command = "env HOME=" + home.string() + " XDG_RUNTIME_DIR=" + home.string() +
                              " " SYMPHONY_BIN_DIR "/symphony artifact get text " + arguments +
                              " 2>&1";
  Outcome outcome;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.said.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TEST(LyingNode, ThatGivesWhatItPromisedIsBelieved) {
  const test::TempDir dir;
  LyingStore store{"here it is", "here it is"};
  const auto outcome = get(dir.path(), store, "");
  EXPECT_EQ(outcome.code, 0) << outcome.said;
  EXPECT_EQ(outcome.said, "here it is");
}

TEST(LyingNode, ThatGivesOtherBytesFailsTheCommandAndLeavesNoFile) {
  const test::TempDir dir;
  LyingStore store{"here it is", "hexe it is"};
  const auto outcome = get(dir.path(), store, "-o " + (dir.path() / "out").string());
  EXPECT_EQ(outcome.code, 1) << outcome.said;
  EXPECT_NE(outcome.said.find("other bytes than its digest says"), std::string::npos)
      << outcome.said;
  EXPECT_FALSE(fs::exists(dir.path() / "out"));
}

TEST(LyingNode, ThatGivesFewerBytesFailsTheCommandAndLeavesNoFile) {
  const test::TempDir dir;
  LyingStore store{"here it is", "here"};
  const auto outcome = get(dir.path(), store, "-o " + (dir.path() / "out").string());
  EXPECT_EQ(outcome.code, 1) << outcome.said;
  EXPECT_FALSE(fs::exists(dir.path() / "out"));
}

}  // namespace
}  // namespace symphony
