// What becomes of lanes that die, and of what a run holds when it ends.
#include <gtest/gtest.h>

#include <stdexcept>

#include "actors/orchestration/engine/run_desk.hpp"
#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::Outcome;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

TEST(RunDesk, WhatADeadLaneWasExecutingHasFailedAndMayBeTriedAgain) {
  runtime::TestNode node;
  const test::ScriptedOperator op(
      {"test.nothing", "Does nothing.", {}, {}},
      [](const Json&, OperatorContext&) -> Result<Json> { return Json::object(); });
  auto facts = std::make_shared<RunFacts>();
  facts->plan.nodes.resize(2);
  facts->plan.nodes[0].name = "a";
  facts->plan.nodes[1].name = "b";
  facts->plan.nodes[1].needs = {0};
  facts->plan.order = {0, 1};
  facts->operators = {&op, &op};
  int wakes = 0;
  // The lane has gone on with b when this hits it.
  const auto wake = [&] {
    if (++wakes == 1) throw std::runtime_error("killed by the test");
  };
  const auto desk =
      std::make_shared<RunDesk>(facts, std::make_shared<ResultStore>(1'000), Frontier(facts->plan),
                                RunDesk::Surroundings{node.clocks(), node.asker(), wake});
  desk->lay_out(0, {0, 0, std::nullopt});
  EXPECT_THROW(desk->work(7, 0, node.clocks().mono() + 1s), std::runtime_error);
  EXPECT_EQ(desk->running().size(), 1u);
  desk->turn_back(7);
  EXPECT_TRUE(desk->running().empty());
  const auto drained = desk->drain();
  ASSERT_EQ(drained.reports.size(), 2u);
  EXPECT_EQ(drained.reports[0].outcome, Outcome::SUCCEEDED);
  EXPECT_EQ(drained.reports[1].item.node, 1u);
  EXPECT_EQ(drained.reports[1].outcome, Outcome::FAILED);
  EXPECT_TRUE(drained.reports[1].error->retryable);
  ASSERT_EQ(drained.lanes.size(), 1u);
  EXPECT_EQ(drained.lanes[0].key, 7u);
  EXPECT_FALSE(drained.lanes[0].lost);
}

// Runs whose demands are held in the end, or still queued.
std::size_t runs_in_arbitration(EngineNode& node) {
  node.node().settle();
  const auto status = Ref<protocol::Arbitration>{node.node().asker()}.status().get();
  EXPECT_TRUE(status.ok());
  if (!status) return 0;
  EXPECT_EQ((*status)->getUsedMillicores(), 0u);
  return (*status)->getRuns().size();
}

TEST(Lanes, NothingIsHeldOrAskedForOnceARunHasEnded) {
  World world;
  int executed = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    if (++executed == 3) return Error{Errc::INVALID_ARGUMENT, "no"};
    return Json{{"value", 1}};
  };
  // One core: of the lanes that ten nodes ask for, most are never granted.
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
