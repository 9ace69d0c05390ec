// A Call that outlives its handler ends with its deadline, or when its asker takes it back.
#include <gtest/gtest.h>

#include <algorithm>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/component/link_bridge.hpp"
#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/runtime/component/scripted.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Script;
using testing::scripted;
using ProbeRef = WaitingRef<protocol::Probe>;

// A component that keeps what it is asked for and drops what is cancelled.
struct Keeper {
  Script script;
  std::vector<Script::KeepCall> kept;
  std::vector<std::uint64_t> cancelled;
  bool drops = true;
  std::vector<Errc> answers;  // to those who asked
  TestNode node;

  Keeper() {
    script.keep = [this](Host&, Script::KeepCall call) { kept.push_back(std::move(call)); };
    script.cancelled = [this](const Header& request) {
      cancelled.push_back(request.correlation);
      if (drops)
        std::erase_if(kept, [&](const auto& call) {
          return call.header().sender == request.sender &&
                 call.header().correlation == request.correlation;
        });
    };
    node.spawn("/test/keeper", scripted(script));
  }
};

TEST(KeptCall, EndsAtItsDeadlineWhereItIsKept) {
  Keeper keeper;
  ProbeRef ref{keeper.node.asker(), "/test/keeper"};
  ref.keep().within(250ms).then(
      [&](auto answer) { keeper.answers.push_back(answer.error().code); });
  ref.keep().within(10s).then([&](auto answer) { keeper.answers.push_back(answer.error().code); });
  keeper.node.advance(200ms);
  EXPECT_EQ(keeper.kept.size(), 2u);
  EXPECT_TRUE(keeper.cancelled.empty());
  keeper.node.advance(100ms);
  EXPECT_EQ(keeper.kept.size(), 1u);
  EXPECT_EQ(keeper.cancelled.size(), 1u);
  // And its asker is told, though nobody asks that one for anything.
  EXPECT_EQ(keeper.answers, (std::vector{Errc::DEADLINE_EXCEEDED}));
}

TEST(KeptCall, OfAComponentThatGaveUpEndsToo) {
  Keeper keeper;
  Script asking;
  asking.count = [&](Host& host) {
    Ref<protocol::Probe>{host, "/test/keeper"}.keep().within(1ms).then(
        [&](auto answer) { keeper.answers.push_back(answer.error().code); });
  };
  keeper.node.spawn("/test/asker", scripted(asking));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ProbeRef(keeper.node.asker(), "/test/asker").count());
  keeper.node.advance(1s);
  EXPECT_TRUE(keeper.kept.empty());
  EXPECT_EQ(keeper.answers, std::vector<Errc>(100, Errc::DEADLINE_EXCEEDED));
}

TEST(KeptCall, ThatIsAnsweredIsNotCancelledLater) {
  Keeper keeper;
  bool answered = false;
  ProbeRef ref{keeper.node.asker(), "/test/keeper"};
  ref.keep().within(250ms).then([&](auto answer) { answered = answer.ok(); });
  keeper.node.advance(100ms);
  keeper.kept.at(0).reply();
  keeper.node.advance(1s);
  EXPECT_TRUE(answered);
  EXPECT_TRUE(keeper.cancelled.empty());
}

TEST(KeptCall, MayBeAnsweredAfterItsDeadlineInVain) {
  Keeper keeper;
  keeper.drops = false;
  ProbeRef ref{keeper.node.asker(), "/test/keeper"};
  ref.keep().within(250ms).then(
      [&](auto answer) { keeper.answers.push_back(answer.error().code); });
  keeper.node.advance(1s);
  keeper.kept.at(0).reply();
  keeper.kept.clear();
  keeper.node.settle();
  EXPECT_EQ(keeper.answers, (std::vector{Errc::DEADLINE_EXCEEDED}));
  EXPECT_EQ(keeper.cancelled.size(), 1u);
}

TEST(KeptCall, ThatIsDroppedEarlyIsNotCancelledLater) {
  Keeper keeper;
  Errc code{};
  ProbeRef ref{keeper.node.asker(), "/test/keeper"};
  ref.keep().within(250ms).then([&](auto answer) { code = answer.error().code; });
  keeper.node.settle();
  keeper.kept.clear();
  keeper.node.advance(1s);
  EXPECT_EQ(code, Errc::INTERNAL);
  EXPECT_TRUE(keeper.cancelled.empty());
}

TEST(KeptCall, IsCancelledWhenAComponentTakesItBack) {
  Keeper keeper;
  Script asking;
  std::optional<Ref<protocol::Probe>> ref;
  std::uint64_t correlation = 0;
  asking.born = [&](Host& host) { ref.emplace(host, "/test/keeper"); };
  asking.echo = [&](Host&, Script::EchoCall call) {
    correlation = ref->keep().within(1min).then(
        [&](auto answer) { keeper.answers.push_back(answer.error().code); });
    call.reply();
  };
  asking.count = [&](Host&) { ref->cancel(correlation); };
  keeper.node.spawn("/test/asker", scripted(asking));
  ProbeRef asker{keeper.node.asker(), "/test/asker"};
  ASSERT_TRUE(asker.echo().get());
  keeper.node.settle();
  ASSERT_EQ(keeper.kept.size(), 1u);
  ASSERT_TRUE(asker.count());
  keeper.node.settle();
  EXPECT_TRUE(keeper.kept.empty());
  EXPECT_EQ(keeper.cancelled, (std::vector{correlation}));
  EXPECT_EQ(keeper.answers, (std::vector{Errc::CANCELLED}));
}

TEST(KeptCall, OfAStepIsNoMatterOfTheComponents) {
  Keeper keeper;
  std::optional<Step> kept;
  keeper.script.stop = [&](Step step) { kept.emplace(std::move(step)); };
  WaitingRef<protocol::Component> life{keeper.node.asker(), "/test/keeper"};
  EXPECT_EQ(life.stop().within(250ms).get().error().code, Errc::DEADLINE_EXCEEDED);
  keeper.node.advance(1s);
  EXPECT_TRUE(keeper.cancelled.empty());
  keeper.script.mailbox->post([&] { kept->done(); });
  keeper.node.settle();
  EXPECT_FALSE(keeper.node.lives("/test/keeper"));
}

// ---- of peers beyond a link ---------------------------------------------------------------------

// Writes down what comes back.
struct Answers final : Responder {
  explicit Answers(std::vector<Errc>& all) : all_(all) {}
  void respond(Envelope answer) noexcept override {
    if (answer.header.kind == Kind::failure) all_.push_back(read_failure(answer).code);
  }
  void abandon(const Header&) noexcept override {}
  std::vector<Errc>& all_;
};

struct Linked : Keeper {
  LinkBridge bridge{node.system(), node.services()};

  Linked() { bridge.peer_connected({.id = 7}); }
  void ask(std::uint64_t correlation, Nanos timeout, TraceContext trace = {}) {
    Envelope request;
    request.header.trace = trace;
    request.header.protocol = protocol::Probe::kId;
    request.header.method = protocol::Probe::Keep::kOrdinal;
    request.header.correlation = correlation;
    request.header.deadline = node.clocks().mono() + timeout;
    request.words = Words::build<messages::KeepRequest>([](auto) {});
    bridge.receive(7, "/test/keeper", std::move(request), std::make_unique<Answers>(answers));
    node.settle();
  }
};

TEST(KeptCall, OfAPeerEndsAtItsDeadlineAndThePeerIsTold) {
  Linked linked;
  linked.ask(1, 250ms);
  EXPECT_EQ(linked.kept.size(), 1u);
  linked.node.advance(300ms);
  EXPECT_TRUE(linked.kept.empty());
  EXPECT_EQ(linked.answers, (std::vector{Errc::DEADLINE_EXCEEDED}));
}

TEST(KeptCall, OfAPeerThatIsLostIsCancelled) {
  Linked linked;
  linked.ask(1, 1min);
  linked.ask(2, 1min);
  linked.bridge.peer_lost(7, Error{Errc::UNAVAILABLE, "gone"});
  linked.node.settle();
  EXPECT_TRUE(linked.kept.empty());
  // Each of them, and once that nobody of that peer asks any more (correlation 0).
  EXPECT_EQ(linked.cancelled.size(), 3u);
  EXPECT_EQ(std::ranges::count(linked.cancelled, 0u), 1);
}

TEST(KeptCall, ThatAPeerCancelsIsTheOneThatIsCancelled) {
  Linked linked;
  linked.ask(1, 1min);
  linked.ask(2, 1min);
  linked.bridge.cancelled(7, 2);
  linked.node.settle();
  ASSERT_EQ(linked.kept.size(), 1u);
  EXPECT_EQ(linked.answers, (std::vector{Errc::CANCELLED}));
  linked.bridge.cancelled(7, 2);
  linked.node.settle();
  EXPECT_EQ(linked.kept.size(), 1u);
}

TEST(LinkBridge, BeginsATraceForARequestThatHasNone) {
  Linked linked;
  linked.ask(1, 1min);
  linked.ask(2, 1min);
  linked.ask(3, 1min, {4, 5, 6});
  ASSERT_EQ(linked.kept.size(), 3u);
  EXPECT_TRUE(linked.kept[0].header().trace.present());
  EXPECT_TRUE(linked.kept[1].header().trace.present());
  EXPECT_NE(linked.kept[0].header().trace, linked.kept[1].header().trace);
  EXPECT_EQ(linked.kept[2].header().trace, (TraceContext{4, 5, 6}));
}

TEST(LinkBridge, GivesAComponentUrgentRequestsOfPeersBeforeWhatWaits) {
  Linked linked;
  std::vector<std::string> order;
  linked.script.count = [&](Host&) { order.push_back("count"); };
  ASSERT_TRUE(ProbeRef(linked.node.asker(), "/test/keeper").count());
  struct Health final : Responder {
    explicit Health(std::vector<std::string>& order) : order_(order) {}
    void respond(Envelope) noexcept override { order_.push_back("health"); }
    void abandon(const Header&) noexcept override {}
    std::vector<std::string>& order_;
  };
  Envelope request;
  request.header.protocol = protocol::Component::kId;
  request.header.method = protocol::Component::Health::kOrdinal;
  request.words = Words::build<messages::HealthRequest>([](auto) {});
  linked.bridge.receive(7, "/test/keeper", std::move(request), std::make_unique<Health>(order));
  linked.node.settle();
  EXPECT_EQ(order, (std::vector<std::string>{"health", "count"}));
}

}  // namespace
}  // namespace symphony::runtime
