#include "actors/run/run_state.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

using Ids = std::vector<NodeId>;

RunPlan plan_of(std::size_t nodes, const std::vector<Edge>& edges) {
  auto graph = Graph::build(nodes, edges);
  EXPECT_TRUE(graph.ok());
  return RunPlan{std::move(graph).value(), std::vector<RunNode>(nodes)};
}

RunState state_of(RunPlan plan) {
  auto state = RunState::create(std::move(plan));
  EXPECT_TRUE(state.ok());
  return std::move(state).value();
}

Ids complete(RunState& state, std::vector<NodeOutcome> outcomes, std::int64_t now_us = 0) {
  auto ready = state.complete(outcomes, now_us);
  EXPECT_TRUE(ready.ok()) << (ready.ok() ? "" : ready.error().message);
  return ready.ok() ? *ready : Ids{};
}

NodeOutcome ok(NodeId node) { return {node, OutcomeKind::succeeded}; }
NodeOutcome failed(NodeId node) { return {node, OutcomeKind::failed}; }
NodeOutcome failed_for_now(NodeId node) { return {node, OutcomeKind::failed, true}; }
NodeOutcome skipped(NodeId node) { return {node, OutcomeKind::skipped}; }
NodeOutcome expanded(NodeId node, std::uint32_t k) {
  return {node, OutcomeKind::expanded, false, k};
}

TEST(RunState, StartsSourcesInRankOrder) {
  RunPlan plan = plan_of(4, {{2, 3}});
  plan.nodes[1].weight = 5;
  RunState state = state_of(std::move(plan));
  EXPECT_EQ(state.status(), RunStatus::pending);
  EXPECT_EQ(*state.start(7), (Ids{1, 2, 0}));
  EXPECT_EQ(state.progress().waiting, 1U);
  EXPECT_EQ(state.progress().ready, 3U);
  EXPECT_FALSE(state.start(8).ok());
}

TEST(RunState, ANodeGetsReadyWhenTheLastOfItsNeedsHasEnded) {
  RunState state = state_of(plan_of(3, {{0, 2}, {1, 2}}));
  (void)state.start(0);
  EXPECT_EQ(complete(state, {ok(0)}), Ids{});
  EXPECT_EQ(complete(state, {ok(1)}), Ids{2});
  EXPECT_EQ(complete(state, {ok(2)}), Ids{});
  EXPECT_TRUE(state.ended());
  EXPECT_EQ(state.status(), RunStatus::succeeded);
}

TEST(RunState, ANodeMayEndInTheSameBatchAsWhatItNeedsButNotBeforeIt) {
  RunState state = state_of(plan_of(5, {{0, 1}, {1, 2}, {2, 3}, {0, 3}, {3, 4}}));
  (void)state.start(0);
  const RunState before = state;
  EXPECT_FALSE(state.complete(std::vector{ok(1), ok(0)}, 0).ok());
  EXPECT_FALSE(state.complete(std::vector{ok(0), ok(2)}, 0).ok());
  EXPECT_FALSE(state.complete(std::vector{ok(0), failed(1), ok(2)}, 0).ok());
  EXPECT_EQ(state, before) << "what is refused changes nothing";
  EXPECT_EQ(complete(state, {ok(0), skipped(1), ok(2)}), Ids{3});
  EXPECT_EQ(complete(state, {ok(3), ok(4)}), Ids{});
  EXPECT_EQ(state.status(), RunStatus::succeeded);
}

TEST(RunState, ANodeThatWaitsForItsRetryIsNotReadyByWhatEndedBefore) {
  RunPlan plan = plan_of(2, {{0, 1}});
  plan.nodes[1].retry.attempts = 3;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  EXPECT_EQ(complete(state, {ok(0), failed_for_now(1)}), Ids{});
  EXPECT_EQ(state.status_of(1), NodeStatus::waiting);
  EXPECT_FALSE(state.complete(std::vector{ok(1)}, 0).ok());
  EXPECT_EQ(*state.advance(1'000'000), Ids{1});
}

TEST(RunState, FailureBlocksWhatDependsOnItAndNothingElse) {
  RunState state = state_of(plan_of(5, {{0, 1}, {1, 2}, {3, 4}}));
  (void)state.start(0);
  EXPECT_EQ(complete(state, {failed(0)}), Ids{});
  EXPECT_EQ(state.status_of(1), NodeStatus::skipped);
  EXPECT_EQ(state.status_of(2), NodeStatus::skipped);
  EXPECT_EQ(state.blocked_by(2), NodeId{0});
  EXPECT_EQ(complete(state, {ok(3)}), Ids{4});
  complete(state, {ok(4)});
  EXPECT_EQ(state.status(), RunStatus::failed);
}

TEST(RunState, WhatDependsOnASkippedNodeStillRuns) {
  RunState state = state_of(plan_of(2, {{0, 1}}));
  (void)state.start(0);
  EXPECT_EQ(complete(state, {skipped(0)}), Ids{1});
  EXPECT_EQ(state.blocked_by(0), std::nullopt);
  complete(state, {ok(1)});
  EXPECT_EQ(state.status(), RunStatus::succeeded);
}

TEST(RunState, AMappedNodeEndsWithItsLastChildAndItsDependantsJoinThemAll) {
  RunPlan plan = plan_of(3, {{0, 1}, {1, 2}});
  plan.nodes[1].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {ok(0)});
  EXPECT_EQ(complete(state, {expanded(1, 3)}), (Ids{3, 4, 5}));
  EXPECT_EQ(state.children_of(1), (ChildRange{3, 3}));
  EXPECT_EQ(state.parent_of(4), NodeId{1});
  EXPECT_EQ(complete(state, {ok(4), skipped(3)}), Ids{});
  EXPECT_EQ(state.status_of(1), NodeStatus::running);
  EXPECT_EQ(complete(state, {ok(5)}), Ids{2});
  EXPECT_EQ(state.status_of(1), NodeStatus::done);
}

TEST(RunState, AMappedNodeWithAnEmptyListIsDoneAtOnce) {
  RunPlan plan = plan_of(2, {{0, 1}});
  plan.nodes[0].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  EXPECT_EQ(complete(state, {expanded(0, 0)}), Ids{1});
  EXPECT_EQ(state.status_of(0), NodeStatus::done);
}

TEST(RunState, AMappedNodeFailsAfterAllItsChildrenHaveEnded) {
  RunPlan plan = plan_of(2, {{0, 1}});
  plan.nodes[0].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {expanded(0, 2)});
  complete(state, {failed(2)});
  EXPECT_EQ(state.status_of(0), NodeStatus::running);
  complete(state, {ok(3)});
  EXPECT_EQ(state.status_of(0), NodeStatus::failed);
  EXPECT_EQ(state.blocked_by(1), NodeId{0});
  EXPECT_EQ(state.status(), RunStatus::failed);
}

TEST(RunState, RetriesWithDoublingBackoffUntilAttemptsAreUsedUp) {
  RunPlan plan = plan_of(1, {});
  plan.nodes[0].retry = {4, 100, 150};
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {failed_for_now(0)}, 1'000);
  EXPECT_EQ(state.status_of(0), NodeStatus::waiting);
  EXPECT_EQ(state.next_retry_us(), 101'000);
  EXPECT_EQ(*state.advance(100'999), Ids{});
  EXPECT_EQ(*state.advance(101'000), Ids{0});
  complete(state, {failed_for_now(0)}, 200'000);
  EXPECT_EQ(state.next_retry_us(), 350'000);  // 200 ms, cut to 150
  EXPECT_EQ(*state.advance(350'000), Ids{0});
  complete(state, {failed_for_now(0)}, 400'000);
  EXPECT_EQ(*state.advance(550'000), Ids{0});
  complete(state, {failed_for_now(0)}, 600'000);
  EXPECT_EQ(state.status_of(0), NodeStatus::failed);
  EXPECT_EQ(state.failed_attempts(0), 4U);
  EXPECT_EQ(state.next_retry_us(), std::nullopt);
}

TEST(RunState, AFailureThatIsFinalIsNotRetried) {
  RunPlan plan = plan_of(1, {});
  plan.nodes[0].retry.attempts = 3;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {failed(0)});
  EXPECT_EQ(state.status_of(0), NodeStatus::failed);
}

TEST(RunState, CancelEndsWhatWaitsAndLetsWhatRunsReport) {
  RunState state = state_of(plan_of(3, {{0, 2}}));
  (void)state.start(0);
  const Ids running{0};
  ASSERT_TRUE(state.mark_running(running, 1).ok());
  ASSERT_TRUE(state.cancel(2).ok());
  EXPECT_EQ(state.status_of(1), NodeStatus::cancelled);
  EXPECT_EQ(state.status_of(2), NodeStatus::cancelled);
  EXPECT_FALSE(state.ended());
  EXPECT_EQ(complete(state, {ok(0)}), Ids{});
  EXPECT_TRUE(state.ended());
  EXPECT_EQ(state.status(), RunStatus::cancelled);
}

TEST(RunState, CancelEndsAMappedNodeOnceItsRunningChildrenHaveReported) {
  RunPlan plan = plan_of(2, {{0, 1}});
  plan.nodes[0].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {expanded(0, 2)});
  const Ids running{2};
  ASSERT_TRUE(state.mark_running(running, 1).ok());
  ASSERT_TRUE(state.cancel(2).ok());
  EXPECT_FALSE(state.ended());
  complete(state, {{2, OutcomeKind::cancelled}});
  EXPECT_EQ(state.status_of(0), NodeStatus::cancelled);
  EXPECT_TRUE(state.ended());
}

TEST(RunState, ResumeMakesRunningNodesReadyAndRepeatsNothingFinished) {
  RunState state = state_of(plan_of(3, {{0, 1}}));
  (void)state.start(0);
  complete(state, {ok(0)});
  const Ids running{1};
  ASSERT_TRUE(state.mark_running(running, 1).ok());
  EXPECT_EQ(*state.resume(false, 2), (Ids{1, 2}));
  EXPECT_EQ(state.status_of(0), NodeStatus::done);
  EXPECT_EQ(state.resumptions(), 1U);
}

TEST(RunState, ResumptionsAreFruitlessUntilANodeEnds) {
  RunPlan plan = plan_of(2, {{0, 1}});
  plan.nodes[0].retry.attempts = 9;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  (void)state.resume(false, 1);
  complete(state, {failed_for_now(0)}, 1);
  (void)state.advance(2);
  (void)state.resume(false, 3);
  EXPECT_EQ(state.fruitless_resumptions(), 2U);
  complete(state, {ok(0)}, 4);
  EXPECT_EQ(state.fruitless_resumptions(), 0U);
  (void)state.resume(false, 5);
  EXPECT_EQ(state.fruitless_resumptions(), 1U);
  EXPECT_EQ(state.resumptions(), 3U);
}

TEST(RunState, ResumingAgainRepeatsFailedBlockedAndCancelledNodesOnly) {
  RunPlan plan = plan_of(5, {{0, 1}, {1, 2}, {3, 2}});
  plan.nodes[1].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  complete(state, {ok(0), ok(3)});
  complete(state, {expanded(1, 2)});
  complete(state, {ok(5), failed(6)});
  ASSERT_TRUE(state.cancel(1).ok());  // node 4
  EXPECT_EQ(state.status_of(2), NodeStatus::skipped);
  EXPECT_TRUE(state.ended());
  EXPECT_EQ(*state.resume(true, 2), (Ids{6, 4}));
  EXPECT_EQ(state.status_of(1), NodeStatus::running);
  EXPECT_EQ(complete(state, {ok(6)}), Ids{2});
  complete(state, {ok(2), ok(4)});
  EXPECT_EQ(state.status(), RunStatus::succeeded);
}

TEST(RunState, ARefusedBatchChangesNothing) {
  RunState state = state_of(plan_of(3, {{0, 1}}));
  (void)state.start(0);
  const RunState before = state;
  for (const std::vector<NodeOutcome>& batch :
       {std::vector{ok(0), ok(0)}, {ok(1), ok(0)}, {ok(0), ok(9)}, {ok(0), expanded(2, 1)}}) {
    EXPECT_FALSE(state.complete(batch, 5).ok());
    EXPECT_EQ(state, before);
  }
}

TEST(RunState, RefusesAFanOutBeyondTheLimit) {
  RunPlan plan = plan_of(1, {});
  plan.nodes[0].mapped = true;
  RunState state = state_of(std::move(plan));
  (void)state.start(0);
  const std::vector<NodeOutcome> batch{expanded(0, kMaxFanOut + 1)};
  auto refused = state.complete(batch, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::RESOURCE_EXHAUSTED);
}

TEST(RunState, RefusesAPlanWithACycle) {
  auto state = RunState::create(plan_of(2, {{0, 1}, {1, 0}}));
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Errc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace symphony::actors
