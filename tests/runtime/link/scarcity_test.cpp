// The link in a process that has run out of descriptors or threads: it says so, and goes on.
#include <array>
#include <chrono>
#include <future>

#include "tests/runtime/link/link_testing.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/scarcity.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;
using test::FewDescriptors;
using test::NoThreads;

class ScarceLink : public ::testing::Test {
 protected:
  void serve() {
    auto listener = UnixListener::listen(dir_.socket(), clocks_);
    ASSERT_TRUE(listener.ok()) << to_string(listener.error());
    ASSERT_TRUE(server_.listen(std::move(*listener)).ok());
  }
  bool was_refused_times(std::size_t times) {
    return receiver_.eventually([times](auto& r) { return r.not_let_in_.size() >= times; });
  }

  TempDir dir_;
  SystemClocks clocks_;
  Answering receiver_;
  LinkServer server_{{.name = "alpha"}, receiver_, clocks_};
};

class WithoutDescriptors : public ScarceLink {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "a sanitizer needs a pipe to look at an object";
  }
};

// However many there are left, of the two that a peer takes.
TEST_F(WithoutDescriptors, LetsPeersInAgainOnceThereAreDescriptors) {
  serve();
  std::array<RawPeer, 2> peers;  // whose descriptors stay in use
  for (const std::size_t left : {0, 1}) {
    SCOPED_TRACE(left);
    auto& peer = peers[left];
    std::size_t before = 0;
    receiver_.eventually([&](auto& r) { return before = r.not_let_in_.size(), true; });
    FewDescriptors few{left};
    peer.connect(dir_.socket());
    ASSERT_TRUE(was_refused_times(before + 1));
    few.give(10);
    peer.greet();
  }
  EXPECT_EQ(receiver_.seen(&Answering::not_let_in_)[0].code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(receiver_.seen(&Answering::not_let_in_)[0].retryable);
  EXPECT_NE(receiver_.seen(&Answering::not_let_in_)[0].message.find("ulimit -n"),
            std::string::npos);
}

TEST_F(WithoutDescriptors, PausesBetweenAttemptsToLetAPeerIn) {
  serve();
  RawPeer peer;
  const FewDescriptors few{0};
  const auto before = std::chrono::steady_clock::now();
  peer.connect(dir_.socket());
  ASSERT_TRUE(was_refused_times(3));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2 * kExhaustedPause);
}

TEST_F(WithoutDescriptors, StopsAtOnceWhileItHasNoDescriptors) {
  serve();
  RawPeer peer;
  const FewDescriptors few{0};
  peer.connect(dir_.socket());
  ASSERT_TRUE(was_refused_times(1));
  EXPECT_TRUE(server_.stop(kPatience).ok());
}

TEST_F(WithoutDescriptors, ListeningAndConnectingFailWithWhatToDoWhenThereAreNoDescriptors) {
  serve();
  const FewDescriptors few{0};
  for (const auto& error :
       {UnixListener::listen((dir_.path() / "b.sock").string(), clocks_).error(),
        LinkClient::connect(dir_.socket()).error()}) {
    EXPECT_EQ(error.code, Errc::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(error.retryable);
    EXPECT_NE(error.message.find("ulimit -n"), std::string::npos) << error.message;
  }
}

TEST_F(ScarceLink, TellsAPeerThatThereIsNoThreadForItAndLetsTheNextIn) {
  serve();
  {
    const NoThreads none;
    RawPeer peer;
    peer.connect(dir_.socket());
    EXPECT_NE(peer.read_all().find("cannot start a thread that reads a connection"),
              std::string::npos);
    ASSERT_TRUE(was_refused_times(1));
  }
  RawPeer peer;
  peer.connect(dir_.socket());
  peer.greet();
  EXPECT_EQ(receiver_.seen(&Answering::connected_).size(), 1u);
  EXPECT_TRUE(receiver_.seen(&Answering::lost_).empty());
}

TEST_F(ScarceLink, AServerAndAClientWithoutThreadsAreRefusedAndNotTheEndOfTheProcess) {
  {
    const NoThreads none;
    auto listener = UnixListener::listen(dir_.socket(), clocks_);
    ASSERT_TRUE(listener.ok());
    EXPECT_EQ(server_.listen(std::move(*listener)).error().code, Errc::RESOURCE_EXHAUSTED);
  }
  serve();
  {
    const NoThreads none;
    const auto client = LinkClient::connect(dir_.socket());
    ASSERT_FALSE(client.ok());
    EXPECT_EQ(client.error().code, Errc::RESOURCE_EXHAUSTED);
    EXPECT_NE(client.error().message.find("ulimit -u"), std::string::npos);
  }
  EXPECT_TRUE(LinkClient::connect(dir_.socket()).ok());
}

}  // namespace
}  // namespace symphony::runtime
