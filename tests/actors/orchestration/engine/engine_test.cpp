#include "actors/orchestration/engine/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::NodeStatus;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;
using Lines = std::vector<std::string>;

const std::string kChain = melody(R"(
[nodes.a]
use = "test.echo"
with = { value = 1 }
[nodes.b]
use = "test.echo"
with = { value = "b${nodes.a.value}" }
[nodes.c]
use = "test.echo"
with = { value = "c${nodes.b.value}" }
[outputs]
out = "${nodes.c.value}"
)");

TEST(Engine, RunsAChainInOrderAndGivesItsOutputs) {
  World world;
  EngineNode node(world);
  const auto id = node.start(kChain);
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  EXPECT_EQ(ended.outputs, (Json{{"out", "cb1"}}));
  EXPECT_EQ(ended.executed, 3u);
  EXPECT_EQ(ended.critical_path.size(), 3u);
  EXPECT_EQ(node.events(id), (Lines{"started", "start a", "done a", "start b", "done b", "start c",
                                    "done c", "ended"}));
}

TEST(Engine, JoinsADiamond) {
  World world;
  EngineNode node(world);
  const auto ended = node.run(melody(R"(
[nodes.top]
use = "test.echo"
with = { value = 7 }
[nodes.left]
use = "test.echo"
with = { value = "l${nodes.top.value}" }
[nodes.right]
use = "test.echo"
with = { value = "r${nodes.top.value}" }
[nodes.join]
use = "test.echo"
with = { value = ["${nodes.left.value}", "${nodes.right.value}"] }
[outputs]
both = "${nodes.join.value}"
)"));
  EXPECT_EQ(ended.outputs, (Json{{"both", {"l7", "r7"}}}));
}

const std::string kMap = melody(R"(
[inputs.count]
type = "integer"
[nodes.list]
use = "test.list"
with = { count = "${inputs.count}" }
[nodes.each]
use = "test.echo"
map = "${nodes.list.items}"
with = { value = "${index}:${item}" }
[nodes.all]
use = "test.echo"
with = { value = "${nodes.each.value}" }
[outputs]
all = "${nodes.all.value}"
)");

TEST(Engine, MapsOverAThousandItemsAndKeepsTheirOrder) {
  World world;
  EngineNode node(world);
  const auto id = node.start(kMap, {{"count", "1000"}});
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  ASSERT_EQ(ended.outputs["all"].size(), 1000u);
  EXPECT_EQ(ended.outputs["all"][999], "999:999");
  EXPECT_EQ(ended.executed, 1002u);
  const auto progress = node.progress(id);
  const auto each = (*progress)->getNodes()[1];
  EXPECT_EQ(each.getTotal(), 1000u);
  EXPECT_EQ(each.getDone(), 1000u);
  EXPECT_EQ(each.getStatus(), NodeStatus::DONE);
  EXPECT_EQ((*progress)->getProgress().getDone(), 1003u);
}

TEST(Engine, MapsOverNothingAtOnce) {
  World world;
  EngineNode node(world);
  const auto ended = node.run(kMap, {{"count", "0"}});
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  EXPECT_EQ(ended.outputs["all"], Json::array());
}

TEST(Engine, SkipsWhatItsConditionForbidsAndGoesOnWithNull) {
  World world;
  EngineNode node(world);
  const auto id = node.start(melody(R"(
[nodes.a]
use = "test.echo"
with = { value = 1 }
[nodes.never]
use = "test.echo"
with = { value = "never" }
when = "${nodes.a.value} > 1"
[nodes.needs_it]
use = "test.echo"
with = { value = "${nodes.never.value}" }
[nodes.mentions_it]
use = "test.echo"
with = { value = "got ${nodes.never.value}" }
[outputs]
out = "${nodes.mentions_it.value}"
)"));
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  EXPECT_EQ(ended.outputs["out"], "got ");
  EXPECT_FALSE(world.executed.contains("never"));
  const auto journal = node.journal(id);
  EXPECT_EQ(journal.at("never"), NodeStatus::SKIPPED);
  EXPECT_EQ(journal.at("needs_it"), NodeStatus::SKIPPED);
}

TEST(Engine, TriesAgainAfterTheBackoff) {
  World world;
  EngineNode node(world);
  std::vector<std::int64_t> tries_ms;
  const auto begin = node.node().clocks().mono();
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    tries_ms.push_back((node.node().clocks().mono() - begin) / 1ms);
    if (tries_ms.size() < 3) return Error{Errc::UNAVAILABLE, "not yet"};
    return Json{{"value", "at last"}};
  };
  const auto id = node.start(melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 3, backoff_ms = 1000 }
[outputs]
out = "${nodes.a.value}"
)"));
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.outputs["out"], "at last");
  ASSERT_EQ(tries_ms.size(), 3u);
  EXPECT_GE(tries_ms[1], 1000);
  EXPECT_GE(tries_ms[2], 3000);
  EXPECT_LT(tries_ms[2], 3500);
  EXPECT_EQ(node.events(id), (Lines{"started", "start a", "retry a", "start a", "retry a",
                                    "start a", "done a", "ended"}));
}

TEST(Engine, TellsTheTrackerAgainWhatItWasTooBusyFor) {
  World world;
  world.busy = 3;
  EngineNode node(world);
  const auto ended = node.run(melody(R"(
[nodes.a]
use = "test.echo"
with = { value = "first" }
[nodes.b]
use = "test.echo"
with = { value = "${nodes.a.value} and second" }
[outputs]
out = "${nodes.b.value}"
)"));
  EXPECT_EQ(ended.status, messages::RunStatus::SUCCEEDED);
  EXPECT_EQ(ended.outputs["out"], "first and second");
  EXPECT_EQ(world.busy, 0);
  EXPECT_EQ(world.executed, (std::map<std::string, int>{{"first", 1}, {"first and second", 1}}));
}

TEST(Engine, DoesNotTryAgainWithArgumentsThatWereRefused) {
  World world;
  EngineNode node(world);
  int tries = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    ++tries;
    return Error{Errc::INVALID_ARGUMENT, "never that", "value", true};
  };
  const auto ended = node.run(melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 5 }
)"));
  EXPECT_EQ(ended.status, messages::RunStatus::FAILED);
  EXPECT_EQ(tries, 1);
}

TEST(Engine, OtherBranchesGoOnWhenOneFails) {
  World world;
  EngineNode node(world);
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::NOT_FOUND, "no such thing"};
  };
  const auto id = node.start(melody(R"(
[nodes.bad]
use = "test.script"
[nodes.after_bad]
use = "test.echo"
with = { value = "${nodes.bad.value}" }
[nodes.good]
use = "test.echo"
with = { value = "good" }
[nodes.after_good]
use = "test.echo"
with = { value = "after ${nodes.good.value}" }
[outputs]
out = "${nodes.after_good.value}"
)"));
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_EQ(ended.failures[0], "bad: notFound: no such thing (field nodes.bad)");
  EXPECT_EQ(world.executed["after good"], 1);
  EXPECT_EQ(node.journal(id).at("after_bad"), NodeStatus::SKIPPED);
}

TEST(Engine, AnOperatorThatThrowsFailsItsNodeOnly) {
  World world;
  EngineNode node(world);
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    throw std::runtime_error("boom");
  };
  const auto ended = node.run(melody("[nodes.a]\nuse = \"test.script\"\n"));
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_NE(ended.failures[0].find("test.script threw: boom"), std::string::npos);
  EXPECT_EQ(node.run(kChain).status, RunStatus::SUCCEEDED);
}

TEST(Engine, ANodeIsToldToStopAtItsTimeout) {
  World world;
  EngineNode node(world);
  const auto ended = node.run(melody(R"(
[nodes.slow]
use = "test.sleep"
with = { ms = 60000 }
timeout_ms = 500
)"));
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_NE(ended.failures[0].find("did not end within its timeout of 500 ms"), std::string::npos);
}

TEST(Engine, ArgumentsAreCheckedWithTheirActualValues) {
  World world;
  EngineNode node(world);
  const auto ended = node.run(melody(R"(
[nodes.a]
use = "test.echo"
with = { value = "many" }
[nodes.b]
use = "test.list"
with = { count = "${nodes.a.value}" }
)"));
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_NE(ended.failures[0].find("argument count of node b"), std::string::npos);
}

TEST(Engine, SaysEverythingThatIsWrongWithAMelodyAndItsInputs) {
  World world;
  EngineNode node(world);
  const auto bad = node.ask_run(
                           "name = \"x\"\nversion = \"1\"\n[nodes.a]\nuse = \"no.such\"\n"
                           "[nodes.b]\nuse = \"test.echo\"\n")
                       .get();
  ASSERT_TRUE(bad.ok());
  EXPECT_EQ((*bad)->getProblems().size(), 2u);
  EXPECT_EQ((*bad)->getProblems()[0].getLine(), 4u);
  EXPECT_EQ((*bad)->getRun().size(), 0u);
  const auto input = node.ask_run(kMap, {{"cuont", "3"}}).get();
  EXPECT_EQ((*input)->getProblems().size(), 2u);
}

TEST(Engine, PathInputsStartAtTheDirectoryOfTheRun) {
  World world;
  EngineNode node(world);
  const std::string text = melody(R"(
[inputs.path]
type = "path"
[nodes.a]
use = "test.echo"
with = { value = "${inputs.path}" }
[outputs]
out = "${nodes.a.value}"
)");
  EXPECT_EQ(node.run(text, {{"path", "."}}).outputs["out"], "/home/me");
  EXPECT_EQ(node.run(text, {{"path", "../you/x"}}).outputs["out"], "/home/you/x");
  EXPECT_EQ(node.run(text, {{"path", "/etc"}}).outputs["out"], "/etc");
}

TEST(Engine, LargeResultsGoThroughTheArtifactStore) {
  World world;
  EngineOptions options;
  options.result_bytes_max = 1000;  // nothing stays in memory
  EngineNode node(world, options);
  world.script = [](const Json& arguments, OperatorContext&) -> Result<Json> {
    return Json{{"value", arguments["value"].get<std::string>().size()}};
  };
  for (const std::size_t bytes : {std::size_t{100'000}, std::size_t{3'000'000}}) {
    const auto ended = node.run(melody("[nodes.big]\nuse = \"test.large\"\nwith = { bytes = " +
                                       std::to_string(bytes) + " }\n" + R"(
[nodes.size]
use = "test.script"
with = { value = "${nodes.big.text}" }
[outputs]
size = "${nodes.size.value}"
)"));
    EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
    EXPECT_EQ(ended.outputs["size"], bytes);
    EXPECT_EQ(ended.artifacts, 1u);
  }
}

TEST(Engine, ResultsThatDoNotFitInMemoryAreReadBack) {
  World world;
  EngineOptions options;
  options.result_bytes_max = 1000;
  EngineNode node(world, options);
  const auto ended = node.run(kMap, {{"count", "200"}});
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  ASSERT_EQ(ended.outputs["all"].size(), 200u);
  EXPECT_EQ(ended.outputs["all"][150], "150:150");
}

TEST(Engine, CancellingStopsWhatRunsAndStartsNothingMore) {
  World world;
  EngineNode node(world);
  std::optional<RunStatus> cancelled;
  std::string id;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    node.engine().cancel_run([&](auto request) { request.setRun(id); }).then([&](auto answer) {
      ASSERT_TRUE(answer.ok()) << to_string(answer.error());
      cancelled = (*answer)->getStatus();
    });
    return Json{{"value", 1}};
  };
  id = node.start(melody(R"(
[nodes.a]
use = "test.script"
[nodes.wait]
use = "test.sleep"
with = { ms = 50 }
needs = ["a"]
[nodes.b]
use = "test.echo"
with = { value = "b${nodes.a.value}" }
needs = ["wait"]
[nodes.c]
use = "test.echo"
with = { value = "c${nodes.b.value}" }
)"));
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::CANCELLED);
  EXPECT_EQ(cancelled, RunStatus::CANCELLED);
  EXPECT_FALSE(world.executed.contains("cb1"));
  EXPECT_EQ(node.journal(id).at("c"), NodeStatus::CANCELLED);
  const auto progress = node.progress(id);
  EXPECT_EQ((*progress)->getProgress().getWaiting(), 0u);
  EXPECT_EQ((*progress)->getProgress().getReady(), 0u);
  // It can be taken up again where it was stopped.
  world.script = nullptr;
  EXPECT_EQ(node.finish(node.resume(id, true)).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(world.executed["cb1"], 1);
}

TEST(Engine, TwoRunsShareOneCoreFairly) {
  World world;
  EngineNode node(world, {}, 1);
  Lines order;
  world.script = [&](const Json& arguments, OperatorContext&) -> Result<Json> {
    order.push_back(arguments["value"]);
    node.node().clocks().advance(5ms);
    return Json::object();
  };
  const auto text = [](const std::string& name) {
    return melody("[nodes.a]\nuse = \"test.script\"\nmap = [" +
                  [] {
                    std::string items;
                    for (int i = 0; i < 40; ++i) items += "1,";
                    return items;
                  }() +
                  "]\nwith = { value = \"" + name + "\" }\n");
  };
  std::vector<std::string> ids;
  for (const char* name : {"x", "y"})
    node.ask_run(text(name)).then([&](auto started) {
      ids.push_back((*started)->getRun().cStr());
    });
  node.node().settle();
  ASSERT_EQ(ids.size(), 2u);
  for (const auto& id : ids) EXPECT_EQ(node.finish(id).status, RunStatus::SUCCEEDED);
  ASSERT_EQ(order.size(), 80u);
  const auto early = std::count(order.begin(), order.begin() + 40, "x");
  EXPECT_GE(early, 16);
  EXPECT_LE(early, 24);
}

TEST(Engine, ANodeThatIsTooLargeForTheMachineFailsWithTheReason) {
  World world;
  EngineNode node(world, {}, 2);
  const auto ended = node.run(melody(R"(
[nodes.huge]
use = "test.echo"
with = { value = 1 }
cores = 64
)"));
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_NE(ended.failures[0].find("node huge cannot run here"), std::string::npos);
}

TEST(Engine, FollowersOfEventsWaitForTheNextOne) {
  World world;
  EngineNode node(world);
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::UNAVAILABLE, "no"};
  };
  const auto id = node.start(melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 2, backoff_ms = 2000 }
)"));
  node.node().settle();
  std::uint64_t cursor = 0;
  Lines kinds;
  for (bool ended = false; !ended;) {
    const auto page = node.engine()
                          .events([&](auto request) {
                            request.setRun(id);
                            request.setCursor(cursor);
                          })
                          .within(1s)
                          .get();
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    cursor = (*page)->getNext();
    for (const auto event : (*page)->getEvents())
      kinds.push_back(std::to_string(static_cast<int>(event.getKind())));
    ended = (*page)->getEnded();
  }
  EXPECT_EQ(kinds, (Lines{"0", "1", "4", "1", "3", "8"}));
}

}  // namespace
}  // namespace symphony::actors
