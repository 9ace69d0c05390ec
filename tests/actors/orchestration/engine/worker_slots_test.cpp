#include "actors/orchestration/engine/worker_slots.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;

TEST(WorkerSlots, AsksForNoMoreSlotsThanThereIsWork) {
  WorkerSlots slots({.slots_max = 4});
  const SlotClass of = slots.class_of({1, 0});
  const runtime::MonoTime now{1h};
  slots.settle(of, {.ready = 2}, now);
  EXPECT_EQ(slots.take_exchange().demands.size(), 2u);
  slots.settle(of, {.ready = 2}, now);
  EXPECT_TRUE(slots.take_exchange().empty());
  slots.settle(of, {.ready = 100}, now);
  EXPECT_EQ(slots.take_exchange().demands.size(), 2u);
}

TEST(WorkerSlots, ASlotGoesBackWhenItsSliceIsOverOrNothingIsLeft) {
  WorkerSlots slots;
  const SlotClass of = slots.class_of({1, 0});
  runtime::MonoTime now{1h};
  slots.settle(of, {.ready = 1}, now);
  const SlotKey key = slots.take_exchange().demands.front().key;
  slots.granted(key, now);
  ASSERT_TRUE(slots.start(of, now).has_value());
  slots.returned(key);
  slots.settle(of, {.ready = 0, .more_soon = true}, now);
  EXPECT_TRUE(slots.take_exchange().empty());  // worth keeping for a moment
  now += 1s;
  slots.settle(of, {.ready = 5}, now);
  const auto exchange = slots.take_exchange();
  EXPECT_EQ(exchange.release, std::vector<SlotKey>{key});
  EXPECT_EQ(exchange.demands.size(), 5u);
}

TEST(WorkerSlots, TheShareOfALostSlotGoesBackAndTheSlotMayReturnLater) {
  WorkerSlots slots;
  const SlotClass of = slots.class_of({1, 0});
  const runtime::MonoTime now{1h};
  slots.settle(of, {.ready = 1}, now);
  const SlotKey key = slots.take_exchange().demands.front().key;
  slots.granted(key, now);
  ASSERT_TRUE(slots.start(of, now).has_value());
  slots.lost(key);
  EXPECT_EQ(slots.take_exchange().release, std::vector<SlotKey>{key});
  slots.returned(key);
  EXPECT_TRUE(slots.take_exchange().empty());
  EXPECT_EQ(slots.working(), 0u);
}

}  // namespace
}  // namespace symphony::actors
