#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::NodeStatus;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

// Values name the nodes, so that executions can be counted against the journal.
const std::string kStory = melody(R"(
[nodes.list]
use = "test.list"
with = { count = 3 }
[nodes.first]
use = "test.echo"
with = { value = "first" }
[nodes.each]
use = "test.echo"
map = "${nodes.list.items}"
with = { value = "each[${index}]" }
[nodes.large]
use = "test.large"
with = { bytes = 70000 }
[nodes.last]
use = "test.echo"
with = { value = "last" }
needs = ["each", "first", "large"]
[outputs]
each = "${nodes.each.value}"
last = "${nodes.last.value} of ${nodes.first.value}"
large = "${nodes.large.text}"
started = "${run.started} ${run.host}"
)");

Json story_outputs() {
  return Json{{"each", {"each[0]", "each[1]", "each[2]"}},
              {"last", "last of first"},
              {"large", std::string(70'000, 'x')},
              {"started", "2026-01-01T00:00:00Z testhost"}};
}

// Ends a node after `steps` messages and takes the run up on another. False when the run had ended
// before.
bool survives_death_after(int steps, std::uint64_t seed) {
  World world;
  bool ended = false;
  {
    EngineNode node(world, {}, 2, seed);
    node.ask_run(kStory).then([](auto) {});
    int taken = 0;
    while (taken < steps && node.node().step()) ++taken;
    ended = taken < steps;
  }
  EngineOptions options;
  options.resume_runs = false;
  EngineNode node(world, options, 2, seed);
  node.node().advance(1h);  // the past must not show in what the run gives
  const auto runs = node.runs();
  if (runs.empty()) return true;  // it had not been acknowledged
  const auto before = node.journal(runs[0]);
  const auto executed = world.executed;
  const auto summary = node.finish(node.resume(runs[0]));
  EXPECT_EQ(summary.status, RunStatus::SUCCEEDED) << "after " << steps << " messages";
  EXPECT_EQ(summary.outputs, story_outputs()) << "after " << steps << " messages";
  for (const auto& [name, status] : before) {
    const auto count = executed.find(name);
    if (status != NodeStatus::DONE || count == executed.end()) continue;
    EXPECT_EQ(world.executed[name], count->second)
        << name << " was done and ran again, after " << steps << " messages";
  }
  return !ended;
}

TEST(EngineResume, ANodeMayDieAfterAnyMessageAndTheRunGivesTheSame) {
  int steps = 1;
  while (survives_death_after(steps, 0)) ++steps;
  EXPECT_GT(steps, 30);
}

TEST(EngineResume, ANodeMayDieWhateverTheOrderOfItsActors) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    survives_death_after(static_cast<int>(10 + seed * 7), seed);
}

const std::string kTwoTries = melody(R"(
[nodes.before]
use = "test.echo"
with = { value = "before" }
[nodes.a]
use = "test.script"
needs = ["before"]
retry = { attempts = 2, backoff_ms = 1000 }
[outputs]
out = "${nodes.a.value}"
)");

TEST(EngineResume, RunsAreResumedWhenTheEngineStarts) {
  World world;
  std::string id;
  {
    EngineNode node(world);
    world.script = [](const Json&, OperatorContext&) -> Result<Json> {
      return Error{Errc::UNAVAILABLE, "not today"};
    };
    id = node.start(kTwoTries);
    node.node().settle();
  }
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Json{{"value", "today"}};
  };
  EngineNode node(world);
  node.node().advance(2s);
  EXPECT_EQ(node.finish(id).outputs["out"], "today");
  EXPECT_EQ(world.executed["before"], 1);
}

TEST(EngineResume, ARunThatIsBeingResumedCanBeWatchedAsSoonAsResumingItIsRefused) {
  for (int steps = 0; steps < 40; ++steps) {
    World world;
    std::string id;
    {
      EngineNode node(world);
      world.script = [](const Json&, OperatorContext&) -> Result<Json> {
        return Error{Errc::UNAVAILABLE, "not today"};
      };
      id = node.start(melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 2, backoff_ms = 1000 }
)"));
      node.node().settle();
    }
    EngineNode node(world);
    for (int taken = 0; taken < steps && node.node().step();) ++taken;
    const auto resumed = node.engine().resume([&](auto request) { request.setRun(id); }).get();
    if (!resumed.ok()) {
      EXPECT_EQ(resumed.error().code, Errc::FAILED_PRECONDITION);
    }
    EXPECT_TRUE(node.progress(id).ok()) << "after " << steps << " messages";
  }
}

TEST(EngineResume, ARunThatCrashesKeepInterruptingHasFailedWithThatReason) {
  World world;
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::UNAVAILABLE, "never"};
  };
  const std::string text = melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 1000, backoff_ms = 3600000, max_backoff_ms = 3600000 }
)");
  EngineOptions options;
  options.resumptions_max = 3;
  std::string id;
  for (int death = 0; death < 5; ++death) {
    EngineNode node(world, options);
    if (death == 0) id = node.start(text);
    node.node().settle();
  }
  EngineNode node(world, options);
  node.node().settle();
  EXPECT_EQ(node.journal(id).at("a"), NodeStatus::CANCELLED);
  const auto shown = node.dag().show([&](auto request) { request.setRun(id); }).get();
  EXPECT_EQ((*shown)->getRow().getStatus(), RunStatus::FAILED);
  EXPECT_STREQ((*shown)->getRow().getFailure().cStr(),
               "crashes interrupted it 3 times in a row before any of its nodes ended");
}

TEST(EngineResume, CrashesWithProgressInBetweenDoNotEndARun) {
  World world;
  int life = 0;
  world.script = [&](const Json& arguments, OperatorContext&) -> Result<Json> {
    if (arguments["value"].get<int>() > life) return Error{Errc::UNAVAILABLE, "not in this life"};
    return Json{{"value", 1}};
  };
  std::string text = melody("");
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i);
    text += "[nodes.n" + name + "]\nuse = \"test.script\"\nwith = { value = " + name + " }\n";
    text += "retry = { attempts = 1000, backoff_ms = 1000, max_backoff_ms = 1000 }\n";
    if (i > 0) text += "needs = [\"n" + std::to_string(i - 1) + "\"]\n";
  }
  EngineOptions options;
  options.resumptions_max = 2;
  std::string id;
  for (; life < 5; ++life) {
    EngineNode node(world, options);
    if (life == 0) id = node.start(text);
    node.node().advance((life + 1) * 5s);  // clocks begin anew, retries are due as before
    EXPECT_EQ(node.journal(id).at("n" + std::to_string(life)), NodeStatus::DONE) << life;
  }
  EngineNode node(world, options);
  node.node().advance(1min);
  EXPECT_EQ(node.finish(id).status, RunStatus::SUCCEEDED);
}

TEST(EngineResume, ThereIsNothingToDoForARunThatHasEnded) {
  World world;
  std::string id;
  {
    EngineNode node(world);
    id = node.start(kStory);
    EXPECT_EQ(node.finish(id).status, RunStatus::SUCCEEDED);
  }
  EngineNode node(world);
  const auto resumed =
      node.engine().resume([&](auto request) { request.setRun(id.substr(0, 12)); }).get();
  ASSERT_TRUE(resumed.ok()) << to_string(resumed.error());
  EXPECT_TRUE((*resumed)->getAlreadyEnded());
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.outputs, story_outputs());
  EXPECT_EQ(ended.executed, 0u);
}

TEST(EngineResume, WhatFailedIsTriedAgainWhenAskedTo) {
  World world;
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Error{Errc::NOT_FOUND, "not there"};
  };
  EngineNode node(world);
  const auto id = node.start(melody(R"(
[nodes.good]
use = "test.echo"
with = { value = "good" }
[nodes.a]
use = "test.script"
needs = ["good"]
[nodes.b]
use = "test.echo"
with = { value = "b${nodes.a.value}" }
[outputs]
out = "${nodes.b.value}"
)"));
  EXPECT_EQ(node.finish(id).status, RunStatus::FAILED);
  world.script = [](const Json&, OperatorContext&) -> Result<Json> { return Json{{"value", 1}}; };
  const auto ended = node.finish(node.resume(id, true));
  EXPECT_EQ(ended.status, RunStatus::SUCCEEDED);
  EXPECT_EQ(ended.outputs["out"], "b1");
  EXPECT_EQ(world.executed["good"], 1);
}

TEST(EngineResume, ARunGoesOnWhenTheDagTrackerComesBack) {
  World world;
  int tries = 0;
  world.script = [&](const Json&, OperatorContext&) -> Result<Json> {
    if (++tries < 2) return Error{Errc::UNAVAILABLE, "not yet"};
    return Json{{"value", "done"}};
  };
  EngineNode node(world);
  const auto id = node.start(kTwoTries);
  node.node().settle();
  node.spawn_dag();
  EXPECT_EQ(node.finish(id).outputs["out"], "done");
  EXPECT_EQ(world.executed["before"], 1);
}

// Workers of which one handing-over kills the engine: before or after the work is done.
class DeadlyWorkers final : public runtime::Blocking {
 public:
  DeadlyWorkers(int deadly, bool after) : left_(deadly), after_(after) {}
  Status submit(Work work, OnDone on_done) override {
    const bool dies = left_-- == 0;
    if (dies && !after_) throw std::runtime_error("killed by the test");
    on_done(work());
    if (dies) throw std::runtime_error("killed by the test");
    return {};
  }

 private:
  int left_;
  const bool after_;
};

TEST(EngineResume, TheSupervisorsNextEngineGoesOnWhereTheOneBeforeDied) {
  for (const bool after : {false, true}) {
    for (int deadly = 0; deadly < 6; ++deadly) {
      World world;
      DeadlyWorkers workers(deadly, after);
      EngineOptions options;
      options.workers = &workers;
      EngineNode node(world, options, 2, 0, true);
      node.ask_run(kStory).then([](auto) {});
      node.node().advance(5s);
      const auto runs = node.runs();
      ASSERT_EQ(runs.size(), 1u);
      const auto ended = node.finish(runs[0]);
      EXPECT_EQ(ended.status, RunStatus::SUCCEEDED) << deadly << after;
      EXPECT_EQ(ended.outputs, story_outputs()) << deadly << after;
    }
  }
}

// A thread for each work: for operators that do not come back.
class ThreadWorkers final : public runtime::Blocking {
 public:
  ~ThreadWorkers() override { join(); }
  Status submit(Work work, OnDone on_done) override {
    threads_.emplace_back(
        [job = std::make_unique<std::pair<Work, OnDone>>(std::move(work), std::move(on_done))] {
          job->second(job->first());
        });
    return {};
  }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

TEST(EngineResume, ANodeThatDoesNotEndIsAbandonedSomeTimeAfterItsTimeout) {
  World world;
  ThreadWorkers workers;
  EngineOptions options;
  options.workers = &workers;
  EngineNode node(world, options, 1);
  std::promise<void> entered;
  std::promise<void> may_end;
  std::atomic<bool> told = false;
  world.script = [&](const Json&, OperatorContext& context) -> Result<Json> {
    entered.set_value();
    may_end.get_future().wait();
    told = context.cancelled();
    return Json{{"value", "too late"}};
  };
  const auto id = node.start(melody("[nodes.stuck]\nuse = \"test.script\"\ntimeout_ms = 500\n"));
  node.node().settle();
  entered.get_future().wait();
  const auto ended = node.finish(id);
  EXPECT_EQ(ended.status, RunStatus::FAILED);
  ASSERT_EQ(ended.failures.size(), 1u);
  EXPECT_NE(ended.failures[0].find("did not end, even 5000 ms after its timeout"),
            std::string::npos);
  EXPECT_FALSE(told);  // it was never listening
  may_end.set_value();
  workers.join();
  node.node().settle();
  EXPECT_TRUE(told);
  EXPECT_EQ(node.journal(id).at("stuck"), NodeStatus::FAILED);
}

}  // namespace
}  // namespace symphony::actors
