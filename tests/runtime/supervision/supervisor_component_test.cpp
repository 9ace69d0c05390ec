#include "runtime/supervision/supervisor.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using ProbeRef = WaitingRef<protocol::Probe>;
using SupervisorRef = WaitingRef<protocol::Supervisor>;
using Notes = std::vector<std::string>;

ChildPlan child(const std::string& name, std::vector<std::string> needs = {},
                ProbeScript script = {}) {
  ChildPlan plan;
  plan.spec.id = name;
  plan.spec.needs = std::move(needs);
  plan.component.name = name;
  plan.component.make = [script](Host& host) { return std::make_unique<Probe>(host, script); };
  return plan;
}

SupervisorSpec spec(Strategy strategy = Strategy::kOneForOne) {
  SupervisorSpec spec;
  spec.id = "/test/supervisor";
  spec.strategy = strategy;
  return spec;
}

ProbeScript noting(Notes& notes) {
  ProbeScript script;
  script.note = [&notes](std::string note) { notes.push_back(std::move(note)); };
  return script;
}

std::string state_of(TestNode& node, unsigned index) {
  const auto tree = SupervisorRef{node.asker(), "/test/supervisor"}.tree().get();
  return (*tree)->getRoot().getChildren()[index].getState().cStr();
}

TEST(SupervisorComponent, StartsItsChildrenInTheOrderOfTheirNeedsAndStopsThemInReverse) {
  TestNode node;
  Notes notes;
  ASSERT_TRUE(
      node.supervise(spec(), {child("/b", {"/a"}, noting(notes)), child("/a", {}, noting(notes))})
          .ok());
  EXPECT_EQ(notes, (Notes{"prepare /a", "start /a", "prepare /b", "start /b"}));
  EXPECT_TRUE(node.lives("/a"));
  notes.clear();
  ASSERT_TRUE(node.stop("/test/supervisor").ok());
  EXPECT_EQ(notes, (Notes{"drain /b", "stop /b", "drain /a", "stop /a"}));
  EXPECT_FALSE(node.lives("/a"));
}

TEST(SupervisorComponent, RestartsOnlyTheChildThatDied) {
  TestNode node;
  ASSERT_TRUE(node.supervise(spec(), {child("/a"), child("/b")}).ok());
  ProbeRef a{node.asker(), "/a"}, b{node.asker(), "/b"};
  (void)a.crash().get();
  node.advance(1s);
  EXPECT_EQ((*a.echo().get())->getIncarnation(), 2u);
  EXPECT_EQ((*b.echo().get())->getIncarnation(), 1u);
  EXPECT_EQ(node.telemetry().find("/a")->snapshot().restarts, 1u);
}

TEST(SupervisorComponent, RestartsAllWhenTheyStandAndFallTogether) {
  TestNode node;
  ASSERT_TRUE(node.supervise(spec(Strategy::kOneForAll), {child("/a"), child("/b")}).ok());
  (void)ProbeRef{node.asker(), "/b"}.crash().get();
  node.advance(1s);
  EXPECT_EQ((*ProbeRef{node.asker(), "/a"}.echo().get())->getIncarnation(), 2u);
  EXPECT_EQ((*ProbeRef{node.asker(), "/b"}.echo().get())->getIncarnation(), 2u);
}

TEST(SupervisorComponent, AFailureInPrepareRollsBackWhatWasStarted) {
  TestNode node;
  Notes notes;
  auto failing = noting(notes);
  failing.prepare = [] { return Error{Errc::NOT_FOUND, "the disk is missing"}; };
  const auto status =
      node.supervise(spec(), {child("/a", {}, noting(notes)), child("/b", {"/a"}, failing)});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().field, "/b");
  EXPECT_NE(status.error().message.find("the disk is missing"), std::string::npos)
      << status.error().message;
  EXPECT_EQ(notes.back(), "stop /a");
  EXPECT_FALSE(node.lives("/a"));
}

TEST(SupervisorComponent, AHangInStartEndsAtItsDeadline) {
  TestNode node;
  ProbeScript script;
  script.hang_in_start = true;
  auto hanging = child("/a", {}, script);
  hanging.spec.start_timeout = 300ms;
  const auto status = node.supervise(spec(), {hanging});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().field, "/a");
}

TEST(SupervisorComponent, AConstructorThatThrowsIsAFailedStart) {
  TestNode node;
  ProbeScript script;
  script.throw_in_constructor = true;
  const auto status = node.supervise(spec(), {child("/a", {}, script)});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("told to fail"), std::string::npos)
      << status.error().message;
}

TEST(SupervisorComponent, AHangInStopIsAbandonedAtItsDeadlineAndNamed) {
  TestNode node;
  ProbeScript script;
  script.hang_in_stop = true;
  auto hanging = child("/a", {}, script);
  hanging.spec.drain_timeout = 200ms;
  hanging.spec.stop_timeout = 300ms;
  ASSERT_TRUE(node.supervise(spec(), {hanging}).ok());
  const auto stopped = node.stop("/test/supervisor");
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_EQ(stopped.error().message, "/a did not stop within 500 ms");
}

TEST(SupervisorComponent, RepeatedDeathEscalates) {
  TestNode node;
  auto intense = spec();
  intense.intensity = {2, 10s};
  ASSERT_TRUE(node.supervise(intense, {child("/a")}).ok());
  ProbeRef a{node.asker(), "/a"};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(a.crash().get().error().code, Errc::INTERNAL);
    node.advance(1s);
  }
  EXPECT_FALSE(node.lives("/a"));
  EXPECT_FALSE(node.lives("/test/supervisor"));
}

// What health says of one that makes no progress.
auto stuck(const char* name) {
  return [name](messages::ReplaceRequest::Builder request) {
    request.setChild(name);
    request.setIncarnation(1);
    request.setReason("no progress");
  };
}

TEST(SupervisorComponent, AStuckIncarnationIsFencedAndReplaced) {
  TestNode node;
  ASSERT_TRUE(node.supervise(spec(), {child("/a")}).ok());
  SupervisorRef supervisor{node.asker(), "/test/supervisor"};
  const auto replaced = supervisor.replace(stuck("/a")).get();
  ASSERT_TRUE(replaced.ok()) << to_string(replaced.error());
  node.advance(1s);
  EXPECT_EQ((*ProbeRef{node.asker(), "/a"}.echo().get())->getIncarnation(), 2u);
}

// What an asker was told, and when.
struct Told {
  std::optional<Error> error;
  MonoTime at;
};

TEST(SupervisorComponent, WhatAFencedIncarnationHasInHandFailsAtOnce) {
  TestNode node;
  ASSERT_TRUE(node.supervise(spec(), {child("/a"), child("/b")}).ok());
  ProbeRef a{node.asker(), "/a"}, b{node.asker(), "/b"};
  Told kept, other;
  a.keep().then([&](auto answer) { kept = {answer.error(), node.clocks().mono()}; });
  b.keep().then([&](auto answer) { other.error = answer.error(); });
  node.settle();
  const auto began = node.clocks().mono();
  SupervisorRef supervisor{node.asker(), "/test/supervisor"};
  ASSERT_TRUE(supervisor.replace(stuck("/a")).get().ok());
  node.settle();
  ASSERT_TRUE(kept.error);
  EXPECT_EQ(kept.error->code, Errc::UNAVAILABLE);
  EXPECT_EQ(kept.error->message, "/a got stuck and was given up");
  EXPECT_TRUE(kept.error->retryable);
  EXPECT_EQ(kept.at, began);
  EXPECT_FALSE(other.error) << "who asked another waits on";
}

// The replacement is asked for before the requests are handled, as if a thread were stuck.
TEST(SupervisorComponent, WhatWaitsInTheMailboxOfAFencedIncarnationFailsAtOnce) {
  TestNode node;
  ASSERT_TRUE(node.supervise(spec(), {child("/a"), child("/b")}).ok());
  ProbeRef a{node.asker(), "/a"}, b{node.asker(), "/b"};
  SupervisorRef supervisor{node.asker(), "/test/supervisor"};
  std::vector<Told> told;
  const auto tell = [&](auto answer) {
    ASSERT_FALSE(answer.ok());
    told.push_back({answer.error(), node.clocks().mono()});
  };
  const auto began = node.clocks().mono();
  b.forward([](auto request) { request.setTo("/a"); }).then(tell);
  supervisor.replace(stuck("/a")).then([](auto) {});
  ASSERT_TRUE(node.step());  // /b asks /a, whose turn is after the supervisor's
  a.crash().then(tell);
  a.keep().then(tell);
  node.settle();
  ASSERT_EQ(told.size(), 3u);
  for (const auto& one : told) {
    EXPECT_EQ(one.error->code, Errc::UNAVAILABLE);
    EXPECT_EQ(one.error->message, "/a got stuck and was given up");
    EXPECT_EQ(one.at, began);
  }
}

TEST(SupervisorComponent, TheTreeShowsStatesRestartsAndReasonsAcrossLevels) {
  TestNode node;
  SupervisorSpec inner;
  inner.id = "/test/inner";
  ASSERT_TRUE(node.supervise(spec(), {supervisor_plan(inner, {child("/a")}, {}, "inner")}).ok());
  (void)ProbeRef{node.asker(), "/a"}.crash([](auto r) { r.setMessage("boom"); }).get();
  node.advance(1s);
  const auto tree = SupervisorRef{node.asker(), "/test/supervisor"}.tree().get();
  ASSERT_TRUE(tree.ok());
  const auto below = (*tree)->getRoot().getChildren()[0];
  EXPECT_STREQ(below.getStrategy().cStr(), "one-for-one");
  ASSERT_EQ(below.getChildren().size(), 1u);
  EXPECT_EQ(below.getChildren()[0].getRestarts(), 1u);
  EXPECT_NE(std::string{below.getChildren()[0].getLastExit().cStr()}.find("boom"),
            std::string::npos);
  EXPECT_EQ(state_of(node, 0), "ready");
}

TEST(SupervisorComponent, SurvivesAnyOrderInWhichItsChildrenMove) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    TestNode node{seed};
    ASSERT_TRUE(node.supervise(spec(Strategy::kRestForOne),
                               {child("/a"), child("/b", {"/a"}), child("/c", {"/b"})})
                    .ok());
    ProbeRef{node.asker(), "/a"}.crash().then([](auto) {});
    ProbeRef{node.asker(), "/c"}.crash().then([](auto) {});
    node.advance(5s);
    for (const auto* name : {"/a", "/b", "/c"})
      ASSERT_TRUE((ProbeRef{node.asker(), name}.echo().get().ok())) << name << " seed " << seed;
    ASSERT_TRUE(node.stop("/test/supervisor").ok()) << seed;
  }
}

}  // namespace
}  // namespace symphony::runtime
