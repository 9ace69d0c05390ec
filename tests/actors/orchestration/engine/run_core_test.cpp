#include "actors/orchestration/engine/run_core.hpp"

#include <gtest/gtest.h>

#include "actors/orchestration/engine/estimates.hpp"
#include "actors/orchestration/engine/lane_book.hpp"
#include "actors/orchestration/engine/result_store.hpp"

namespace symphony::actors {
namespace {

using messages::NodeStatus;
using messages::Outcome;
using namespace std::chrono_literals;

Plan plan_of(std::vector<std::vector<NodeIndex>> needs) {
  Plan plan;
  for (NodeIndex i = 0; i < needs.size(); ++i) {
    PlanNode node;
    node.name = std::string(1, static_cast<char>('a' + i));
    node.needs = needs[i];
    plan.nodes.push_back(std::move(node));
    plan.order.push_back(i);
  }
  return plan;
}

NodeReport report_of(const WorkItem& item, Outcome outcome) {
  NodeReport report;
  report.item = item;
  report.outcome = outcome;
  report.started_ns = 1;
  if (outcome == Outcome::FAILED) report.error = Error{Errc::INTERNAL, "no"};
  return report;
}

TEST(RunCore, EverythingThatNeedsAFailedNodeIsSkippedAtOnce) {
  const Plan plan = plan_of({{}, {0}, {1}, {}});
  RunCore core(plan);
  const std::vector<NodeId> ready{0, 3};
  const auto items = core.make_ready(ready);
  core.report(report_of(items[0], Outcome::FAILED), 10);
  EXPECT_EQ(core.status_of(0), NodeStatus::FAILED);
  EXPECT_EQ(core.status_of(1), NodeStatus::SKIPPED);
  EXPECT_EQ(core.status_of(2), NodeStatus::SKIPPED);
  EXPECT_EQ(core.status_of(3), NodeStatus::READY);
  EXPECT_EQ(core.failures().size(), 1u);
}

TEST(RunCore, AMappedNodeEndsWithTheLastOfItsChildren) {
  const Plan plan = plan_of({{}, {0}});
  RunCore core(plan);
  const auto parent = core.make_ready(std::vector<NodeId>{0}).front();
  NodeReport expanded = report_of(parent, Outcome::EXPANDED);
  expanded.children = 2;
  core.report(std::move(expanded), 5);
  core.expand(0, 2, 2);
  const auto children = core.make_ready(std::vector<NodeId>{2, 3});
  EXPECT_EQ(core.name_of(children[1]), "a[1]");
  core.report(report_of(children[0], Outcome::SUCCEEDED), 6);
  EXPECT_EQ(core.status_of(0), NodeStatus::RUNNING);
  core.report(report_of(children[1], Outcome::SUCCEEDED), 7);
  EXPECT_EQ(core.status_of(0), NodeStatus::DONE);
  EXPECT_EQ(core.melody_nodes(8)[0].done, 2u);
  EXPECT_EQ(core.count(NodeStatus::WAITING), 1u);
}

TEST(RunCore, TellsWhatALaneWentOnWithUnlessThatEndsInTheSameBatch) {
  const Plan plan = plan_of({{}, {0}, {1}});
  RunCoreLimits limits;
  limits.batch_nodes_max = 2;
  RunCore core(plan, limits);
  const auto item = core.make_ready(std::vector<NodeId>{0}).front();
  core.started({1, 1, std::nullopt}, 5);  // seen at work before the report of what it follows
  EXPECT_EQ(core.status_of(1), NodeStatus::WAITING);
  for (const NodeIndex node : {0u, 1u, 2u}) {
    NodeReport report = report_of(node == 0 ? item : core.item_of(node), Outcome::SUCCEEDED);
    if (node < 2) report.next = node + 1;
    core.report(std::move(report), 10);
  }
  const auto first = core.take_batch();
  EXPECT_EQ(first.reports.size(), 2u);
  EXPECT_EQ(first.started, std::vector<NodeId>{2}) << "its own report is in the next batch";
  const auto second = core.take_batch();
  EXPECT_EQ(second.reports.size(), 1u);
  EXPECT_TRUE(second.started.empty());
  EXPECT_EQ(core.count(NodeStatus::DONE), 3u);
}

TEST(RunCore, PassesOverTheTrackersWordOfWhatALaneLaidOutBeforeButNotOfItsRetry) {
  Plan plan = plan_of({{}, {0}, {0}});
  plan.nodes[1].policy.retry.attempts = 2;
  RunCore core(plan);
  NodeReport top = report_of(core.make_ready(std::vector<NodeId>{0}).front(), Outcome::SUCCEEDED);
  top.laid_out = {1, 2};
  core.report(std::move(top), 10);
  EXPECT_EQ(core.status_of(1), NodeStatus::READY);
  core.started(core.item_of(2), 11);
  EXPECT_EQ(core.take_batch().started, std::vector<NodeId>{2});
  // The attempt has failed before the tracker's answer comes.
  NodeReport failed = report_of(core.item_of(1), Outcome::FAILED);
  failed.error->retryable = true;
  core.report(std::move(failed), 12);
  EXPECT_EQ(core.status_of(1), NodeStatus::WAITING);
  EXPECT_TRUE(core.make_ready(std::vector<NodeId>{1}).empty());
  EXPECT_EQ(core.take_batch().reports.size(), 1u);
  EXPECT_EQ(core.make_ready(std::vector<NodeId>{1}).size(), 1u) << "the retry";
}

TEST(RunCore, IsBehindWhileMoreWaitsThanItsLimit) {
  const Plan plan = plan_of({{}, {}});
  RunCoreLimits limits;
  limits.backlog_bytes_max = 1'000;
  RunCore core(plan, limits);
  const auto items = core.make_ready(std::vector<NodeId>{0, 1});
  core.report(report_of(items[0], Outcome::SUCCEEDED), 10);
  EXPECT_FALSE(core.behind());
  NodeReport large = report_of(items[1], Outcome::SUCCEEDED);
  large.text.assign(1'000, ' ');
  core.report(std::move(large), 10);
  EXPECT_TRUE(core.behind());
  EXPECT_EQ(core.take_batch().reports.size(), 2u);
  EXPECT_FALSE(core.behind());
}

TEST(RunCore, TellsOfNoStartBeforeTheReportItFollowsFrom) {
  const Plan plan = plan_of({{}, {}, {1}});
  RunCoreLimits limits;
  limits.batch_nodes_max = 1;
  RunCore core(plan, limits);
  const auto items = core.make_ready(std::vector<NodeId>{0, 1});
  core.report(report_of(items[0], Outcome::SUCCEEDED), 10);
  NodeReport second = report_of(items[1], Outcome::SUCCEEDED);
  second.laid_out = {2};
  core.report(std::move(second), 10);
  core.started(core.item_of(2), 11);
  EXPECT_TRUE(core.take_batch().started.empty());
  EXPECT_EQ(core.take_batch().started, std::vector<NodeId>{2});
}

TEST(DurationEstimates, FollowTheDurationsOfAKeyAndFallBackToTheMeanOfAll) {
  DurationEstimates estimates;
  EXPECT_DOUBLE_EQ(estimates.estimate_us("a"), 1.0);
  estimates.observe("a", 100);
  estimates.observe("b", 300);
  EXPECT_DOUBLE_EQ(estimates.estimate_us("c"), 200);
  estimates.observe("a", 200);
  EXPECT_DOUBLE_EQ(estimates.estimate_us("a"), 130);
}

TEST(RunCore, MarksWhatIsExpectedToTakeLongestAsCriticalBeforeItHasStarted) {
  const Plan plan = plan_of({{}, {0}, {0}, {1, 2}});
  const auto critical = [&](std::vector<double> expected_us) {
    std::string names;
    const RunCore core(plan, {}, std::move(expected_us));
    const auto states = core.melody_nodes(10);
    for (NodeIndex i = 0; i < states.size(); ++i)
      if (states[i].critical) names += plan.nodes[i].name;
    return names;
  };
  EXPECT_EQ(critical({}), "abd");
  EXPECT_EQ(critical({1, 20, 500, 1}), "acd");
}

TEST(RunCore, BatchesKeepTheirOrderAndTheirLimits) {
  const Plan plan = plan_of({{}, {}, {}, {}, {}});
  RunCoreLimits limits;
  limits.batch_nodes_max = 2;
  RunCore core(plan, limits);
  for (const WorkItem& item : core.make_ready(std::vector<NodeId>{4, 2, 0, 1, 3}))
    core.report(report_of(item, Outcome::SUCCEEDED), 1);
  std::vector<NodeId> told;
  std::vector<std::uint64_t> events_ends;
  for (int batches = 0; core.has_batch(); ++batches) {
    ASSERT_LT(batches, 3);
    const auto batch = core.take_batch();
    EXPECT_LE(batch.reports.size(), 2u);
    for (const auto& report : batch.reports) told.push_back(report.item.node);
    events_ends.push_back(batch.events_end);
  }
  // Each node's start and end are told with its batch.
  EXPECT_EQ(events_ends, (std::vector<std::uint64_t>{5, 9, 11}));
  EXPECT_EQ(told, (std::vector<NodeId>{4, 2, 0, 1, 3}));
}

TEST(RunCore, WhoFollowsTooSlowlyIsToldHowMuchWasMissed) {
  EventRing ring(3);
  for (int i = 0; i < 10; ++i) ring.push({});
  EXPECT_EQ(ring.position_of(0), 8u);
  EXPECT_EQ(ring.missed_by(0), 7u);
  EXPECT_EQ(ring.missed_by(9), 0u);
  EXPECT_EQ(ring.at(ring.position_of(9)).sequence, 9u);
  EXPECT_EQ(ring.position_of(99), 11u);
}

TEST(RunCore, CancellingLeavesWhatRunsToItsEnd) {
  const Plan plan = plan_of({{}, {}, {0}});
  RunCore core(plan);
  const auto items = core.make_ready(std::vector<NodeId>{0, 1});
  core.started(items[0], 1);
  core.cancel(2);
  EXPECT_EQ(core.status_of(0), NodeStatus::RUNNING);
  EXPECT_EQ(core.status_of(1), NodeStatus::CANCELLED);
  EXPECT_EQ(core.status_of(2), NodeStatus::CANCELLED);
  EXPECT_TRUE(core.make_ready(std::vector<NodeId>{1}).empty());
}

TEST(LaneBook, AsksForNoMoreLanesThanThereIsWork) {
  LaneBook book({.lanes_max = 4});
  const LaneClass lanes = book.class_of({1, 0});
  const runtime::MonoTime now{1h};
  book.settle(lanes, {.ready = 2}, now);
  EXPECT_EQ(book.take_exchange().demands.size(), 2u);
  book.settle(lanes, {.ready = 2}, now);
  EXPECT_TRUE(book.take_exchange().empty());
  book.settle(lanes, {.ready = 100}, now);
  EXPECT_EQ(book.take_exchange().demands.size(), 2u);
}

TEST(LaneBook, ALaneGoesBackWhenItsSliceIsOverOrNothingIsLeft) {
  LaneBook book;
  const LaneClass lanes = book.class_of({1, 0});
  runtime::MonoTime now{1h};
  book.settle(lanes, {.ready = 1}, now);
  const LaneKey key = book.take_exchange().demands.front().key;
  book.granted(key, now);
  ASSERT_TRUE(book.start(lanes, now).has_value());
  book.returned(key);
  book.settle(lanes, {.ready = 0, .more_soon = true}, now);
  EXPECT_TRUE(book.take_exchange().empty());  // worth keeping for a moment
  now += 1s;
  book.settle(lanes, {.ready = 5}, now);
  const auto exchange = book.take_exchange();
  EXPECT_EQ(exchange.release, std::vector<LaneKey>{key});
  EXPECT_EQ(exchange.demands.size(), 5u);
}

TEST(LaneBook, TheShareOfALostLaneGoesBackAndTheLaneMayReturnLater) {
  LaneBook book;
  const LaneClass lanes = book.class_of({1, 0});
  const runtime::MonoTime now{1h};
  book.settle(lanes, {.ready = 1}, now);
  const LaneKey key = book.take_exchange().demands.front().key;
  book.granted(key, now);
  ASSERT_TRUE(book.start(lanes, now).has_value());
  book.lost(key);
  EXPECT_EQ(book.take_exchange().release, std::vector<LaneKey>{key});
  book.returned(key);
  EXPECT_TRUE(book.take_exchange().empty());
  EXPECT_EQ(book.working(), 0u);
}

TEST(ResultStore, ForgetsWhatWasNotUsedForLongest) {
  ResultStore store(800);
  const auto value = [](char c) { return std::make_shared<const Json>(std::string(300, c)); };
  store.put(1, value('a'));
  store.put(2, value('b'));
  ASSERT_NE(store.find(1), nullptr);
  store.put(3, value('c'));
  EXPECT_NE(store.find(1), nullptr);
  EXPECT_EQ(store.find(2), nullptr);
  EXPECT_LE(store.bytes(), 800u);
}

TEST(ResultStore, ParsesTextWhenItIsAskedFor) {
  ResultStore store(1'000);
  store.put_text(7, R"({"x": 1})");
  ASSERT_NE(store.find(7), nullptr);
  EXPECT_EQ(*store.find(7), (Json{{"x", 1}}));
}

}  // namespace
}  // namespace symphony::actors
