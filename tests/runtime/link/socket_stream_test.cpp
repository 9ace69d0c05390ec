#include "runtime/link/socket_stream.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 20s;

// Takes turns that do nothing.
class Idle final : public Driven {
 public:
  Turn turn() override { return {}; }
  bool expects() const noexcept override { return false; }
};

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    other = Descriptor{fds[1]};
    stream = std::move(*SocketStream::make(Descriptor{fds[0]}, clocks));
  }
  ~Pair() { EXPECT_TRUE(stream->halt(kPatience)); }

  // Begins the turns and waits for the first to end.
  void drive() {
    const auto before = stream->turns();
    EXPECT_TRUE(stream->drive(std::make_shared<Idle>()).ok());
    while (stream->turns() == before) stream->help(before);
  }

  SystemClocks clocks;
  Descriptor other;
  std::unique_ptr<SocketStream> stream;
};

// What a helper waits for may have come in a turn that ended just before it offers its help: no
// other turn will follow, and it must not wait for one.
TEST(SocketStream, AHelperDoesNotWaitWhenATurnHasEndedSinceItLooked) {
  Pair pair;
  const auto seen = pair.stream->turns();
  pair.drive();
  auto helped = std::async(std::launch::async, [&] { return pair.stream->help(seen); });
  const bool ended = helped.wait_for(kPatience) == std::future_status::ready;
  EXPECT_TRUE(ended);
  if (!ended) pair.stream->wake();  // so that a failure is no hang
  EXPECT_TRUE(helped.get());
}

TEST(SocketStream, AHelperWaitsForTheNextTurnWhenNoneHasEnded) {
  Pair pair;
  pair.drive();
  const auto seen = pair.stream->turns();
  auto helped = std::async(std::launch::async, [&] { return pair.stream->help(seen); });
  ASSERT_EQ(::send(pair.other.get(), "x", 1, 0), 1);
  ASSERT_EQ(helped.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(helped.get());
  EXPECT_GT(pair.stream->turns(), seen);
}

}  // namespace
}  // namespace symphony::runtime
