// How runs and attempts end that do not end by themselves, and what time has to do with it.
#include <gtest/gtest.h>

#include "tests/actors/pit/dag/dag_bench.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using test::Bench;
using test::kDiamond;
using test::kFailed;
using test::Nodes;
using test::ready;
using test::Told;

TEST(DagEnds, WhatAnAbandonedAttemptStillSaysIsDropped) {
  Bench bench;
  const auto created = bench.create("r1", kDiamond);
  EXPECT_EQ((*created)->getAttempts()[0], 1u);
  ASSERT_TRUE(bench.complete("r1", {}, {0}).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  bench.restart();
  const auto opened = bench.open("r1");
  EXPECT_EQ(ready(opened), (Nodes{0}));
  EXPECT_EQ((*opened)->getAttempts()[0], 2u);
  const Told late{.node = 0, .json = "\"late\"", .attempt = 1};
  const auto dropped = bench.complete("r1", {late});
  EXPECT_EQ(ready(dropped), (Nodes{}));
  EXPECT_EQ((*dropped)->getDropped(), 1u);
  EXPECT_EQ(ready(bench.complete("r1", {{.node = 0, .json = "\"good\"", .attempt = 2}})),
            (Nodes{1, 2}));
  const auto twice = bench.complete("r1", {{.node = 0, .json = "\"twice\"", .attempt = 2}, {1}});
  ASSERT_TRUE(twice.ok()) << to_string(twice.error());
  EXPECT_EQ((*twice)->getDropped(), 1u);
  EXPECT_STREQ((*bench.results("r1"))->getNodes()[0].getResultJson().cStr(), "\"good\"");
}

TEST(DagEnds, ARunThatCannotGoOnFailsWithItsReasonUntilItIsTakenUpAgain) {
  for (const bool under_way : {true, false}) {
    Bench bench;
    ASSERT_TRUE(bench.create("r1", kDiamond).ok());
    ASSERT_TRUE(bench.complete("r1", {{0}}, {1}).ok());
    ASSERT_TRUE(bench.sync("r1").ok());
    if (!under_way) bench.restart();
    const auto failed = bench.cancel("r1", "its melody does not fit any more");
    ASSERT_TRUE(failed.ok()) << to_string(failed.error());
    EXPECT_EQ((*failed)->getStatus(), messages::RunStatus::FAILED);
    ASSERT_TRUE(bench.sync("r1").ok());
    bench.restart();
    const auto shown = bench.show("r1");
    EXPECT_EQ((*shown)->getRow().getStatus(), messages::RunStatus::FAILED);
    EXPECT_STREQ((*shown)->getRow().getFailure().cStr(), "its melody does not fit any more");
    EXPECT_TRUE(bench.list(true).empty());
    EXPECT_EQ(ready(bench.open("r1", true)), (Nodes{1, 2}));
    EXPECT_EQ((*bench.show("r1"))->getRow().getFailure().size(), 0u);
    EXPECT_EQ(bench.list(true), std::vector<std::string>{"r1"});
    EXPECT_EQ((*bench.show("r1"))->getRow().getStatus(), messages::RunStatus::RUNNING);
  }
}

TEST(DagEnds, ARunThatNobodyWaitsForAnyMoreIsNotFiled) {
  Bench bench;
  bench.writer.hold = true;
  bool filed = false;
  bench.dag->create([](auto request) { Bench::fill_plan(request, "r1", {{"a"}}, 1); })
      .within(1s)
      .then([&](auto answer) { filed = answer.ok(); });
  bench.node->settle();
  bench.node->advance(2s);
  bench.writer.release();
  bench.node->settle();
  EXPECT_FALSE(filed);
  EXPECT_EQ(bench.show("r1").error().code, Errc::NOT_FOUND);
  EXPECT_TRUE(bench.list().empty());
  EXPECT_EQ(ready(bench.create("r1", {{"a"}})), (Nodes{0}));
}

TEST(DagEnds, AClockThatIsSetBackDelaysNoRetry) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a", {}, false, 9, 500}}).ok());
  const auto failed = bench.complete("r1", {{0, kFailed, "", 0, 0, true}});
  EXPECT_EQ((*failed)->getRetryInNs(), 500'000'000);
  bench.node->clocks().jump_wall(-24h);
  bench.node->advance(500ms);
  EXPECT_EQ(ready(bench.complete("r1", {})), (Nodes{0}));
}

TEST(DagEnds, ARunThatIsTakenUpUnderAnEarlierClockWaitsNoLongerThanItsBackoff) {
  Bench bench;
  bench.node->advance(24h);
  ASSERT_TRUE(bench.create("r1", {{"a", {}, false, 9, 500}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, kFailed, "", 0, 0, true}}).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  bench.restart();  // where the clocks begin anew
  const auto opened = bench.open("r1");
  EXPECT_EQ((*opened)->getRetryInNs(), 500'000'000);
  bench.node->advance(500ms);
  EXPECT_EQ(ready(bench.complete("r1", {})), (Nodes{0}));
}

TEST(DagEnds, ANodeThatIsCancelledDuringItsBackoffDoesNotComeBack) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a", {}, false, 9, 500}, {"b"}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, kFailed, "", 0, 0, true}}, {1}).ok());
  ASSERT_TRUE(bench.cancel("r1").ok());
  bench.node->advance(10s);
  const auto later = bench.complete("r1", {});
  EXPECT_EQ(ready(later), (Nodes{}));
  EXPECT_EQ((*later)->getRetryInNs(), -1);
  EXPECT_TRUE((*bench.complete("r1", {{1}}))->getEnded());
}

TEST(DagEnds, WhatIsTakenUpAgainHasAllItsAttemptsBefore) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a", {}, false, 2, 500}}).ok());
  const Told failed{0, kFailed, "", 0, 0, true};
  ASSERT_TRUE(bench.complete("r1", {failed}).ok());
  bench.node->advance(1s);
  ASSERT_TRUE(bench.complete("r1", {}).ok());
  EXPECT_TRUE((*bench.complete("r1", {failed}))->getEnded());
  EXPECT_EQ(ready(bench.open("r1", true)), (Nodes{0}));
  EXPECT_FALSE((*bench.complete("r1", {failed}))->getEnded()) << "it has two attempts again";
  bench.node->advance(1s);
  EXPECT_EQ(ready(bench.complete("r1", {})), (Nodes{0}));
  EXPECT_TRUE((*bench.complete("r1", {failed}))->getEnded());
}

TEST(DagEnds, ARunThatEndedAndIsNotOnDiskMakesNoRoom) {
  Bench bench({.runs_max = 1});
  ASSERT_TRUE(bench.create("r1", {{"a"}}).ok());
  bench.writer.refuse = Error{Errc::OVERLOADED, "the queue is full", "", true};
  ASSERT_TRUE(bench.complete("r1", {{0, {}, "1"}}).ok());
  EXPECT_EQ(bench.create("r2", {{"a"}}).error().code, Errc::OVERLOADED);
  bench.writer.refuse.reset();
  ASSERT_TRUE(bench.sync("r1").ok());
  bench.restart();
  EXPECT_STREQ((*bench.results("r1"))->getNodes()[0].getResultJson().cStr(), "1");
}

TEST(DagEnds, WhoeverIsFarAheadOfTheDiskIsToldToWait) {
  Bench bench({.unwritten_bytes_max = 1'000});
  std::vector<test::PlannedNode> plan;
  for (int i = 0; i < 4; ++i) plan.push_back({"n" + std::to_string(i)});
  ASSERT_TRUE(bench.create("r1", plan).ok());
  bench.writer.hold = true;
  const std::string large(2'000, '1');
  ASSERT_TRUE(bench.complete("r1", {{0, {}, large}}).ok()) << "goes to the writer at once";
  ASSERT_TRUE(bench.complete("r1", {{1, {}, large}}).ok()) << "waits for its turn";
  const auto refused = bench.complete("r1", {{2, {}, large}});
  EXPECT_EQ(refused.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(refused.error().retryable);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(bench.complete("r1", {{2, {}, large}}).ok());
}

}  // namespace
}  // namespace symphony::actors
