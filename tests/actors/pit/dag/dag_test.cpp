#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/actors/pit/dag/dag_bench.hpp"

namespace symphony::actors {
namespace {

using test::Batch;
using test::Bench;
using test::kDiamond;
using test::kExpanded;
using test::kFailed;
using test::Nodes;
using test::ready;
using test::Told;
using PlanNode = test::PlannedNode;
using runtime::Host;
using runtime::TestNode;

TEST(DagComponent, TellsWhatMayStartUntilTheRunHasEnded) {
  Bench bench;
  EXPECT_EQ(ready(bench.create("r1", kDiamond)), (Nodes{0}));
  EXPECT_EQ(ready(bench.complete("r1", {{0}})), (Nodes{1, 2}));
  EXPECT_EQ(ready(bench.complete("r1", {{1}})), (Nodes{}));
  EXPECT_EQ(ready(bench.complete("r1", {{2}})), (Nodes{3}));
  const auto end = bench.complete("r1", {{3}});
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE((*end)->getEnded());
  EXPECT_EQ((*end)->getStatus(), messages::RunStatus::SUCCEEDED);
  EXPECT_EQ((*end)->getProgress().getDone(), 4u);
  EXPECT_TRUE(bench.sync("r1").ok());
  EXPECT_TRUE(bench.sync("r1").ok()) << "the run left memory, and all of it is on disk";
}

TEST(DagComponent, WhatALaneWentOnWithIsRunningAndNotReady) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a"}, {"b", {0}}, {"c", {1}}, {"d", {2}}}).ok());
  EXPECT_EQ(ready(bench.complete("r1", {{0}, {1}}, {2})), (Nodes{}));
  ASSERT_TRUE(bench.sync("r1").ok());
  bench.restart();
  EXPECT_EQ(ready(bench.open("r1")), (Nodes{2}));
  EXPECT_EQ(ready(bench.complete("r1", {{2}})), (Nodes{3}));
}

TEST(DagComponent, ARunThatIsOpenedAgainHasItsRunningNodesReadyAndItsResults) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, messages::Outcome::SUCCEEDED, "[1,2]"}}).ok());
  ASSERT_TRUE(bench.complete("r1", {}, {1}).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  bench.restart();
  EXPECT_EQ(bench.complete("r1", {{1}}).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(bench.sync("r1").error().code, Errc::FAILED_PRECONDITION)
      << "what was applied and not written is gone: nothing may be acknowledged";
  const auto opened = bench.open("r1");
  EXPECT_EQ(ready(opened), (Nodes{1, 2}));
  EXPECT_EQ((*opened)->getResumptions(), 1u);
  EXPECT_STREQ((*opened)->getHead().getInputsJson().cStr(), "{\"path\":\".\"}");
  const auto results = bench.results("r1");
  ASSERT_TRUE(results.ok());
  EXPECT_STREQ((*results)->getNodes()[0].getResultJson().cStr(), "[1,2]");
  EXPECT_EQ((*results)->getNodes()[0].getStatus(), messages::NodeStatus::DONE);
  EXPECT_EQ((*results)->getNodes()[1].getStatus(), messages::NodeStatus::READY);
}

TEST(DagComponent, ExpandsAMappedNodeAndNamesItsChildren) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"scan", {}, true}, {"sum", {0}}}).ok());
  const auto expanded = bench.complete("r1", {{0, kExpanded, "", 3, 5}});
  EXPECT_EQ(ready(expanded), (Nodes{2, 3, 4}));
  ASSERT_EQ((*expanded)->getExpansions().size(), 1u);
  EXPECT_EQ((*expanded)->getExpansions()[0].getFirstChild(), 2u);
  EXPECT_EQ(ready(bench.complete("r1", {{2, {}, "1", 0, 10}, {3, {}, "2", 0, 70}, {4}})),
            (Nodes{1}));
  ASSERT_TRUE(bench.complete("r1", {{1, {}, "3", 0, 25}}).ok());
  const auto page = bench.results("r1", 2, 2);
  ASSERT_EQ((*page)->getNodes().size(), 2u);
  EXPECT_EQ((*page)->getTotal(), 5u);
  EXPECT_STREQ((*page)->getNodes()[1].getName().cStr(), "scan[1]");
  EXPECT_EQ((*page)->getNodes()[1].getParent(), 0);
  EXPECT_TRUE((*page)->getNodes()[1].getCritical());
  EXPECT_FALSE((*page)->getNodes()[0].getCritical());
  const auto shown = bench.show("r1");
  EXPECT_EQ((*shown)->getCriticalPathUs(), 100u);
  std::string path;
  for (const auto name : (*shown)->getCriticalPath()) path += std::string(name.cStr()) + " ";
  EXPECT_EQ(path, "scan scan[1] sum ");
}

TEST(DagComponent, RetriesWhenTheTimeHasComeAndKeepsTheReason) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a", {}, false, 2, 500}}).ok());
  const auto failed = bench.complete("r1", {{0, kFailed, "", 0, 0, true}});
  EXPECT_EQ(ready(failed), (Nodes{}));
  const auto due_ns = (*failed)->getRetryAtNs();
  EXPECT_GT(due_ns, bench.node->clocks().wall_ns());
  EXPECT_EQ(ready(bench.complete("r1", {})), (Nodes{})) << "not yet";
  bench.node->advance(runtime::Nanos{due_ns - bench.node->clocks().wall_ns()});
  EXPECT_EQ(ready(bench.complete("r1", {})), (Nodes{0}));
  const auto end = bench.complete("r1", {{0, kFailed, "", 0, 0, true}});
  EXPECT_EQ((*end)->getStatus(), messages::RunStatus::FAILED);
  const auto results = bench.results("r1");
  EXPECT_STREQ((*results)->getNodes()[0].getError().getMessage().cStr(), "out of paper");
  EXPECT_EQ((*results)->getNodes()[0].getAttempts(), 2u);
}

TEST(DagComponent, RefusesWhatDoesNotFitAndChangesNothing) {
  Bench bench;
  EXPECT_EQ(bench.create("no/slash", {{"a"}}).error().field, "head.run");
  EXPECT_EQ(bench.create("r0", {{"a", {0}}}).error().code, Errc::INVALID_ARGUMENT) << "a cycle";
  EXPECT_EQ(bench.create("r0", {{"a", {7}}}).error().field, "edges");
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  EXPECT_EQ(bench.create("r1", kDiamond).error().code, Errc::ALREADY_EXISTS);
  EXPECT_EQ(bench.complete("r1", {{3}}).error().code, Errc::FAILED_PRECONDITION);
  const auto large = bench.complete("r1", {{0, {}, std::string(Dag::kInlineResultMax + 1, '1')}});
  EXPECT_EQ(large.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(large.error().field, "outcomes[0].resultJson");
  EXPECT_EQ(bench.complete("r1", {{0, {}, "", 0, 0, false, "abc"}}).error().field,
            "outcomes[0].resultDigest");
  EXPECT_EQ(bench.open("r9").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.results("r9").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(ready(bench.complete("r1", {{0}})), (Nodes{1, 2}));
  bench.restart();
  EXPECT_EQ(bench.create("r1", kDiamond).error().code, Errc::ALREADY_EXISTS)
      << "on disk, though not in memory";
}

TEST(DagComponent, SyncIsAnsweredOnlyWhenEverythingBeforeItIsDurable) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.writer.hold = true;
  EXPECT_EQ(ready(bench.complete("r1", {{0}})), (Nodes{1, 2})) << "at once";
  EXPECT_EQ(ready(bench.complete("r1", {{1}})), (Nodes{}));
  bool synced = false;
  bench.dag->sync([](auto request) { request.setRun("r1"); }).then([&](auto answer) {
    synced = answer.ok();
  });
  bench.node->settle();
  EXPECT_FALSE(synced);
  EXPECT_EQ(bench.writer.held.size(), 1u) << "one write at a time, the rest goes with the next";
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(synced);
  EXPECT_EQ(bench.writer.stats().transactions, 3u);
}

TEST(DagComponent, ResultsAndShowWaitForWhatWasAppliedBefore) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.writer.hold = true;
  ASSERT_TRUE(bench.complete("r1", {{0}}).ok());
  std::uint32_t done = 0;
  auto status = messages::NodeStatus::READY;
  bench.dag->show([](auto request) { request.setRun("r1"); }).then([&](auto answer) {
    done = (*answer)->getRow().getProgress().getDone();
  });
  bench.dag->results([](auto request) { request.setRun("r1"); }).then([&](auto answer) {
    status = (*answer)->getNodes()[0].getStatus();
  });
  bench.node->settle();
  EXPECT_EQ(done, 0u);
  bench.writer.release();
  bench.node->settle();
  EXPECT_EQ(done, 1u);
  EXPECT_EQ(status, messages::NodeStatus::DONE);
}

TEST(DagComponent, ARunThatCannotBeWrittenAcknowledgesNothingUntilItIsOpenedAgain) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(ready(bench.complete("r1", {{0}})), (Nodes{1, 2}));
  EXPECT_EQ(bench.sync("r1").error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(bench.complete("r1", {{1}}).error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(bench.cancel("r1").error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(bench.open("r1").error().code, Errc::RESOURCE_EXHAUSTED) << "still full";
  bench.node->advance(std::chrono::seconds(1));
  const auto line = bench.node->telemetry().find("/pit/dag")->snapshot().state_line;
  EXPECT_NE(line.find("the disk is full"), std::string::npos) << line;
  bench.writer.fail.reset();
  EXPECT_EQ(ready(bench.open("r1")), (Nodes{0})) << "what was not written did not happen";
  EXPECT_TRUE(bench.sync("r1").ok());
}

TEST(DagComponent, ARunThatCannotBeFiledDoesNotExist) {
  Bench bench;
  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(bench.create("r1", kDiamond).error().code, Errc::RESOURCE_EXHAUSTED);
  bench.writer.fail.reset();
  EXPECT_EQ(ready(bench.create("r1", kDiamond)), (Nodes{0}));
}

TEST(DagComponent, WaitsForAWriterWhoseQueueIsFull) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.writer.refuse = Error{Errc::OVERLOADED, "the queue is full", "", true};
  ASSERT_TRUE(bench.complete("r1", {{0}}).ok());
  bench.writer.refuse.reset();
  ASSERT_TRUE(bench.sync("r1").ok()) << "it tries again by itself";
  bench.restart();
  EXPECT_EQ(ready(bench.open("r1")), (Nodes{1, 2}));
}

TEST(DagComponent, AnIncarnationThatMissedAWriteCannotWriteAnyMore) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  TestNode other;
  other.spawn("/pit/dag", [&](Host& host) {
    return std::make_unique<Dag>(host, *bench.storage, bench.writer);
  });
  WaitingRef<protocol::Dag> second{other.asker()};
  ASSERT_TRUE(second.open([](auto request) { request.setRun("r1"); }).get().ok());
  ASSERT_TRUE(bench.complete("r1", {{0}}).ok());
  EXPECT_EQ(bench.sync("r1").error().code, Errc::FAILED_PRECONDITION);
}

TEST(DagComponent, CancelsARunThatIsUnderWayAndOneThatNobodyRuns) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  ASSERT_TRUE(bench.complete("r1", {}, {0}).ok());
  const auto under_way = bench.cancel("r1");
  EXPECT_EQ((*under_way)->getStatus(), messages::RunStatus::RUNNING) << "node a still runs";
  const auto end = bench.complete("r1", {{0, messages::Outcome::CANCELLED}});
  EXPECT_EQ((*end)->getStatus(), messages::RunStatus::CANCELLED);

  ASSERT_TRUE(bench.create("r2", kDiamond).ok());
  ASSERT_TRUE(bench.complete("r2", {}, {0}).ok());
  ASSERT_TRUE(bench.sync("r2").ok());
  bench.restart();
  const auto left = bench.cancel("r2");
  ASSERT_TRUE(left.ok()) << to_string(left.error());
  EXPECT_EQ((*left)->getStatus(), messages::RunStatus::CANCELLED);
  EXPECT_EQ((*bench.cancel("r2"))->getStatus(), messages::RunStatus::CANCELLED) << "again";
  EXPECT_EQ(ready(bench.open("r2", true)), (Nodes{0})) << "and takes it up all the same";
}

TEST(DagComponent, ListsRunsNewestFirstAndFindsThemByTheBeginningOfTheirId) {
  Bench bench;
  for (int i = 1; i <= 5; ++i) {
    const auto run = "run-" + std::to_string(i);
    ASSERT_TRUE(bench.create(run, {{"a"}}, 1000 * i).ok());
    if (i != 3) continue;
    ASSERT_TRUE(bench.complete(run, {{0}}).ok());
    ASSERT_TRUE(bench.sync(run).ok());
  }
  using Names = std::vector<std::string>;
  EXPECT_EQ(bench.list(), (Names{"run-5", "run-4", "run-3", "run-2", "run-1"}));
  EXPECT_EQ(bench.list(true), (Names{"run-5", "run-4", "run-2", "run-1"}));
  EXPECT_EQ(bench.list(false, "run-4", 2), (Names{"run-3", "run-2"}));
  EXPECT_EQ(bench.show("run").error().code, Errc::INVALID_ARGUMENT) << "which one?";
  EXPECT_STREQ((*bench.show("run-3"))->getRow().getMelody().cStr(), "tune");
  ASSERT_TRUE(bench.create("other", {{"a"}}).ok());
  EXPECT_STREQ((*bench.show("oth"))->getRow().getRun().cStr(), "other");
}

TEST(DagComponent, MakesRoomWithRunsThatEndedAndRefusesWhenThereAreNone) {
  Bench bench({.runs_max = 2});
  ASSERT_TRUE(bench.create("r1", {{"a"}}).ok());
  ASSERT_TRUE(bench.create("r2", {{"a"}}).ok());
  const auto third = bench.create("r3", {{"a"}});
  EXPECT_EQ(third.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(third.error().retryable);
  ASSERT_TRUE(bench.complete("r1", {{0}}).ok());
  bench.node->settle();
  EXPECT_TRUE(bench.create("r3", {{"a"}}).ok());
}

TEST(DagComponent, DrainsWhatItHasApplied) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.writer.hold = true;
  ASSERT_TRUE(bench.complete("r1", {{0}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{1}}).ok());
  bool drained = false;
  WaitingRef<protocol::Component> life{bench.node->asker(), "/pit/dag"};
  life.drain().then([&](auto answer) { drained = answer.ok(); });
  bench.node->settle();
  EXPECT_FALSE(drained);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(drained);
  bench.restart();
  EXPECT_EQ(ready(bench.open("r1")), (Nodes{2}));
}

// What `show` and `results` say, as text that can be compared.
std::string picture(Bench& bench, const std::string& run) {
  const auto shown = bench.show(run);
  const auto results = bench.results(run);
  if (!shown || !results) return "unreadable";
  return (*shown)->toString().flatten().cStr() + std::string("\n") +
         (*results)->toString().flatten().cStr();
}

RC_GTEST_PROP(DagComponentHistories, ARestartShowsWhatWasThereBefore, ()) {
  Bench bench;
  std::vector<PlanNode> plan;
  const auto count = *rc::gen::inRange<NodeId>(1, 8);
  for (NodeId i = 0; i < count; ++i) {
    PlanNode node{
        "n" + std::to_string(i), {}, *rc::gen::inRange(0, 4) == 0, *rc::gen::inRange(1U, 3U)};
    for (NodeId need = 0; need < i; ++need)
      if (*rc::gen::inRange(0, 3) == 0) node.needs.push_back(need);
    plan.push_back(node);
  }
  auto batch = bench.create("r1", plan);
  RC_ASSERT(batch.ok());
  Nodes waiting = ready(batch);
  const int steps = *rc::gen::inRange(0, 12);
  for (int step = 0; step < steps && !(*batch)->getEnded(); ++step) {
    std::vector<Told> told;
    Nodes left;
    for (const NodeId id : waiting) {
      if (*rc::gen::inRange(0, 3) == 0) {
        left.push_back(id);
        continue;
      }
      const bool mapped = id < plan.size() && plan[id].mapped;
      Told one{id, mapped ? kExpanded : messages::Outcome::SUCCEEDED};
      if (*rc::gen::inRange(0, 5) == 0) one.outcome = kFailed, one.retryable = true;
      if (one.outcome == kExpanded) one.children = *rc::gen::inRange(0U, 4U);
      if (one.outcome == messages::Outcome::SUCCEEDED) one.json = std::to_string(id);
      one.duration_us = *rc::gen::inRange<std::uint64_t>(0, 100);
      told.push_back(one);
    }
    batch = bench.complete("r1", told);
    RC_ASSERT(batch.ok());
    waiting = std::move(left);
    for (const NodeId id : ready(batch)) waiting.push_back(id);
    if (*rc::gen::inRange(0, 8) == 0) RC_ASSERT(bench.cancel("r1").ok()), waiting.clear();
  }
  RC_ASSERT(bench.sync("r1").ok());
  const auto before = picture(bench, "r1");
  bench.restart();
  RC_ASSERT(picture(bench, "r1") == before);
}

}  // namespace
}  // namespace symphony::actors
