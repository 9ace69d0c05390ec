#include "actors/orchestration/engine/run_core.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

using messages::Outcome;
using messages::RunEventKind;
using Nodes = std::vector<NodeId>;

Plan plan_of(const std::vector<std::vector<NodeIndex>>& needs) {
  Plan plan;
  for (NodeIndex i = 0; i < needs.size(); ++i) {
    PlanNode node;
    node.name = std::string(1, static_cast<char>('a' + i));
    node.needs = needs[i];
    plan.nodes.push_back(std::move(node));
    plan.order.push_back(i);
  }
  plan.graph = graph_of(needs);
  return plan;
}

NodeReport report_of(const WorkItem& item, Outcome outcome = Outcome::SUCCEEDED) {
  NodeReport report;
  report.item = item;
  report.outcome = outcome;
  report.started_ns = 1'000;
  if (outcome == Outcome::FAILED) report.error = Error{Errc::INTERNAL, "no"};
  return report;
}

Nodes told(const RunCore::Batch& batch) {
  Nodes nodes;
  for (const NodeReport& report : batch.reports) nodes.push_back(report.item.node);
  return nodes;
}

std::string events(const RunCore& core) {
  static constexpr const char* kNames[] = {"started", "start",    "done",      "failed", "retry",
                                           "skipped", "expanded", "cancelled", "ended"};
  std::string text;
  for (std::uint64_t at = core.events().first(); at < core.events().next(); ++at) {
    const RunEvent& event = core.events().at(at);
    text += kNames[static_cast<int>(event.kind)];
    if (event.kind != RunEventKind::STARTED && event.kind != RunEventKind::ENDED)
      text += " " + core.name_of(event.item);
    text += ", ";
  }
  return text;
}

TEST(RunCore, ShowsWhatAReportEndedBesideItsOwnNode) {
  const Plan plan = plan_of({{}, {0}, {1}});
  RunCore core(plan);
  NodeReport failed = report_of(core.item_of(0), Outcome::FAILED);
  failed.others = {{1, NodeStatus::skipped}, {2, NodeStatus::skipped}};
  core.report(std::move(failed), 10);
  EXPECT_EQ(events(core), "start a, failed a, skipped b, skipped c, ");
  EXPECT_EQ(core.failures().size(), 1u);
}

TEST(RunCore, CountsTheChildrenOfAMappedNodeAndShowsItsEnd) {
  const Plan plan = plan_of({{}, {0}});
  RunCore core(plan);
  NodeReport expanded = report_of(core.item_of(0), Outcome::EXPANDED);
  expanded.children = 2;
  expanded.first_child = 2;
  core.report(std::move(expanded), 5);
  EXPECT_EQ(core.name_of(core.item_of(3)), "a[1]");
  core.report(report_of(core.item_of(3)), 6);
  EXPECT_EQ(core.melody_nodes({}, 7)[0].done, 1u);
  NodeReport last = report_of(core.item_of(2), Outcome::FAILED);
  last.others = {{0, NodeStatus::failed}, {1, NodeStatus::skipped}};
  core.report(std::move(last), 8);
  EXPECT_EQ(events(core),
            "start a, expanded a, start a[1], done a[1], start a[0], failed a[0], failed a, "
            "skipped b, ");
  EXPECT_EQ(core.melody_nodes({}, 9)[0].failed, 1u);
  EXPECT_EQ(core.melody_nodes({}, 9)[0].total, 2u);
}

TEST(RunCore, ABatchTellsWhatHasBeenRunningUnlessItEndsInTheSameBatch) {
  const Plan plan = plan_of({{}, {}, {}});
  RunCore core(plan);
  for (const NodeId node : {0u, 1u}) core.started(core.item_of(node), 5);
  core.started(core.item_of(0), 6);
  core.report(report_of(core.item_of(0)), 10);
  const auto first = core.take_batch();
  EXPECT_EQ(told(first), Nodes{0});
  EXPECT_EQ(first.started, Nodes{1});
  core.started(core.item_of(1), 11);
  EXPECT_FALSE(core.has_batch()) << "it was told";
  core.report(report_of(core.item_of(1)), 12);
  core.started(core.item_of(1), 13);
  const auto second = core.take_batch();
  EXPECT_EQ(told(second), Nodes{1});
  EXPECT_EQ(second.started, Nodes{1}) << "its next attempt";
}

TEST(RunCore, TellsOfNoStartBeforeAllReports) {
  const Plan plan = plan_of({{}, {}, {1}});
  RunCoreLimits limits;
  limits.batch_nodes_max = 1;
  RunCore core(plan, limits);
  core.report(report_of(core.item_of(0)), 10);
  core.report(report_of(core.item_of(1)), 10);
  core.started(core.item_of(2), 11);
  EXPECT_TRUE(core.take_batch().started.empty());
  EXPECT_EQ(core.take_batch().started, Nodes{2});
}

TEST(RunCore, AnExpansionAndTheEndOfAMappedNodeEndTheirBatch) {
  const Plan plan = plan_of({{}, {0}});
  RunCore core(plan);
  NodeReport expanded = report_of(core.item_of(0), Outcome::EXPANDED);
  expanded.children = 2;
  expanded.first_child = 2;
  core.report(std::move(expanded), 5);
  core.report(report_of(core.item_of(2)), 6);
  NodeReport last = report_of(core.item_of(3));
  last.others = {{0, NodeStatus::done}};
  core.report(std::move(last), 7);
  core.report(report_of(core.item_of(1)), 8);
  EXPECT_EQ(told(core.take_batch()), Nodes{0});
  EXPECT_EQ(told(core.take_batch()), (Nodes{2, 3}));
  EXPECT_EQ(told(core.take_batch()), Nodes{1});
}

TEST(RunCore, WhatIsReportedAfterACancellationIsToldAfterIt) {
  const Plan plan = plan_of({{}, {}, {}});
  RunCore core(plan);
  core.report(report_of(core.item_of(0)), 10);
  core.started(core.item_of(1), 10);
  const std::vector<EndedNode> ended{{2, NodeStatus::cancelled}};
  core.cancel(ended, 11);
  core.report(report_of(core.item_of(1)), 12);
  const auto before = core.take_batch();
  EXPECT_EQ(told(before), Nodes{0});
  EXPECT_EQ(before.started, Nodes{1}) << "it ran when the run was cancelled";
  EXPECT_FALSE(core.has_batch());
  EXPECT_TRUE(core.has_untold());
  core.cancel_told();
  EXPECT_EQ(told(core.take_batch()), Nodes{1});
  EXPECT_FALSE(core.has_untold());
}

TEST(RunCore, BatchesKeepTheirOrderAndTheirLimits) {
  const Plan plan = plan_of({{}, {}, {}, {}, {}});
  RunCoreLimits limits;
  limits.batch_nodes_max = 2;
  RunCore core(plan, limits);
  for (const NodeId node : {4u, 2u, 0u, 1u, 3u}) core.report(report_of(core.item_of(node)), 1);
  Nodes all;
  std::vector<std::uint64_t> events_ends;
  for (int batches = 0; core.has_batch(); ++batches) {
    ASSERT_LT(batches, 3);
    const auto batch = core.take_batch();
    EXPECT_LE(batch.reports.size(), 2u);
    for (const NodeId node : told(batch)) all.push_back(node);
    events_ends.push_back(batch.events_end);
  }
  // Each node's start and end are told with its batch.
  EXPECT_EQ(events_ends, (std::vector<std::uint64_t>{5, 9, 11}));
  EXPECT_EQ(all, (Nodes{4, 2, 0, 1, 3}));
}

TEST(RunCore, MarksWhatIsExpectedToTakeLongestAsCriticalBeforeItHasStarted) {
  const Plan plan = plan_of({{}, {0}, {0}, {1, 2}});
  const auto critical = [&](std::vector<double> expected_us) {
    std::string names;
    const RunCore core(plan, {}, std::move(expected_us));
    const auto states = core.melody_nodes({}, 10);
    for (NodeIndex i = 0; i < states.size(); ++i)
      if (states[i].critical) names += plan.nodes[i].name;
    return names;
  };
  EXPECT_EQ(critical({}), "abd");
  EXPECT_EQ(critical({1, 20, 500, 1}), "acd");
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

}  // namespace
}  // namespace symphony::actors
