// What keeps runs of any size, and runs that cannot go on, from doing harm.
#include <gtest/gtest.h>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::NodeStatus;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

TEST(EngineLimits, AResultThatIsNestedTooDeepFailsItsNodeAndNothingElse) {
  World world;
  world.script = [](const Json& arguments, OperatorContext&) -> Result<Json> {
    return Json{{"value", Json::array({arguments["value"]})}};
  };
  EngineNode node(world);
  std::string text = melody("[nodes.n0]\nuse = \"test.script\"\nwith = { value = 0 }\n");
  for (int i = 1; i < 70; ++i)
    text += "[nodes.n" + std::to_string(i) +
            "]\nuse = \"test.script\"\nwith = { value = \"${nodes.n" + std::to_string(i - 1) +
            ".value}\" }\n";
  const auto ended = node.run(text);
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_EQ(ended.failures[0],
            "n63: resourceExhausted: the result is nested deeper than 64 levels; make it flatter "
            "(field nodes.n63)");
}

TEST(EngineLimits, AChildMayLookAtOneOtherChildHoweverLittleIsKeptInMemory) {
  World world;
  EngineOptions options;
  options.result_bytes_max = 1;
  EngineNode node(world, options);
  const auto ended = node.run(melody(R"(
[nodes.list]
use = "test.list"
with = { count = 50 }
[nodes.a]
use = "test.echo"
map = "${nodes.list.items}"
with = { value = "${item}" }
[nodes.b]
use = "test.echo"
map = "${nodes.a.value}"
with = { value = "${item} after ${nodes.a.value[7]}" }
[outputs]
last = "${nodes.b.value[49]}"
)"));
  EXPECT_EQ(ended.outputs["last"], "49 after 7");
}

TEST(EngineLimits, MappedChildrenWaitWhileTheTrackerIsBehindWithTheirReports) {
  World world;
  EngineOptions options;
  options.unreported_bytes_max = 10'000;
  EngineNode node(world, options, 2);
  std::size_t executed = 0;
  std::size_t most = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    ++executed;
    return Json{{"value", std::string(5'000, 'x')}};
  };
  // The tracker comes to a stop: nothing is taken from then on.
  const auto id = node.start(melody(R"(
[nodes.list]
use = "test.list"
with = { count = 200 }
[nodes.each]
use = "test.script"
map = "${nodes.list.items}"
with = { value = "${item}" }
)"));
  for (std::size_t before = 0; node.node().step(); before = executed)
    most = std::max(most, executed - before);
  EXPECT_LE(most, 4u) << "in one go, while nobody takes their reports";
  EXPECT_EQ(node.finish(id).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(executed, 200u);
}

// What arbitration knows of the run.
std::uint32_t weight_of(EngineNode& node, const std::string& id) {
  const auto status = WaitingRef<protocol::Arbitration>{node.node().asker()}.status().get();
  for (const auto run : (*status)->getRuns())
    if (id == run.getRun().cStr()) return run.getWeight();
  return 0;
}

TEST(EngineLimits, TheWeightOfARunSurvivesTheNode) {
  World world;
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::UNAVAILABLE, "not yet"};
  };
  std::string id;
  {
    EngineNode node(world);
    const auto started = node.engine()
                             .run([](messages::StartRunRequest::Builder request) {
                               request.setText(
                                   melody("[nodes.a]\nuse = \"test.script\"\n"
                                          "retry = { attempts = 9, backoff_ms = 1000 }\n"));
                               request.setWeight(7);
                             })
                             .get();
    id = (*started)->getRun().cStr();
    node.node().settle();
  }
  std::uint32_t weight = 0;
  EngineNode* running = nullptr;
  EngineNode node(world);
  running = &node;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> { return Json{{"value", 1}}; };
  const auto shown = node.dag().show([&](auto request) { request.setRun(id); }).get();
  EXPECT_EQ((*shown)->getHead().getWeight(), 7u);
  for (int i = 0; i < 200 && weight == 0; ++i) {
    node.node().advance(10ms);
    weight = weight_of(*running, id);
  }
  EXPECT_EQ(node.finish(id).status, RunStatus::SUCCEEDED);
}

const std::string kOneNode = melody(
    "[nodes.a]\nuse = \"test.script\"\nretry = { attempts = 2, "
    "backoff_ms = 1000 }\n");

TEST(EngineLimits, AllUnfinishedRunsAreResumedThoughOnlySomeMayRunAtATime) {
  World world;
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::UNAVAILABLE, "not in this life"};
  };
  std::vector<std::string> ids;
  {
    EngineNode node(world);
    for (int i = 0; i < 12; ++i) ids.push_back(node.start(kOneNode));
    node.node().settle();
  }
  world.script = [](const Json&, OperatorContext&) -> Result<Json> { return Json::object(); };
  EngineOptions options;
  options.runs_max = 3;
  EngineNode node(world, options);
  node.node().settle();
  node.node().advance(20s);
  for (const auto& id : ids) EXPECT_EQ(node.journal(id).at("a"), NodeStatus::DONE) << "run " << id;
}

TEST(EngineLimits, ARunWhoseMelodyDoesNotFitAnyMoreHasFailedWithTheReason) {
  World world;
  std::string id;
  {
    EngineNode node(world);
    // As an older program with other operators would have left it.
    id = "018f0000-0000-7000-8000-000000000001";
    const auto created = node.dag()
                             .create([&](messages::CreateRunRequest::Builder request) {
                               auto head = request.initHead();
                               head.setRun(id);
                               head.setMelody("old");
                               head.setText(melody("[nodes.a]\nuse = \"gone.away\"\n"));
                               head.setInputsJson("{}");
                               head.setStartedNs(1);
                               request.initNodes(1)[0].setName("a");
                             })
                             .get();
    ASSERT_TRUE(created.ok()) << to_string(created.error());
  }
  EngineNode node(world);
  node.node().settle();
  const auto shown = node.dag().show([&](auto request) { request.setRun(id); }).get();
  EXPECT_EQ((*shown)->getRow().getStatus(), RunStatus::FAILED);
  const std::string failure = (*shown)->getRow().getFailure().cStr();
  EXPECT_NE(failure.find("does not fit any more"), std::string::npos) << failure;
  EXPECT_NE(failure.find("gone.away"), std::string::npos) << failure;
}

}  // namespace
}  // namespace symphony::actors
