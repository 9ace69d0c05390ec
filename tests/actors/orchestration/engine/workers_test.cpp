// What becomes of workers that die, and of what a run holds when it ends.
#include <gtest/gtest.h>

#include <stdexcept>

#include "actors/orchestration/engine/run_queue.hpp"
#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::Outcome;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

std::shared_ptr<RunFacts> facts_of(const std::vector<std::vector<NodeIndex>>& needs,
                                   const Operator& op) {
  auto facts = std::make_shared<RunFacts>();
  for (NodeIndex i = 0; i < needs.size(); ++i) {
    PlanNode node;
    node.name = std::string(1, static_cast<char>('a' + i));
    node.needs = needs[i];
    facts->plan.nodes.push_back(std::move(node));
    facts->plan.order.push_back(i);
    facts->operators.push_back(&op);
  }
  facts->plan.graph = graph_of(needs);
  facts->expected_us.assign(needs.size(), 1);
  return facts;
}

std::shared_ptr<RunQueue> make_queue(runtime::TestNode& node, std::shared_ptr<RunFacts> facts,
                                     std::function<void()> wake,
                                     std::size_t unreported_bytes_max = 1 << 20) {
  auto state = RunState::create(run_plan(facts->plan, facts->expected_us)).value();
  EXPECT_TRUE(state.start(0).ok());
  const std::vector<RunQueue::Classes> classes(facts->plan.nodes.size());
  return std::make_shared<RunQueue>(
      facts, std::make_shared<ResultStore>(1'000), std::move(state), classes,
      RunQueue::Surroundings{node.clocks(), node.asker(), std::move(wake), 0,
                             unreported_bytes_max});
}

test::ScriptedOperator nothing() {
  return {{"test.nothing", "Does nothing.", {}, {}},
          [](const Json&, OperatorContext&) -> Result<Json> { return Json::object(); }};
}

std::vector<NodeId> nodes_of(const std::vector<NodeReport>& reports) {
  std::vector<NodeId> nodes;
  for (const NodeReport& report : reports) nodes.push_back(report.item.node);
  return nodes;
}

TEST(RunQueue, AWorkerGoesOnWithWhateverMayStart) {
  runtime::TestNode node;
  const auto op = nothing();
  const auto queue = make_queue(node, facts_of({{}, {0}, {0}, {1, 2}}, op), [] {});
  EXPECT_EQ(queue->load(0).ready, 1u);
  queue->work(1, 0, node.clocks().mono() + 1s);
  EXPECT_EQ(nodes_of(queue->drain().reports), (std::vector<NodeId>{0, 1, 2, 3}));
  EXPECT_EQ(queue->progress().done, 4u);
}

TEST(RunQueue, NothingIsTakenWhileTooMuchIsReportedAndNotTaken) {
  runtime::TestNode node;
  const auto op = nothing();
  const std::size_t one = NodeReport{}.size_bytes() + 2;  // "{}"
  const auto queue = make_queue(
      node, facts_of({{}, {}, {}, {}, {}}, op), [] {}, 3 * one - 1);
  queue->work(1, 0, node.clocks().mono() + 1s);
  EXPECT_EQ(queue->drain().reports.size(), 3u);
  EXPECT_EQ(queue->load(0).ready, 0u);
  queue->work(2, 0, node.clocks().mono() + 1s);
  EXPECT_TRUE(queue->drain().reports.empty());
  queue->taken(one);
  EXPECT_EQ(queue->load(0).ready, 0u) << "not before half of it is gone";
  queue->taken(one);
  EXPECT_EQ(queue->load(0).ready, 2u);
  queue->work(3, 0, node.clocks().mono() + 1s);
  EXPECT_EQ(queue->drain().reports.size(), 2u);
}

TEST(RunQueue, WhatIsCancelledIsKnownAtOneMomentWithWhatRanAndWhatWasReported) {
  runtime::TestNode node;
  std::shared_ptr<RunQueue> queue;
  RunQueue::Cancelled cancelled;
  int executed = 0;
  const test::ScriptedOperator op({"test.script", "Cancels.", {}, {}},
                                  [&](const Json&, OperatorContext&) -> Result<Json> {
                                    if (++executed == 2) cancelled = queue->cancel();
                                    return Json::object();
                                  });
  queue = make_queue(node, facts_of({{}, {}, {}}, op), [] {});
  queue->work(1, 0, node.clocks().mono() + 1s);
  EXPECT_EQ(nodes_of(cancelled.before.reports), (std::vector<NodeId>{0}));
  ASSERT_EQ(cancelled.running.size(), 1u);
  EXPECT_EQ(cancelled.running[0].item.node, 1u);
  EXPECT_EQ(cancelled.ended, (std::vector<EndedNode>{{2, NodeStatus::cancelled}}));
  EXPECT_EQ(nodes_of(queue->drain().reports), (std::vector<NodeId>{1}));
  EXPECT_EQ(executed, 2);
}

TEST(RunQueue, NothingIsHeardOfAnAttemptThatWasAbandoned) {
  runtime::TestNode node;
  std::shared_ptr<RunQueue> queue;
  const test::ScriptedOperator op({"test.script", "Is abandoned.", {}, {}},
                                  [&](const Json&, OperatorContext&) -> Result<Json> {
                                    NodeReport report;
                                    report.outcome = Outcome::FAILED;
                                    report.error = Error{Errc::DEADLINE_EXCEEDED, "too late"};
                                    EXPECT_TRUE(queue->abandon(7, report));
                                    EXPECT_FALSE(queue->abandon(7, report)) << "once";
                                    return Json::object();
                                  });
  queue = make_queue(node, facts_of({{}, {0}}, op), [] {});
  queue->work(7, 0, node.clocks().mono() + 1s);
  const auto drained = queue->drain();
  ASSERT_EQ(drained.reports.size(), 1u);
  EXPECT_EQ(drained.reports[0].outcome, Outcome::FAILED);
  EXPECT_EQ(drained.reports[0].others, (std::vector<EndedNode>{{1, NodeStatus::skipped}}));
  EXPECT_TRUE(drained.slots.at(0).lost);
}

TEST(RunQueue, WhatADeadWorkerWasExecutingHasFailedAndMayBeTriedAgain) {
  runtime::TestNode node;
  const auto op = nothing();
  auto facts = facts_of({{}, {0}}, op);
  int wakes = 0;
  // The worker has gone on with b when this hits it.
  const auto wake = [&] {
    if (++wakes == 1) throw std::runtime_error("killed by the test");
  };
  const auto queue = make_queue(node, facts, wake);
  EXPECT_THROW(queue->work(7, 0, node.clocks().mono() + 1s), std::runtime_error);
  EXPECT_EQ(queue->running().size(), 1u);
  queue->turn_back(7);
  EXPECT_TRUE(queue->running().empty());
  const auto drained = queue->drain();
  ASSERT_EQ(drained.reports.size(), 2u);
  EXPECT_EQ(drained.reports[0].outcome, Outcome::SUCCEEDED);
  EXPECT_EQ(drained.reports[1].item.node, 1u);
  EXPECT_EQ(drained.reports[1].outcome, Outcome::FAILED);
  EXPECT_TRUE(drained.reports[1].error->retryable);
  ASSERT_EQ(drained.slots.size(), 1u);
  EXPECT_EQ(drained.slots[0].key, 7u);
  EXPECT_FALSE(drained.slots[0].lost);
}

// Runs whose demands are held in the end, or still queued.
std::size_t runs_in_arbitration(EngineNode& node) {
  node.node().settle();
  const auto status = WaitingRef<protocol::Arbitration>{node.node().asker()}.status().get();
  EXPECT_TRUE(status.ok());
  if (!status) return 0;
  EXPECT_EQ((*status)->getUsedMillicores(), 0u);
  return (*status)->getRuns().size();
}

TEST(Workers, NothingIsHeldOrAskedForOnceARunHasEnded) {
  World world;
  int executed = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    if (++executed == 3) return Error{Errc::INVALID_ARGUMENT, "no"};
    return Json{{"value", 1}};
  };
  // One core: of the slots that ten nodes ask for, most are never granted.
  EngineNode node(world, {}, 1);
  const std::string text = melody(R"(
[nodes.each]
use = "test.script"
map = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
)");
  EXPECT_EQ(node.run(text).status, RunStatus::FAILED);
  EXPECT_EQ(runs_in_arbitration(node), 0u);
  EXPECT_EQ(node.run(text).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(runs_in_arbitration(node), 0u);
  const auto id = node.start(text);
  EXPECT_TRUE(node.engine().cancel_run([&](auto request) { request.setRun(id); }).get().ok());
  EXPECT_EQ(node.finish(id).status, RunStatus::CANCELLED);
  EXPECT_EQ(runs_in_arbitration(node), 0u);
}

}  // namespace
}  // namespace symphony::actors
