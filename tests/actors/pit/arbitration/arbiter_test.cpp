#include "actors/pit/arbitration/arbiter.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace symphony::actors {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;
const Resources kNode{8'000, 1'024 * kMiB};

Resources cores(std::uint64_t count) { return {count * 1'000, 0}; }

void open(Arbiter& arbiter, RunKey run, std::uint32_t weight = 1) {
  ASSERT_TRUE(arbiter.open_run(run, weight).ok());
}
void ask(Arbiter& arbiter, RunKey run, RequestKey key, Resources demand, int priority = 0,
         double rank = 0) {
  const Status asked = arbiter.request(run, {key, demand, priority, rank}, 0);
  ASSERT_TRUE(asked.ok()) << asked.error().message;
}
std::vector<RequestKey> keys(const std::vector<Grant>& grants) {
  std::vector<RequestKey> keys;
  for (const Grant& grant : grants) keys.push_back(grant.key);
  return keys;
}
using Keys = std::vector<RequestKey>;

TEST(Arbiter, GrantsWhatFitsAndTheRestAfterARelease) {
  Arbiter arbiter(kNode);
  open(arbiter, 1);
  for (RequestKey key = 1; key <= 3; ++key) ask(arbiter, 1, key, cores(4));
  EXPECT_EQ(keys(arbiter.grant(0)), (Keys{1, 2}));
  EXPECT_EQ(keys(arbiter.grant(0)), Keys{});
  ASSERT_TRUE(arbiter.release(1, 1, 5).ok());
  const auto grants = arbiter.grant(7);
  EXPECT_EQ(keys(grants), Keys{3});
  EXPECT_EQ(grants[0].waited_us, 7);
}

TEST(Arbiter, RefusesAtOnceWhatCouldNeverStart) {
  Arbiter arbiter(kNode);
  open(arbiter, 1);
  const Status refused = arbiter.request(1, {1, {1'000, 2'048 * kMiB}, 0, 0}, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.error().message,
            "it asks for 1 core and 2048 MiB; this node has 8 cores and 1024 MiB in all, so it "
            "could never start");
  EXPECT_EQ(refused.error().field, "memory_mb");
}

TEST(Arbiter, ServesARunByPriorityThenRankThenArrival) {
  Arbiter arbiter(cores(1));
  open(arbiter, 1);
  ask(arbiter, 1, 1, cores(1), 0, 1);
  ask(arbiter, 1, 2, cores(1), 0, 5);
  ask(arbiter, 1, 3, cores(1), 2, 0);
  ask(arbiter, 1, 4, cores(1), 0, 5);
  Keys order;
  for (int i = 0; i < 4; ++i) {
    order.push_back(arbiter.grant(0).at(0).key);
    ASSERT_TRUE(arbiter.release(1, order.back(), 0).ok());
  }
  EXPECT_EQ(order, (Keys{3, 2, 4, 1}));
}

TEST(Arbiter, GivesARunOfTwiceTheWeightTwiceTheShare) {
  Arbiter arbiter(cores(9));
  open(arbiter, 1, 1);
  open(arbiter, 2, 2);
  for (RequestKey key = 0; key < 20; ++key) {
    ask(arbiter, 1, key, cores(1));
    ask(arbiter, 2, key, cores(1));
  }
  (void)arbiter.grant(0);
  const auto snapshot = arbiter.snapshot(10);
  EXPECT_EQ(snapshot.runs[0].held, 3U);
  EXPECT_EQ(snapshot.runs[1].held, 6U);
  EXPECT_NEAR(snapshot.fairness, 1.0, 1e-9);
}

TEST(Arbiter, EqualisesDominantSharesWhenRunsWantDifferentResources) {
  // The example of the DRF paper, section 4.1: 9 cores, 18 GiB; <1 core, 4 GiB> and <3, 1>.
  Arbiter arbiter({9'000, 18 * 1'024 * kMiB});
  open(arbiter, 1);
  open(arbiter, 2);
  for (RequestKey key = 0; key < 10; ++key) {
    ask(arbiter, 1, key, {1'000, 4 * 1'024 * kMiB});
    ask(arbiter, 2, key, {3'000, 1'024 * kMiB});
  }
  (void)arbiter.grant(0);
  EXPECT_EQ(arbiter.snapshot(0).runs[0].held, 3U);
  EXPECT_EQ(arbiter.snapshot(0).runs[1].held, 2U);
}

TEST(Arbiter, BackfillsSmallRequestsBehindALargeOne) {
  Arbiter arbiter(cores(4));
  open(arbiter, 1);
  ask(arbiter, 1, 1, cores(2), 9);
  ask(arbiter, 1, 2, cores(4), 5);
  ask(arbiter, 1, 3, cores(1), 1);
  EXPECT_EQ(keys(arbiter.grant(0)), (Keys{1, 3}));
}

TEST(Arbiter, ALargeRequestIsNotStarvedByAnEndlessFlowOfSmallOnes) {
  Arbiter arbiter(cores(4));
  open(arbiter, 1);
  open(arbiter, 2);
  RequestKey next = 1;
  std::vector<RequestKey> held;
  for (; next <= 8; ++next) ask(arbiter, 2, next, cores(1));
  for (const Grant& grant : arbiter.grant(0)) held.push_back(grant.key);
  ask(arbiter, 1, 1, cores(4));
  bool granted = false;
  int rounds = 0;
  for (; !granted && rounds < 1'000; ++rounds) {
    ASSERT_FALSE(held.empty());
    ASSERT_TRUE(arbiter.release(2, held.front(), 0).ok());
    held.erase(held.begin());
    ask(arbiter, 2, next++, cores(1));
    for (const Grant& grant : arbiter.grant(0)) {
      if (grant.run == 1) {
        granted = true;
      } else {
        held.push_back(grant.key);
      }
    }
  }
  EXPECT_TRUE(granted);
  EXPECT_LT(rounds, 100);
}

TEST(Arbiter, ClosingARunDropsItsQueueAndKeepsCountingWhatItHolds) {
  Arbiter arbiter(cores(2));
  open(arbiter, 1);
  for (RequestKey key = 1; key <= 4; ++key) ask(arbiter, 1, key, cores(1));
  (void)arbiter.grant(0);
  auto dropped = arbiter.close_run(1);
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(*dropped, (Keys{3, 4}));
  EXPECT_EQ(arbiter.used(), cores(2));
  EXPECT_FALSE(arbiter.request(1, {9, cores(1)}, 0).ok());
  ASSERT_TRUE(arbiter.release(1, 1, 0).ok());
  ASSERT_TRUE(arbiter.release(1, 2, 0).ok());
  EXPECT_EQ(arbiter.used(), Resources{});
  EXPECT_TRUE(arbiter.snapshot(0).runs.empty());
}

TEST(Arbiter, WhatAClosedRunHadQueuedMakesRoomForOthers) {
  Arbiter arbiter(cores(1), {.max_queued = 2});
  open(arbiter, 1);
  ask(arbiter, 1, 1, cores(1));
  EXPECT_EQ(keys(arbiter.grant(0)), Keys{1});
  ask(arbiter, 1, 2, cores(1));
  ask(arbiter, 1, 3, cores(1));
  ASSERT_TRUE(arbiter.close_run(1).ok());
  EXPECT_EQ(arbiter.queued(), 0u);
  open(arbiter, 2);
  ask(arbiter, 2, 1, cores(1));
  ask(arbiter, 2, 2, cores(1));
  EXPECT_EQ(arbiter.queued(), 2u);
}

TEST(Arbiter, WhatIsGivenBackDuringAReservationIsGrantedBesideItAgain) {
  Arbiter arbiter(cores(8), {.reserve_after_grants = 1});
  for (const RunKey run : {1u, 2u, 3u}) open(arbiter, run);
  ask(arbiter, 1, 1, cores(5));
  EXPECT_EQ(keys(arbiter.grant(0)), Keys{1});
  ask(arbiter, 2, 1, cores(6));
  ask(arbiter, 3, 1, cores(1));
  EXPECT_EQ(keys(arbiter.grant(0)), Keys{1}) << "passes over the large one, which is reserved for";
  ask(arbiter, 3, 2, cores(1));
  ask(arbiter, 3, 3, cores(1));
  EXPECT_EQ(keys(arbiter.grant(0)), (Keys{2, 3}));
  ASSERT_TRUE(arbiter.release(3, 2, 0).ok());
  ask(arbiter, 3, 4, cores(1));
  EXPECT_EQ(keys(arbiter.grant(0)), Keys{4});
}

TEST(Arbiter, RefusesMoreThanItsQueueHolds) {
  Arbiter arbiter(cores(1), {.max_queued = 2});
  open(arbiter, 1);
  ask(arbiter, 1, 1, cores(1));
  ask(arbiter, 1, 2, cores(1));
  const Status refused = arbiter.request(1, {3, cores(1)}, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(refused.error().retryable);
  ASSERT_TRUE(arbiter.withdraw(1, 2).ok());
  EXPECT_TRUE(arbiter.request(1, {3, cores(1)}, 0).ok());
}

TEST(Arbiter, RefusesAKeyThatIsQueuedOrHeldAndReleasesOnlyWhatIsHeld) {
  Arbiter arbiter(cores(1));
  open(arbiter, 1);
  ask(arbiter, 1, 1, cores(1));
  EXPECT_EQ(arbiter.request(1, {1, cores(1)}, 0).error().code, Errc::ALREADY_EXISTS);
  EXPECT_EQ(arbiter.release(1, 1, 0).error().code, Errc::NOT_FOUND);
  (void)arbiter.grant(0);
  EXPECT_EQ(arbiter.request(1, {1, cores(1)}, 0).error().code, Errc::ALREADY_EXISTS);
  EXPECT_EQ(arbiter.withdraw(1, 1).error().code, Errc::NOT_FOUND);
}

struct HeldGrant {
  RunKey run;
  RequestKey key;
};

RC_GTEST_PROP(ArbiterProperty, NeverExceedsCapacityAndGrantsEverythingInTheEnd, ()) {
  const Resources capacity{*rc::gen::inRange<std::uint64_t>(1, 9),
                           *rc::gen::inRange<std::uint64_t>(1, 9)};
  Arbiter arbiter(capacity, {.reserve_after_grants = *rc::gen::inRange(1U, 6U)});
  const RunKey runs = *rc::gen::inRange<RunKey>(1, 4);
  for (RunKey run = 0; run < runs; ++run) RC_ASSERT(arbiter.open_run(run, 1 + run % 2).ok());
  std::vector<HeldGrant> held;
  Resources in_use;
  std::map<std::pair<RunKey, RequestKey>, Resources> wanted;
  const auto collect = [&] {
    for (const Grant& grant : arbiter.grant(0)) {
      held.push_back({grant.run, grant.key});
      in_use += wanted.at({grant.run, grant.key});
      RC_ASSERT(in_use.fits_into(capacity));
    }
    RC_ASSERT(in_use == arbiter.used());
  };
  const auto release_one = [&](std::size_t at) {
    RC_ASSERT(arbiter.release(held[at].run, held[at].key, 0).ok());
    in_use -= wanted.at({held[at].run, held[at].key});
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const int steps = *rc::gen::inRange(0, 60);
  for (int step = 0; step < steps; ++step) {
    if (held.empty() || *rc::gen::inRange(0, 3) > 0) {
      const RunKey run = *rc::gen::inRange<RunKey>(0, runs);
      const Resources demand{*rc::gen::inRange<std::uint64_t>(0, capacity.millicores + 1),
                             *rc::gen::inRange<std::uint64_t>(0, capacity.memory_bytes + 1)};
      const auto key = static_cast<RequestKey>(step);
      wanted[{run, key}] = demand;
      RC_ASSERT(arbiter.request(run, {key, demand, *rc::gen::inRange(0, 3)}, 0).ok());
    } else {
      release_one(*rc::gen::inRange<std::size_t>(0, held.size()));
    }
    if (*rc::gen::arbitrary<bool>()) collect();
  }
  collect();
  while (!held.empty()) {
    release_one(0);
    collect();
  }
  RC_ASSERT(arbiter.queued() == 0U);
  RC_ASSERT(arbiter.used() == Resources{});
}

RC_GTEST_PROP(ArbiterProperty, RunsOfEqualWeightDifferByAtMostOneGrantOfEqualSize, ()) {
  const auto slots = *rc::gen::inRange<std::uint64_t>(1, 12);
  const auto runs = *rc::gen::inRange<RunKey>(2, 5);
  Arbiter arbiter(cores(slots));
  for (RunKey run = 0; run < runs; ++run) {
    RC_ASSERT(arbiter.open_run(run, 3).ok());
    for (RequestKey key = 0; key < 200; ++key) {
      RC_ASSERT(arbiter.request(run, {key, cores(1)}, 0).ok());
    }
  }
  std::vector<HeldGrant> held;
  for (int round = 0; round < 50; ++round) {
    for (const Grant& grant : arbiter.grant(round)) held.push_back({grant.run, grant.key});
    std::size_t least = SIZE_MAX;
    std::size_t most = 0;
    for (const RunShare& run : arbiter.snapshot(round).runs) {
      least = std::min(least, run.held);
      most = std::max(most, run.held);
    }
    RC_ASSERT(most - least <= 1U);
    const auto released = *rc::gen::inRange<std::size_t>(0, held.size());
    RC_ASSERT(arbiter.release(held[released].run, held[released].key, round).ok());
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(released));
  }
}

}  // namespace
}  // namespace symphony::actors
