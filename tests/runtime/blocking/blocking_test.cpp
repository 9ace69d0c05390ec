#include "runtime/blocking/blocking.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <semaphore>
#include <stdexcept>

#include "tests/support/scarcity.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

Blocking::OnDone count_in(std::atomic<int>& counter) {
  return [&counter](Status) { ++counter; };
}

TEST(InlineBlocking, DoesTheWorkBeforeItReturns) {
  InlineBlocking blocking;
  std::vector<std::string> order;
  auto owned = std::make_unique<std::string>("work");
  ASSERT_TRUE(
      blocking
          .submit(
              [&order, owned = std::move(owned)] {
                order.push_back(*owned);
                return Status{};
              },
              [&order](Status outcome) { order.push_back(outcome.ok() ? "done" : "failed"); })
          .ok());
  EXPECT_EQ(order, (std::vector<std::string>{"work", "done"}));
}

TEST(InlineBlocking, TurnsAThrowIntoAnError) {
  InlineBlocking blocking;
  Status outcome;
  ASSERT_TRUE(blocking
                  .submit([]() -> Status { throw std::runtime_error("disk on fire"); },
                          [&](Status it) { outcome = std::move(it); })
                  .ok());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::INTERNAL);
  EXPECT_EQ(outcome.error().message, "blocking work threw: disk on fire");
}

TEST(PoolBlocking, DoesAllWorkOnceFromManyThreads) {
  const SystemClocks clocks;
  PoolBlocking pool(clocks, {.name = "test", .threads = 3});
  std::atomic<int> worked = 0, done = 0;
  {
    std::vector<std::jthread> senders;
    for (int t = 0; t < 4; ++t)
      senders.emplace_back([&] {
        for (int i = 0; i < 500; ++i)
          EXPECT_TRUE(pool.submit(
                              [&] {
                                ++worked;
                                return Status{};
                              },
                              count_in(done))
                          .ok());
      });
  }
  EXPECT_EQ(pool.drain(30s), 0u);
  EXPECT_EQ(worked, 2000);
  EXPECT_EQ(done, 2000);
  EXPECT_EQ(pool.counts().done, 2000u);
}

TEST(PoolBlocking, WithoutThreadsItSaysSoAndWorksOnceThereAreSome) {
  const SystemClocks clocks;
  std::optional<PoolBlocking> pool;
  std::atomic<int> done = 0;
  const auto submit = [&] { return pool->submit([] { return Status{}; }, count_in(done)); };
  {
    const test::NoThreads none;
    pool.emplace(clocks, PoolBlocking::Options{.name = "poor", .threads = 2});
    const auto refused = submit();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(refused.error().retryable);
    EXPECT_NE(refused.error().message.find("the pool poor"), std::string::npos);
  }
  EXPECT_TRUE(submit().ok());
  {
    const test::NoThreads none;
    EXPECT_TRUE(submit().ok()) << "one thread is enough";
  }
  EXPECT_TRUE(submit().ok());
  EXPECT_EQ(pool->drain(30s), 0u);
  EXPECT_EQ(done, 3);
}

// One thread, held in its work until released.
struct HeldPool : testing::Test {
  ManualClocks clocks;
  PoolBlocking pool{clocks, {.name = "held", .threads = 1, .queue_max = 2}};
  std::binary_semaphore entered{0}, release{0};
  std::promise<void> held_done;
  std::vector<Errc> outcomes;

  void SetUp() override {
    ASSERT_TRUE(pool.submit(
                        [this] {
                          entered.release();
                          release.acquire();
                          return Status{};
                        },
                        [this](Status) { held_done.set_value(); })
                    .ok());
    entered.acquire();
  }
  Status submit_waiting() {
    return pool.submit([] { return Status{}; },
                       [this](Status it) {
                         if (!it.ok()) outcomes.push_back(it.error().code);
                       });
  }
};

TEST_F(HeldPool, RefusesWhenItsQueueIsFull) {
  EXPECT_TRUE(submit_waiting().ok());
  EXPECT_TRUE(submit_waiting().ok());
  const Status refused = submit_waiting();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(pool.counts().waiting, 2u);
  EXPECT_EQ(pool.counts().refused, 1u);
  release.release();
  EXPECT_EQ(pool.drain(30s), 0u);
  EXPECT_TRUE(outcomes.empty());
}

TEST_F(HeldPool, SaysWhoIsStuck) {
  EXPECT_EQ(pool.stuck_longer_than(1s), 0u);
  clocks.advance(2s);
  EXPECT_EQ(pool.stuck_longer_than(1s), 1u);
  EXPECT_EQ(pool.stuck_longer_than(3s), 0u);
  release.release();
  EXPECT_EQ(pool.drain(30s), 0u);
  EXPECT_EQ(pool.stuck_longer_than(0s), 0u);
}

TEST_F(HeldPool, ADrainCancelsWhatWaitsAndLeavesTheStuckBehind) {
  EXPECT_TRUE(submit_waiting().ok());
  EXPECT_EQ(pool.drain(1ms), 1u);
  EXPECT_EQ(outcomes, (std::vector{Errc::CANCELLED}));
  const Status late = submit_waiting();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Errc::UNAVAILABLE);
  release.release();
  held_done.get_future().wait();
  EXPECT_EQ(pool.drain(30s), 0u);
}

}  // namespace
}  // namespace symphony::runtime
