#include "actors/orchestration/engine/frontier.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace symphony::actors {
namespace {

using Nodes = std::vector<NodeIndex>;

Plan plan_of(const std::vector<Nodes>& needs) {
  Plan plan;
  for (const Nodes& some : needs) {
    plan.order.push_back(static_cast<NodeIndex>(plan.nodes.size()));
    plan.nodes.emplace_back().needs = some;
  }
  return plan;
}

TEST(Frontier, MovesToWhatTheLastNeedOfWasMet) {
  Frontier frontier(plan_of({{}, {}, {0, 1}, {2}}));
  EXPECT_EQ(frontier.ended(1), Nodes{});
  EXPECT_EQ(frontier.ended(0), Nodes{2});
  EXPECT_EQ(frontier.ended(2), Nodes{3});
  EXPECT_EQ(frontier.ended(3), Nodes{});
}

TEST(Frontier, GivesWhatALongPathDependsOnFirst) {
  const Plan plan = plan_of({{}, {0}, {0}, {2}});
  EXPECT_EQ(Frontier(plan).ended(0), (Nodes{2, 1}));
  EXPECT_EQ(Frontier(plan, {1, 9, 1, 1}).ended(0), (Nodes{1, 2}));
}

TEST(Frontier, LeavesMappedNeedsAndOtherSharesAndManyAtOnceToTheTracker) {
  std::vector<Nodes> needs{{}, {0}, {1}, {0}, {}, {4}};
  for (std::size_t i = 0; i < Frontier::kTogetherMax; ++i) needs.push_back({4});
  Plan plan = plan_of(needs);
  plan.nodes[1].map.emplace();  // may start here, what needs it may not
  plan.nodes[3].policy.cores = 2;
  Frontier frontier(plan);
  EXPECT_TRUE(frontier.leads_on(0));
  EXPECT_FALSE(frontier.leads_on(1));
  EXPECT_EQ(frontier.ended(0), Nodes{1});
  EXPECT_EQ(frontier.ended(1), Nodes{});
  EXPECT_EQ(frontier.ended(4), Nodes{});
}

RC_GTEST_PROP(Frontier, GivesEachNodeOnceWhenAllItNeedsHasEndedAndNotBefore, ()) {
  const auto count = *rc::gen::inRange<NodeIndex>(1, 30);
  std::vector<Nodes> needs(count);
  for (NodeIndex i = 1; i < count; ++i) {
    const auto some = *rc::gen::container<Nodes>(rc::gen::inRange<NodeIndex>(0, i));
    const std::set<NodeIndex> each(some.begin(), some.end());
    needs[i].assign(each.begin(), each.end());
  }
  Frontier frontier(plan_of(needs));
  Nodes ready;
  for (NodeIndex i = 0; i < count; ++i)
    if (needs[i].empty()) ready.push_back(i);
  std::set<NodeIndex> ended;
  while (!ready.empty()) {
    const auto at = ready.begin() + *rc::gen::inRange<long>(0, static_cast<long>(ready.size()));
    const NodeIndex node = *at;
    ready.erase(at);
    RC_ASSERT(ended.insert(node).second);
    for (const NodeIndex next : frontier.ended(node)) {
      RC_ASSERT(std::all_of(needs[next].begin(), needs[next].end(),
                            [&](NodeIndex need) { return ended.contains(need); }));
      ready.push_back(next);
    }
  }
  RC_ASSERT(ended.size() == count);
}

}  // namespace
}  // namespace symphony::actors
