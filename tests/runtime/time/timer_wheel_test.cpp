#include "runtime/time/timer_wheel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Wheel = TimerWheel<std::uint64_t>;

const MonoTime kStart{1h};

std::vector<std::uint64_t> fired_until(Wheel& wheel, MonoTime now) {
  std::vector<std::uint64_t> fired;
  wheel.advance(now, [&](std::uint64_t id) { fired.push_back(id); });
  return fired;
}

using Ids = std::vector<std::uint64_t>;

TEST(TimerWheel, NeverFiresEarlyAndAtMostATickLate) {
  Wheel wheel(kStart);
  ASSERT_TRUE(wheel.arm(kStart + 25ms, 1));
  EXPECT_EQ(fired_until(wheel, kStart + 25ms), Ids{});
  EXPECT_EQ(fired_until(wheel, kStart + 29ms), Ids{});
  EXPECT_EQ(fired_until(wheel, kStart + 30ms), Ids{1});
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheel, FiresAPassedDeadlineAtTheNextTick) {
  Wheel wheel(kStart);
  EXPECT_EQ(fired_until(wheel, kStart + 1s), Ids{});
  ASSERT_TRUE(wheel.arm(kStart - 5s, 7));
  EXPECT_EQ(fired_until(wheel, kStart + 1s), Ids{});
  EXPECT_EQ(fired_until(wheel, kStart + 1010ms), Ids{7});
}

TEST(TimerWheel, KeepsTheOrderOfArmingWithinATickAcrossLevels) {
  Wheel wheel(kStart);
  const MonoTime due = kStart + 3min;
  ASSERT_TRUE(wheel.arm(due, 1));  // a high level
  fired_until(wheel, due - 2s);
  ASSERT_TRUE(wheel.arm(due, 2));  // a lower one
  fired_until(wheel, due - 50ms);
  ASSERT_TRUE(wheel.arm(due, 3));  // the lowest
  EXPECT_EQ(fired_until(wheel, due), (Ids{1, 2, 3}));
}

TEST(TimerWheel, CancelsOnceAndNeverTheNextUserOfTheNode) {
  Wheel wheel(kStart);
  const TimerHandle first = wheel.arm(kStart + 1s, 1);
  EXPECT_EQ(wheel.cancel(first), 1u);
  EXPECT_EQ(wheel.cancel(first), std::nullopt);
  const TimerHandle second = wheel.arm(kStart + 1s, 2);
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(wheel.cancel(first), std::nullopt);
  EXPECT_TRUE(wheel.is_pending(second));
  EXPECT_EQ(wheel.cancel(TimerHandle{}), std::nullopt);
  EXPECT_EQ(fired_until(wheel, kStart + 1s), Ids{2});
  EXPECT_EQ(wheel.cancel(second), std::nullopt);
}

TEST(TimerWheel, ACallbackMayCancelTheNextTimerAndArmAnother) {
  Wheel wheel(kStart);
  ASSERT_TRUE(wheel.arm(kStart + 100ms, 1));
  const TimerHandle next = wheel.arm(kStart + 100ms, 2);
  Ids fired;
  const auto on_fire = [&](std::uint64_t id) {
    fired.push_back(id);
    if (id != 1) return;
    EXPECT_EQ(wheel.cancel(next), 2u);
    ASSERT_TRUE(wheel.arm(kStart, 3));
  };
  wheel.advance(kStart + 100ms, on_fire);
  EXPECT_EQ(fired, Ids{1});
  wheel.advance(kStart + 110ms, on_fire);
  EXPECT_EQ(fired, (Ids{1, 3}));
}

TEST(TimerWheel, RefusesMoreTimersThanItsLimit) {
  Wheel wheel(kStart, 2);
  const TimerHandle one = wheel.arm(kStart + 1s, 1);
  ASSERT_TRUE(wheel.arm(kStart + 1s, 2));
  EXPECT_FALSE(wheel.arm(kStart + 1s, 3));
  wheel.cancel(one);
  EXPECT_TRUE(wheel.arm(kStart + 1s, 4));
}

TEST(TimerWheel, HoldsATimerForTheEndOfTime) {
  Wheel wheel(kStart);
  const TimerHandle never = wheel.arm(MonoTime::max(), 1);
  ASSERT_TRUE(never);
  EXPECT_EQ(fired_until(wheel, kStart + std::chrono::hours(24 * 365 * 100)), Ids{});
  ASSERT_TRUE(wheel.next_deadline().has_value());
  EXPECT_EQ(wheel.cancel(never), 1u);
  EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

TEST(TimerWheel, MovesOwningPayloadsOut) {
  TimerWheel<std::unique_ptr<std::string>> wheel(kStart);
  ASSERT_TRUE(wheel.arm(kStart + 20ms, std::make_unique<std::string>("hello")));
  std::string heard;
  wheel.advance(kStart + 1s, [&](std::unique_ptr<std::string> text) { heard = *text; });
  EXPECT_EQ(heard, "hello");
}

// What a wheel must do, said with a sorted map from tick to payload.
class Model {
 public:
  void arm(std::uint64_t id, MonoTime deadline) {
    const auto ahead = (deadline - kStart + Wheel::kTick - 1ns) / Wheel::kTick;
    by_tick_.emplace(std::max(ahead, now_tick_ + 1), id);
  }
  bool cancel(std::uint64_t id) {
    return std::erase_if(by_tick_, [&](const auto& entry) { return entry.second == id; }) == 1;
  }
  Ids advance(MonoTime now) {
    now_tick_ = std::max(now_tick_, (now - kStart) / Wheel::kTick);
    Ids fired;
    while (!by_tick_.empty() && by_tick_.begin()->first <= now_tick_) {
      fired.push_back(by_tick_.begin()->second);
      by_tick_.erase(by_tick_.begin());
    }
    return fired;
  }
  std::optional<MonoTime> first() const {
    if (by_tick_.empty()) return std::nullopt;
    return kStart + by_tick_.begin()->first * Wheel::kTick;
  }
  std::size_t size() const { return by_tick_.size(); }

 private:
  std::int64_t now_tick_ = 0;
  std::multimap<std::int64_t, std::uint64_t> by_tick_;
};

// A number below `bound`, evenly: rapidcheck's own ranges stay near their start in small cases.
template <class T>
T pick(T bound) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(0, bound));
}

// Durations spread evenly over the orders of magnitude from 1 µs to days.
Nanos any_span() { return Nanos{pick(std::int64_t{1} << (10 + pick(40)))}; }

RC_GTEST_PROP(TimerWheel, BehavesLikeASortedMap, ()) {
  Wheel wheel(kStart);
  Model model;
  MonoTime now = kStart;
  std::vector<TimerHandle> handles;  // of timer i
  const int steps = pick(200);
  for (int step = 0; step < steps; ++step) {
    const int action = pick(10);
    if (action < 5) {
      const MonoTime deadline = now + any_span() - 15ms;
      handles.push_back(wheel.arm(deadline, handles.size()));
      model.arm(handles.size() - 1, deadline);
    } else if (action < 7 && !handles.empty()) {
      const auto id = pick(handles.size());
      RC_ASSERT(wheel.cancel(handles[id]).has_value() == model.cancel(id));
    } else {
      // As often to the very moment the wheel asked for as to any other.
      const auto next = wheel.next_deadline();
      const MonoTime to = action == 7 && next ? *next : now + any_span();
      RC_ASSERT(fired_until(wheel, to) == model.advance(to));
      now = std::max(now, to);
    }
    RC_ASSERT(wheel.size() == model.size());
    RC_ASSERT(wheel.next_deadline().has_value() == model.first().has_value());
    if (model.first()) {
      RC_ASSERT(*wheel.next_deadline() <= *model.first());
      RC_ASSERT(*wheel.next_deadline() > now - Wheel::kTick);
    }
  }
}

RC_GTEST_PROP(TimerWheel, FiresEverythingWhenFollowedFromDeadlineToDeadline, ()) {
  Wheel wheel(kStart);
  Model model;
  const auto count = pick<std::uint64_t>(50);
  for (std::uint64_t id = 0; id < count; ++id) {
    const MonoTime deadline = kStart + any_span();
    RC_ASSERT(bool(wheel.arm(deadline, id)));
    model.arm(id, deadline);
  }
  int wakeups = 0;
  while (const auto next = wheel.next_deadline()) {
    RC_ASSERT(fired_until(wheel, *next) == model.advance(*next));
    RC_ASSERT(++wakeups < 1000);  // at most one for each timer and level
  }
  RC_ASSERT(model.size() == 0u);
}

}  // namespace
}  // namespace symphony::runtime
