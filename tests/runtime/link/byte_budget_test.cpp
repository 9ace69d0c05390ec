#include "runtime/link/byte_budget.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace symphony::runtime {
namespace {

using Named = std::vector<ByteBudget::Taker>;

TEST(ByteBudget, GivesUntilItIsUsedUpAndCallsInTheOrderOfTheLine) {
  ByteBudget budget{100};
  EXPECT_TRUE(budget.take(1, 60));
  EXPECT_FALSE(budget.take(2, 50));
  EXPECT_FALSE(budget.take(3, 10)) << "would fit, but stands behind the other";
  EXPECT_FALSE(budget.take(2, 50)) << "stands in line already";
  EXPECT_EQ(budget.give_back(60), (Named{2, 3}));
  EXPECT_EQ(budget.held_bytes(), 60u);
  EXPECT_FALSE(budget.take(4, 50)) << "is kept for those who were named";
  EXPECT_TRUE(budget.take(2, 50));
  EXPECT_TRUE(budget.take(3, 10));
}

TEST(ByteBudget, MoreThanThereEverIsIsHadAlone) {
  ByteBudget budget{100};
  EXPECT_TRUE(budget.take(1, 1));
  EXPECT_FALSE(budget.take(2, 500));
  EXPECT_EQ(budget.give_back(1), (Named{2}));
  EXPECT_TRUE(budget.take(2, 500));
  EXPECT_FALSE(budget.take(3, 1));
  EXPECT_EQ(budget.give_back(500), (Named{3}));
}

TEST(ByteBudget, WhoLeavesTheLineStopsNobody) {
  ByteBudget budget{100};
  EXPECT_TRUE(budget.take(1, 60));
  EXPECT_FALSE(budget.take(2, 90));
  EXPECT_FALSE(budget.take(3, 10));
  EXPECT_EQ(budget.leave(2), (Named{3}));
  EXPECT_EQ(budget.leave(3), (Named{})) << "what was kept for him is free again";
  EXPECT_EQ(budget.held_bytes(), 60u);
}

// Never more than the limit but for one alone, and whoever waits is served in the end.
RC_GTEST_PROP(ByteBudget, IsKeptAndServesEverybody, (std::vector<std::uint16_t> choices)) {
  constexpr std::size_t kMax = 100;
  ByteBudget budget{kMax};
  std::map<ByteBudget::Taker, std::size_t> wants, has;
  std::set<ByteBudget::Taker> called;
  const auto hear = [&](const Named& named) { called.insert(named.begin(), named.end()); };
  const auto come = [&](ByteBudget::Taker who) {
    if (!budget.take(who, wants.at(who))) return false;
    has[who] = wants.at(who);
    wants.erase(who);
    called.erase(who);
    return true;
  };
  const auto check = [&] {
    std::size_t sum = 0;
    for (const auto& [who, bytes] : has) sum += bytes;
    RC_ASSERT(sum <= budget.held_bytes());
    RC_ASSERT(sum <= kMax || has.size() == 1);
  };
  for (const auto choice : choices) {
    const ByteBudget::Taker who = choice % 5;
    if (has.contains(who)) {
      const auto bytes = has[who];
      has.erase(who);
      hear(budget.give_back(bytes));
    } else if (wants.contains(who) && choice % 7 == 0) {
      wants.erase(who);
      called.erase(who);
      hear(budget.leave(who));
    } else if (!wants.contains(who)) {
      wants[who] = 1 + choice / 5 % 130;
      come(who);
    } else if (called.contains(who)) {
      RC_ASSERT(come(who));
    }
    check();
  }
  while (!wants.empty()) {
    if (!called.empty()) {
      RC_ASSERT(come(*called.begin()));
    } else {
      RC_ASSERT(!has.empty());  // or nobody would ever be called
      const auto bytes = has.begin()->second;
      has.erase(has.begin());
      hear(budget.give_back(bytes));
    }
    check();
  }
  for (const auto& [who, bytes] : has) (void)budget.give_back(bytes);
  RC_ASSERT(budget.held_bytes() == 0u);
}

class Resumed final : public Paused {
 public:
  void resume() noexcept override { ++times; }
  int times = 0;
};

TEST(InboundBudget, FullOfLargeFramesItStillTakesSmallOnes) {
  InboundBudget budget{std::size_t{4} << 20};
  const auto large = std::make_shared<Resumed>();
  EXPECT_TRUE(budget.take(1, std::size_t{3} << 20, large));
  EXPECT_FALSE(budget.take(2, std::size_t{1} << 20, large));
  EXPECT_TRUE(budget.take(3, 1000, large));
  EXPECT_EQ(large->times, 0);
  budget.give_back(1000);
  EXPECT_EQ(large->times, 0) << "not what it waits for";
  budget.give_back(std::size_t{3} << 20);
  EXPECT_EQ(large->times, 1);
  EXPECT_TRUE(budget.take(2, std::size_t{1} << 20, large));
}

TEST(InboundBudget, WhoIsGoneIsNotCalledAndKeepsNothing) {
  InboundBudget budget{std::size_t{4} << 20};
  const auto next = std::make_shared<Resumed>();
  auto gone = std::make_shared<Resumed>();
  EXPECT_TRUE(budget.take(1, std::size_t{3} << 20, gone));
  EXPECT_FALSE(budget.take(2, std::size_t{2} << 20, gone));
  EXPECT_FALSE(budget.take(3, std::size_t{2} << 20, next));
  gone.reset();
  budget.give_back(std::size_t{3} << 20);
  EXPECT_EQ(next->times, 0) << "kept for one that does not say that he is gone";
  budget.leave(2);
  EXPECT_EQ(next->times, 1);
}

}  // namespace
}  // namespace symphony::runtime
