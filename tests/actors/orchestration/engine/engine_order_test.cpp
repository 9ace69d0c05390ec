// In what order nodes run, and by which worker.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

TEST(EngineOrder, AWorkerGoesOnAlongAChainWhatBecomesOfItsNodes) {
  World world;
  // Nothing is kept in memory: what a node needs comes from its worker, or the journal.
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

// A graph in which each node names all it needs, and whose last node needs all that nobody else
// does.
struct RandomGraph {
  explicit RandomGraph(std::uint64_t seed) : random(seed) {
    std::vector<bool> needed(kNodes, false);
    for (std::size_t i = 0; i < kNodes; ++i) {
      std::set<std::size_t> some;
      for (std::uint64_t k = i == 0 ? 0 : random() % 4; k > 0; --k) some.insert(random() % i);
      for (const std::size_t need : some) needed[need] = true;
      add(i, {some.begin(), some.end()});
    }
    std::vector<std::size_t> loose;
    for (std::size_t i = 0; i < kNodes; ++i)
      if (!needed[i]) loose.push_back(i);
    add(kNodes, loose);
    text += "[outputs]\nlast = \"${nodes.n" + std::to_string(kNodes) + ".value}\"\n";
  }

  void add(std::size_t node, const std::vector<std::size_t>& needs) {
    const std::string name = "n" + std::to_string(node);
    std::string template_text = name + "(";
    std::string& value = values.emplace_back(template_text);
    for (const std::size_t need : needs) {
      template_text += "${nodes.n" + std::to_string(need) + ".value}";
      value += values[need];
    }
    text +=
        "[nodes." + name + "]\nuse = \"test.script\"\nwith = { value = \"" + template_text +
        ")\" }\nretry = { attempts = 3 }\ncores = " + std::to_string(random() % 5 == 0 ? 2 : 1) +
        "\n";
    value += ")";
  }

  static constexpr std::size_t kNodes = 40;
  std::mt19937_64 random;
  std::string text;
  std::vector<std::string> values;
};

TEST(EngineOrder, EveryNodeOfAnyGraphRunsOnceAfterAllItNeedsWhateverFails) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    RandomGraph graph(seed);
    World world;
    EngineOptions options;
    if (seed % 2 == 0) options.result_bytes_max = 1;
    if (seed % 3 == 0) options.unreported_bytes_max = 1;  // the tracker is always behind
    EngineNode* running = nullptr;
    std::map<std::string, int> failures;
    world.script = [&](const Json& arguments, OperatorContext&) -> Result<Json> {
      auto value = arguments["value"].get<std::string>();
      running->node().clocks().advance(std::chrono::milliseconds(graph.random() % 15));
      if (failures[value] < 2 && graph.random() % 6 == 0) {
        ++failures[value];
        return Error{Errc::UNAVAILABLE, "not yet"};
      }
      world.count(value);
      return Json{{"value", std::move(value)}};
    };
    EngineNode node(world, options, 2, seed);
    running = &node;
    const auto ended = node.run(melody(graph.text));
    EXPECT_EQ(ended.status, RunStatus::SUCCEEDED)
        << (ended.failures.empty() ? "" : ended.failures[0]);
    EXPECT_EQ(ended.outputs["last"], graph.values.back());
    EXPECT_EQ(world.executed.size(), graph.values.size());
    for (const auto& [value, times] : world.executed) EXPECT_EQ(times, 1) << value;
  }
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
