// Requests from beyond a link, given to components.
#include "runtime/component/link_bridge.hpp"

#include <gtest/gtest.h>

#include <caf/actor_system.hpp>
#include <deque>

#include "messages/component.protocol.hpp"
#include "runtime/blocking/blocking.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

// Keeps the work until it is told to do it.
class LaterBlocking final : public Blocking {
 public:
  Status submit(Work work, OnDone) override {
    if (full) return Error{Errc::OVERLOADED, "full"};
    works.push_back(std::move(work));
    return {};
  }
  bool full = false;
  std::deque<Work> works;
};

// Takes what is offered, and remembers it.
class Heard final : public Inbox {
 public:
  Status offer(Envelope&& envelope, caf::strong_actor_ptr, caf::message_id,
               caf::execution_unit*) override {
    offered.push_back(std::move(envelope));
    return {};
  }
  std::vector<Envelope> offered;
};

class Answered final : public Responder {
 public:
  explicit Answered(std::vector<Envelope>& answers) : answers_(answers) {}
  void respond(Envelope answer) noexcept override { answers_.push_back(std::move(answer)); }
  void abandon(const Header&) noexcept override {}

 private:
  std::vector<Envelope>& answers_;
};

class BridgedPeer : public ::testing::Test {
 protected:
  static constexpr PeerId kPeer = 7;

  BridgedPeer() { bridge_.peer_connected({.id = kPeer, .name = "peer"}); }

  // A component of that name that only listens.
  void settle_in(const std::string& name) { registry_.entry(name).value()->set({{}, &heard_}); }

  void ask(std::string_view target, std::uint64_t correlation = 1) {
    bridge_.receive(kPeer, target, request(correlation), std::make_unique<Answered>(answers_));
  }
  Envelope request(std::uint64_t correlation) const {
    Envelope request;
    request.header.protocol = protocol::Component::kId;
    request.header.correlation = correlation;
    request.header.deadline = clocks_.mono() + 5s;
    return request;
  }
  std::string last_failure() const {
    return answers_.empty() ? "no answer" : read_failure(answers_.back()).message;
  }

  ManualClocks clocks_;
  SeededRandom random_{1};
  ManualTicker ticker_{clocks_};
  LaterBlocking blocking_;
  Log log_{clocks_, {.node = "test"}};
  TelemetryRegistry telemetry_;
  Registry registry_;
  DeadLetters dead_letters_;
  Fences fences_;
  Services services_{clocks_,    random_,   ticker_,       blocking_, log_,
                     telemetry_, registry_, dead_letters_, fences_,   5s};
  ActorRuntime actors_{{.deterministic = true}};
  Heard heard_;
  std::vector<Envelope> answers_;
  LinkBridge bridge_{actors_.system(), services_};
};

// Looking for what was meant takes all names: never on the thread that reads the peer.
TEST_F(BridgedPeer, WhatWasMeantByANameThatNobodyHasIsLookedForElsewhere) {
  settle_in("/pit/artifacts");
  ask("/pit/artefacts");
  EXPECT_TRUE(answers_.empty());
  ASSERT_EQ(blocking_.works.size(), 1u);
  EXPECT_TRUE(blocking_.works.front()().ok());
  EXPECT_EQ(last_failure(), "nobody answers to /pit/artefacts (did you mean \"/pit/artifacts\"?)");
  EXPECT_EQ(read_failure(answers_.back()).code, Errc::UNAVAILABLE);
}

TEST_F(BridgedPeer, AskingForNamesThatNobodyHasInALoopLooksForThemNowAndThenOnly) {
  for (int i = 0; i < 1000; ++i) ask("/nobody/" + std::to_string(i));
  EXPECT_EQ(blocking_.works.size(), 1u);
  EXPECT_EQ(answers_.size(), 999u);
  EXPECT_EQ(last_failure(), "nobody answers to /nobody/999");
  clocks_.advance(1s);
  ask("/nobody");
  EXPECT_EQ(blocking_.works.size(), 2u);
}

TEST_F(BridgedPeer, ANameThatIsOnlyAwayForNowIsNotLookedFor) {
  settle_in("/pit/artifacts");
  registry_.entry("/pit/artifacts").value()->set({});
  ask("/pit/artifacts");
  EXPECT_TRUE(blocking_.works.empty());
  EXPECT_EQ(last_failure(), "nobody answers to /pit/artifacts");
}

TEST_F(BridgedPeer, ANameThatNobodyHasIsAnsweredWhenThePoolIsFull) {
  blocking_.full = true;
  ask("/nobody");
  EXPECT_EQ(last_failure(), "nobody answers to /nobody");
}

TEST_F(BridgedPeer, ANoticeToNobodyIsADeadLetter) {
  bridge_.receive(kPeer, "/nobody", request(0), nullptr);
  EXPECT_EQ(dead_letters_.count(), 1u);
}

// A component that keeps requests learns that nobody waits any more.
TEST_F(BridgedPeer, WhatAPeerStillWaitedForIsWithdrawnWhenItIsLost) {
  settle_in("/keeper");
  ask("/keeper", 11);
  ask("/keeper", 12);
  ASSERT_EQ(heard_.offered.size(), 2u);
  bridge_.peer_lost(kPeer, Error{Errc::UNAVAILABLE, "gone"});
  ASSERT_EQ(heard_.offered.size(), 5u);
  std::vector<std::uint64_t> asked{0}, withdrawn;  // 0: whatever else is kept for the peer
  for (const auto& one : heard_.offered)
    (one.header.kind == Kind::cancel ? withdrawn : asked).push_back(one.header.correlation);
  std::sort(withdrawn.begin(), withdrawn.end());
  EXPECT_EQ(withdrawn, asked);
  EXPECT_EQ(heard_.offered[2].header.sender, heard_.offered[0].header.sender);
}

TEST_F(BridgedPeer, OnlyTheRequestThatWasCancelledIsWithdrawn) {
  settle_in("/keeper");
  ask("/keeper", 11);
  ask("/keeper", 12);
  bridge_.cancelled(kPeer, 11);
  bridge_.cancelled(kPeer, 11);  // a second time, and one that never was: nothing
  bridge_.cancelled(kPeer, 99);
  ASSERT_EQ(heard_.offered.size(), 3u);
  EXPECT_EQ(heard_.offered[2].header.kind, Kind::cancel);
  EXPECT_EQ(heard_.offered[2].header.correlation, heard_.offered[0].header.correlation);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(read_failure(answers_[0]).code, Errc::CANCELLED);
}

TEST_F(BridgedPeer, ARequestWithoutATraceBeginsOneAndOneWithATraceKeepsIt) {
  settle_in("/a");
  ask("/a");
  EXPECT_TRUE(heard_.offered[0].header.trace.present());
  auto traced = request(2);
  traced.header.trace = {1, 2, 3};
  bridge_.receive(kPeer, "/a", std::move(traced), std::make_unique<Answered>(answers_));
  EXPECT_EQ(heard_.offered[1].header.trace, (TraceContext{1, 2, 3}));
}

TEST_F(BridgedPeer, TheLogIsToldOfPeersThatWereNotLetInButNotOfEach) {
  const auto told = [&] { return log_.read_after(0, 100).records.size(); };
  for (int i = 0; i < 50; ++i)
    bridge_.not_let_in(Error{Errc::RESOURCE_EXHAUSTED, "no descriptors", {}, true});
  EXPECT_EQ(told(), 1u);
  bridge_.not_let_in(Error{Errc::INTERNAL, "for good"});
  EXPECT_EQ(told(), 2u);
  clocks_.advance(1min);
  bridge_.not_let_in(Error{Errc::RESOURCE_EXHAUSTED, "no descriptors", {}, true});
  EXPECT_EQ(told(), 3u);
}

}  // namespace
}  // namespace symphony::runtime
