#include "runtime/time/ticker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <vector>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

struct ManualTickerTest : testing::Test {
  ManualClocks clocks;
  ManualTicker ticker{clocks};
  std::vector<int> woken;

  TickerSubscription subscribe(int id) {
    return ticker.subscribe([this, id] { woken.push_back(id); }).value();
  }
  MonoTime in(Nanos span) const { return clocks.mono() + span; }
};

TEST_F(ManualTickerTest, WakesInTheOrderOfTimeThenOfSubscription) {
  const auto a = subscribe(1);
  const auto b = subscribe(2);
  const auto c = subscribe(3);
  c.wake_at(in(10ms));
  b.wake_at(in(20ms));
  a.wake_at(in(20ms));
  EXPECT_EQ(ticker.next_wake(), in(10ms));
  EXPECT_EQ(ticker.advance(15ms), 1u);
  EXPECT_EQ(woken, (std::vector{3}));
  EXPECT_EQ(ticker.advance(5ms), 2u);
  EXPECT_EQ(woken, (std::vector{3, 1, 2}));
  EXPECT_EQ(ticker.next_wake(), std::nullopt);
}

TEST_F(ManualTickerTest, AnEarlierTimeReplacesALaterOneIsIgnored) {
  const auto a = subscribe(1);
  a.wake_at(in(50ms));
  a.wake_at(in(20ms));
  a.wake_at(in(30ms));
  ticker.advance(1s);
  EXPECT_EQ(woken, (std::vector{1}));
  a.wake_at(in(30ms));
  EXPECT_EQ(ticker.advance(1s), 1u);
}

TEST_F(ManualTickerTest, WhoIsWokenSeesTheTimeItAskedFor) {
  std::vector<MonoTime> seen;
  TickerSubscription self;
  self = ticker
             .subscribe([&] {
               seen.push_back(clocks.mono());
               if (seen.size() < 3) self.wake_at(in(10ms));
             })
             .value();
  const MonoTime start = clocks.mono();
  self.wake_at(in(5ms));
  EXPECT_EQ(ticker.advance(1s), 3u);
  EXPECT_EQ(seen, (std::vector{start + 5ms, start + 15ms, start + 25ms}));
  EXPECT_EQ(clocks.mono(), start + 1s);
}

TEST_F(ManualTickerTest, ACancelledSubscriberSleepsOn) {
  auto a = subscribe(1);
  auto b = subscribe(2);
  a.wake_at(in(5ms));
  b.wake_at(in(5ms));
  a.cancel();
  a.wake_at(in(1ms));
  a.cancel();
  { const auto gone = std::move(b); }
  EXPECT_EQ(ticker.advance(1s), 0u);
  EXPECT_TRUE(woken.empty());
}

TEST_F(ManualTickerTest, ACallbackMayCancelItselfAndOthers) {
  TickerSubscription self;
  TickerSubscription other = subscribe(2);
  self = ticker
             .subscribe([&] {
               woken.push_back(1);
               self.cancel();
               other.cancel();
             })
             .value();
  self.wake_at(in(1ms));
  other.wake_at(in(2ms));
  ticker.advance(1s);
  EXPECT_EQ(woken, (std::vector{1}));
}

TEST_F(ManualTickerTest, APassedTimeIsDueAtOnce) {
  const auto a = subscribe(1);
  a.wake_at(clocks.mono() - 1h);
  EXPECT_EQ(ticker.fire_due(), 1u);
}

TEST(Ticker, RefusesMoreSubscribersThanItsLimit) {
  ManualClocks clocks;
  ManualTicker ticker(clocks, 1);
  auto first = ticker.subscribe([] {});
  ASSERT_TRUE(first.ok());
  const auto second = ticker.subscribe([] {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::RESOURCE_EXHAUSTED);
  first->cancel();
  EXPECT_TRUE(ticker.subscribe([] {}).ok());
}

TEST(Ticker, ASubscriptionMayOutliveIt) {
  TickerSubscription left;
  {
    ThreadTicker ticker;
    left = ticker.subscribe([] {}).value();
    left.wake_at(std::chrono::steady_clock::now() + 1h);
  }
  left.wake_at(std::chrono::steady_clock::now());
  left.cancel();
}

TEST(ThreadTicker, WakesAtTheTimeAndNotBefore) {
  ThreadTicker ticker;
  std::promise<MonoTime> woken;
  const auto subscription =
      ticker.subscribe([&] { woken.set_value(std::chrono::steady_clock::now()); }).value();
  const MonoTime due = std::chrono::steady_clock::now() + 20ms;
  subscription.wake_at(due + 1h);
  subscription.wake_at(due);
  auto when = woken.get_future();
  ASSERT_EQ(when.wait_for(30s), std::future_status::ready);
  EXPECT_GE(when.get(), due);
}

TEST(ThreadTicker, RefusesSubscribersOnceStopped) {
  ThreadTicker ticker;
  ticker.stop();
  ticker.stop();
  const auto late = ticker.subscribe([] {});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Errc::UNAVAILABLE);
}

TEST(ThreadTicker, ACancelWaitsForTheRunningCallback) {
  ThreadTicker ticker;
  std::binary_semaphore entered(0), leave(0);
  std::atomic<bool> left = false;
  auto subscription = ticker
                          .subscribe([&] {
                            entered.release();
                            leave.acquire();
                            left = true;
                          })
                          .value();
  subscription.wake_at(std::chrono::steady_clock::now());
  entered.acquire();
  std::jthread opener([&] { leave.release(); });
  subscription.cancel();
  EXPECT_TRUE(left);
}

TEST(ThreadTicker, ServesManySubscribersFromManyThreads) {
  ThreadTicker ticker;
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  std::vector<std::jthread> threads;
  std::atomic<int> woken = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      std::counting_semaphore<kRounds> heard(0);
      auto mine = ticker
                      .subscribe([&] {
                        ++woken;
                        heard.release();
                      })
                      .value();
      for (int round = 0; round < kRounds; ++round) {
        mine.wake_at(std::chrono::steady_clock::now() + 1s);
        mine.wake_at(std::chrono::steady_clock::now() + std::chrono::microseconds(round % 3 * 50));
        heard.acquire();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(woken, kThreads * kRounds);
}

}  // namespace
}  // namespace symphony::runtime
