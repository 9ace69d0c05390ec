// One connection over a stream that does as it is told.
#include "runtime/link/connection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "tests/runtime/link/link_testing.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

class Scripted final : public ByteStream {
 public:
  Io read(std::span<std::byte> into) noexcept override {
    const auto n = std::min(into.size(), incoming.size());
    std::copy_n(incoming.begin(), n, into.begin());
    incoming.erase(incoming.begin(), incoming.begin() + static_cast<std::ptrdiff_t>(n));
    return {n, n == 0 && ended};
  }
  Io write(std::span<const iovec> pieces) noexcept override {
    std::size_t asked = 0;
    for (const auto& piece : pieces) asked += piece.iov_len;
    const auto taken = on_write ? on_write(asked) : asked;
    written += taken;
    return {taken, false};
  }
  bool hung_up() const noexcept override { return false; }
  void shutdown() noexcept override { ended = true; }
  Result<Credentials> credentials() const override { return Credentials{::geteuid(), ::getpid()}; }
  Status drive(std::shared_ptr<Driven>) override { return {}; }
  void wake() noexcept override { ++wakes; }
  std::uint64_t turns() const noexcept override { return 0; }
  bool help(std::uint64_t) override { return false; }
  void attend() noexcept override {}
  bool halt(Nanos) override { return true; }

  std::vector<std::byte> incoming;
  bool ended = false;
  std::size_t written = 0;
  int wakes = 0;
  std::function<std::size_t(std::size_t asked)> on_write;
};

class Quiet final : public ConnectionEvents {
 public:
  void opened(Connection&) override { open = true; }
  void requested(Connection&, std::string_view, Envelope, std::unique_ptr<Responder>) override {}
  void cancelled(Connection&, std::uint64_t) override {}
  void lost(Connection&, const Error&) override { open = false; }
  bool open = false;
};

class OneConnection : public ::testing::Test {
 protected:
  void SetUp() override {
    auto stream = std::make_unique<Scripted>();
    stream_ = stream.get();
    connection_ =
        std::make_shared<Connection>(Connection::Role::connecting_client, std::move(stream),
                                     LinkOptions{}, gate_, clocks_, events_);
    ASSERT_TRUE(connection_->start().ok());
    stream_->incoming = encode_greeting({kLinkVersion, 0, "alpha"});
    connection_->turn();
    ASSERT_TRUE(events_.open);
  }
  void TearDown() override { EXPECT_TRUE(connection_->retire(kPatience)); }

  Status tell() {
    auto notice = describe_request();
    notice.header.kind = Kind::notice;
    return connection_->tell("/a", std::move(notice));
  }

  std::vector<Errc> answers_;
  ManualClocks clocks_;
  const Gate gate_;
  Quiet events_;
  Scripted* stream_ = nullptr;
  std::shared_ptr<Connection> connection_;
};

// What others appended while one thread wrote, and the stream then did not take: the turns have to
// write it, and nobody but this thread knows.
TEST_F(OneConnection, WhatASenderCouldNotWriteForOthersIsWrittenByTheNextTurn) {
  int writes = 0;
  stream_->on_write = [&](std::size_t asked) -> std::size_t {
    if (++writes > 1) return 0;
    EXPECT_TRUE(tell().ok());  // as another thread would, meanwhile
    return asked;
  };
  const auto wakes = stream_->wakes;
  const auto before = stream_->written;
  EXPECT_TRUE(tell().ok());
  EXPECT_EQ(writes, 2);
  EXPECT_GT(stream_->wakes, wakes);
  const auto one = stream_->written - before;
  EXPECT_TRUE(connection_->turn().wants_write);
  stream_->on_write = nullptr;
  EXPECT_FALSE(connection_->turn().wants_write);
  EXPECT_EQ(stream_->written - before, 2 * one);
}

TEST_F(OneConnection, ASenderWhoseFrameIsNotTakenWholeLeavesTheRestToTheNextTurn) {
  stream_->on_write = [](std::size_t) -> std::size_t { return 5; };
  const auto before = stream_->written;
  const auto wakes = stream_->wakes;
  EXPECT_TRUE(tell().ok());
  EXPECT_GT(stream_->wakes, wakes);
  EXPECT_EQ(stream_->written - before, 5u);
  stream_->on_write = nullptr;
  EXPECT_FALSE(connection_->turn().wants_write);
  EXPECT_GT(stream_->written - before, 64u);
}

// An asker that gives up says so; the answer that comes all the same is dropped.
TEST_F(OneConnection, ThePeerIsToldOfAnAskThatHasExpired) {
  const auto ask = [&](Nanos patience) {
    return connection_->ask("/a", describe_request(), clocks_.mono() + patience, [&](auto answer) {
      answers_.push_back(answer ? Errc::INTERNAL : answer.error().code);
    });
  };
  ask(1s);
  ask(1h);
  clocks_.advance(2s);
  const auto before = stream_->written;
  connection_->turn();
  EXPECT_EQ(answers_, std::vector<Errc>{Errc::DEADLINE_EXCEEDED});
  EXPECT_EQ(stream_->written - before, kFrameHeaderBytes) << "one cancel, and no more";
}

}  // namespace
}  // namespace symphony::runtime
