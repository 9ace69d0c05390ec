#include "actors/bootstrap/health_checker.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "messages/supervisor.protocol.hpp"
#include "runtime/testing/plain_supervisor.hpp"
#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::bootstrap {
namespace {

using namespace runtime;
using namespace std::chrono_literals;
using ProbeRef = WaitingRef<protocol::Probe>;

constexpr HealthRules kRules{.interval = 1s, .stuck_after = 10s};

// What ComponentStats shows while a thread is stuck in a handler: in a deterministic node, where
// one thread does everything, the thread itself cannot be stuck.
void be_stuck(TestNode& node, const std::string& name) {
  node.telemetry().find(name)->handler_began(2, node.clocks().mono());
}

class HealthCheckerTest : public testing::Test {
 protected:
  HealthCheckerTest() {
    SupervisorSpec spec;
    spec.id = "/supervisor";
    EXPECT_TRUE(node_.supervise(spec, {child("/a"), child("/b")}).ok());
  }

  static ChildPlan child(const std::string& name) {
    ChildPlan plan;
    plan.spec.id = name;
    plan.component.name = name;
    plan.component.make = [](Host& host) { return std::make_unique<Probe>(host); };
    return plan;
  }

  void watch() {
    HealthOptions options{.rules = kRules, .ready_when = {"/supervisor"}};
    options.components = {{"/a", {"/supervisor"}}, {"/b", {"/supervisor"}}, {"/supervisor", {}}};
    watch(options);
  }
  void watch(const HealthOptions& options) {
    node_.spawn("/health",
                [options](Host& host) { return std::make_unique<HealthChecker>(host, options); });
  }

  Msg<messages::CheckHealthResponse> check() {
    auto answer = WaitingRef<protocol::HealthChecker>{node_.asker()}.check().get();
    EXPECT_TRUE(answer.ok());
    return std::move(answer).value();
  }
  std::uint32_t incarnation(const std::string& name) {
    const auto answer = ProbeRef{node_.asker(), name}.echo().get();
    return answer ? (*answer)->getIncarnation() : 0;
  }

  TestNode node_;
};

TEST_F(HealthCheckerTest, ANodeInWhichNothingIsWrongIsHealthyAndReady) {
  watch();
  node_.advance(60s);
  const auto health = check();
  EXPECT_TRUE(health->getHealthy());
  EXPECT_TRUE(health->getReady());
  EXPECT_EQ(health->getComponents(), 4u);  // with the checker itself
  EXPECT_EQ(health->getReplacedTotal(), 0u);
  EXPECT_EQ(health->getCheckedNs(), node_.clocks().wall_ns());
}

TEST_F(HealthCheckerTest, AStuckComponentIsReplacedOnceByItsSupervisor) {
  watch();
  be_stuck(node_, "/a");
  node_.advance(30s);
  EXPECT_EQ(incarnation("/a"), 2u);
  EXPECT_EQ(incarnation("/b"), 1u);
  const auto health = check();
  EXPECT_EQ(health->getReplacedTotal(), 1u);
  EXPECT_TRUE(health->getHealthy());
}

TEST_F(HealthCheckerTest, AStuckComponentIsAProblemUntilItIsReplaced) {
  HealthOptions options{.rules = kRules};
  watch(options);  // nobody is told
  be_stuck(node_, "/a");
  node_.advance(30s);
  const auto health = check();
  EXPECT_FALSE(health->getHealthy());
  ASSERT_EQ(health->getProblems().size(), 1u);
  EXPECT_STREQ(health->getProblems()[0].getComponent().cStr(), "/a");
  EXPECT_NE(std::string{health->getProblems()[0].getDetail().cStr()}.find("inside a handler"),
            std::string::npos);
  EXPECT_EQ(incarnation("/a"), 1u);
}

TEST_F(HealthCheckerTest, ABacklogThatIsWorkedOffRestartsNobodyAndOneThatIsNotDoes) {
  watch();
  // As if ten thousand messages waited at every look.
  for (int i = 0; i < 10'000; ++i) node_.telemetry().find("/a")->message_enqueued();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(incarnation("/a"), 1u);  // which lets it handle one
    node_.advance(9s);
  }
  EXPECT_EQ(check()->getReplacedTotal(), 0u);
  node_.advance(15s);
  EXPECT_EQ(check()->getReplacedTotal(), 1u);
  EXPECT_EQ(incarnation("/a"), 2u);
}

TEST_F(HealthCheckerTest, AComponentThatIsDownIsAProblemWithItsLastError) {
  watch();
  (void)ProbeRef{node_.asker(), "/a"}.crash([](auto r) { r.setMessage("boom"); }).get();
  node_.settle();
  const auto health = check();
  EXPECT_FALSE(health->getHealthy());
  ASSERT_EQ(health->getProblems().size(), 1u);
  EXPECT_NE(std::string{health->getProblems()[0].getDetail().cStr()}.find("boom"),
            std::string::npos);
  node_.advance(10s);
  EXPECT_TRUE(check()->getHealthy());
}

TEST_F(HealthCheckerTest, WhatMayBeFinishedIsNoProblemWhenItIsDown) {
  HealthOptions options{.rules = kRules};
  options.components = {{"/once", {"/supervisor", false}}};
  watch(options);
  EXPECT_TRUE(check()->getHealthy());
}

TEST_F(HealthCheckerTest, TheNodeIsReadyWhenAllItsPhasesLive) {
  HealthOptions options{.rules = kRules, .ready_when = {"/supervisor", "/later"}};
  watch(options);
  EXPECT_FALSE(check()->getReady());
  node_.spawn("/later", [](Host& host) { return std::make_unique<Probe>(host); });
  EXPECT_TRUE(check()->getReady());
}

TEST_F(HealthCheckerTest, ASupervisorThatIsStuckIsReportedToItsOwn) {
  SupervisorSpec inner;
  inner.id = "/inner";
  SupervisorSpec outer;
  outer.id = "/outer";
  ChildSpec as_child;
  as_child.id = "/inner";
  ASSERT_TRUE(
      node_.supervise(outer, {supervisor_plan(inner, {child("/c")}, as_child, "under test")}).ok());
  HealthOptions options{.rules = kRules};
  options.components = {{"/inner", {"/outer"}}, {"/c", {"/inner"}}, {"/outer", {}}};
  watch(options);
  node_.advance(10min);  // the deadlines of its start are over: nothing wakes it any more
  be_stuck(node_, "/inner");
  node_.advance(30s);
  const auto tree = WaitingRef<protocol::Supervisor>{node_.asker(), "/outer"}.tree().get();
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ((*tree)->getRoot().getChildren()[0].getIncarnation(), 2u);
  EXPECT_EQ(check()->getReplacedTotal(), 1u);
}

TEST_F(HealthCheckerTest, AReportIsRepeatedUntilTheSupervisorHearsIt) {
  HealthOptions options{.rules = kRules};
  options.components = {{"/x", {"/late"}}};
  node_.spawn("/x", [](Host& host) { return std::make_unique<Probe>(host); });
  watch(options);
  be_stuck(node_, "/x");
  node_.advance(15s);
  EXPECT_EQ(check()->getReplacedTotal(), 0u);

  // One that notes what it is asked.
  class Listener final : public PlainSupervisor {
   public:
    Listener(Host& host, std::vector<std::string>& heard) : PlainSupervisor(host), heard_(heard) {}
    void replace(Call<protocol::Supervisor::Replace> call) override {
      heard_.push_back(std::string{call->getChild().cStr()} + " " +
                       std::to_string(call->getIncarnation()));
      call.reply();
    }

   private:
    std::vector<std::string>& heard_;
  };
  std::vector<std::string> heard;
  node_.spawn("/late", [&](Host& host) { return std::make_unique<Listener>(host, heard); });
  node_.advance(60s);
  const auto incarnation = node_.telemetry().find("/x")->incarnation();
  EXPECT_EQ(heard, std::vector<std::string>{"/x " + std::to_string(incarnation)});
}

}  // namespace
}  // namespace symphony::bootstrap
