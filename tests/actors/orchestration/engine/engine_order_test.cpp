// In what order nodes run, and on which lane.
#include <gtest/gtest.h>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

TEST(EngineOrder, ALaneGoesOnAlongAChainWhatBecomesOfItsNodes) {
  World world;
  // Nothing is kept in memory: what a node needs comes from its lane, or the journal.
  EngineOptions options;
  options.result_bytes_max = 1;
  int tries = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    if (++tries == 1) return Error{Errc::UNAVAILABLE, "not yet"};
    return Json{{"value", "tried " + std::to_string(tries)}};
  };
  EngineNode node(world, options);
  const auto id = node.start(melody(R"(
[nodes.a]
use = "test.echo"
with = { value = "a" }
[nodes.never]
use = "test.echo"
with = { value = "never" }
needs = ["a"]
when = "${nodes.a.value} == \"b\""
[nodes.retried]
use = "test.script"
needs = ["never"]
retry = { attempts = 2, backoff_ms = 50 }
[nodes.large]
use = "test.large"
with = { bytes = 70000 }
needs = ["retried"]
[nodes.after]
use = "test.echo"
with = { value = "${nodes.large.text}" }
[nodes.each]
use = "test.echo"
map = ["x", "y"]
with = { value = "${item}" }
needs = ["after"]
[outputs]
each = "${nodes.each.value}"
large = "${nodes.after.value}"
retried = "${nodes.retried.value}"
)"));
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED)
      << (ended.failures.empty() ? "" : ended.failures[0]);
  EXPECT_EQ(ended.outputs["each"], (Json{"x", "y"}));
  EXPECT_EQ(ended.outputs["large"], std::string(70'000, 'x'));
  EXPECT_EQ(ended.outputs["retried"], "tried 2");
  EXPECT_EQ(world.executed["a"], 1);
  EXPECT_EQ(world.executed["x"], 1);
  EXPECT_FALSE(world.executed.contains("never"));
}

TEST(EngineOrder, StartsWhatTookLongestLastTimeFirst) {
  World world;
  std::vector<std::string> order;
  EngineNode* running = nullptr;
  world.script = [&](const Json& arguments, OperatorContext&) -> Result<Json> {
    const auto name = arguments["value"].get<std::string>();
    order.push_back(name);
    running->node().clocks().advance(name == "slow" ? 50ms : 1ms);
    return Json{{"value", name}};
  };
  EngineNode node(world, {}, 1);
  running = &node;
  const std::string text = melody(R"(
[nodes.quick]
use = "test.script"
with = { value = "quick" }
[nodes.slow]
use = "test.script"
with = { value = "slow" }
)");
  EXPECT_EQ(node.run(text).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(node.run(text).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(order, (std::vector<std::string>{"quick", "slow", "slow", "quick"}));
}

}  // namespace
}  // namespace symphony::actors
