// From when a component begins to stop, its handlers do not run.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/utf8.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/runtime/component/scripted.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Script;
using testing::scripted;
using ProbeRef = WaitingRef<protocol::Probe>;

struct Stopping {
  Script script;
  std::optional<Step> stop;
  std::vector<std::string> ran;
  TestNode node;

  Stopping() {
    script.stop = [this](Step step) {
      ran.push_back("stop");
      stop.emplace(std::move(step));
    };
    script.echo = [this](Host&, Script::EchoCall call) {
      ran.push_back("echo");
      call.reply();
    };
    script.count = [this](Host&) { ran.push_back("count"); };
    script.cancelled = [this](const Header&) { ran.push_back("cancelled"); };
  }
};

TEST(Stopping, RefusesWhatWaitsAndRunsNoHandler) {
  Stopping it;
  it.node.spawn("/test/it", scripted(it.script));
  ProbeRef ref{it.node.asker(), "/test/it"};
  std::vector<Errc> answers;
  const auto asked = ref.echo().then([&](auto answer) { answers.push_back(answer.error().code); });
  ASSERT_TRUE(ref.count());
  ref.cancel(asked);  // waits behind what it cancels
  ref.echo().then([&](auto answer) { answers.push_back(answer.error().code); });
  ref.stop().then([](auto) {});  // urgent: overtakes all of them
  it.node.settle();
  EXPECT_EQ(it.ran, (std::vector<std::string>{"stop"}));
  EXPECT_EQ(answers, (std::vector{Errc::CANCELLED, Errc::UNAVAILABLE}));
  EXPECT_EQ(it.node.dead_letters().count(), 1u);
  it.script.mailbox->post([&] { it.stop->done(); });
  it.node.settle();
  EXPECT_FALSE(it.node.lives("/test/it"));
}

TEST(Stopping, HappensOnce) {
  Stopping it;
  it.node.spawn("/test/it", scripted(it.script));
  ProbeRef ref{it.node.asker(), "/test/it"};
  std::vector<bool> answers;
  ref.stop().then([&](auto answer) { answers.push_back(answer.ok()); });
  ref.stop().then([&](auto answer) { answers.push_back(answer.ok()); });
  it.node.settle();
  EXPECT_EQ(it.ran, (std::vector<std::string>{"stop"}));
  EXPECT_EQ(answers, (std::vector{false}));
  it.script.mailbox->post([&] { it.stop->done(); });
  it.node.settle();
  EXPECT_EQ(answers, (std::vector{false, true}));
}

TEST(Stopping, IsNotUndoneByTheStepThatItOvertook) {
  Stopping it;
  std::optional<Step> start;
  it.script.start = [&](Step step) { start.emplace(std::move(step)); };
  const auto spawned =
      spawn_component(
          it.node.system(), it.node.services(),
          std::make_shared<const ComponentSpec>(ComponentSpec{"/test/it", "", scripted(it.script)}),
          1, [] {})
          .value();
  {
    WaitingRef<protocol::Component> life{
        it.node.asker(), std::make_unique<LocalTarget>("/test/it", spawned.address)};
    ASSERT_TRUE(life.prepare().get());
    Errc started{};
    life.start().within(1min).then([&](auto answer) { started = answer.error().code; });
    life.stop().within(1min).then([](auto) {});
    it.node.settle();
    ASSERT_TRUE(start && it.stop);
    it.script.mailbox->post([&] { start->done(); });
    it.node.settle();
    EXPECT_EQ(started, Errc::CANCELLED);
    EXPECT_EQ(spawned.life->state(), messages::ComponentState::STOPPING);
    it.script.mailbox->post([&] { it.stop->done(); });
    it.node.settle();
    EXPECT_TRUE(spawned.life->ended());
  }
}

TEST(Urgent, MessagesGoBeforeWhatWaits) {
  Stopping it;
  it.node.spawn("/test/it", scripted(it.script));
  ProbeRef ref{it.node.asker(), "/test/it"};
  ref.echo().then([](auto) {});
  ref.health().then([&](auto) { it.ran.push_back("health"); });
  ref.drain().then([&](auto) { it.ran.push_back("drain"); });
  it.node.settle();
  EXPECT_EQ(it.ran, (std::vector<std::string>{"health", "echo", "drain"}));
}

TEST(Text, OfAnExceptionIsValidWhereverItIsShown) {
  Stopping it;
  it.script.echo = [](Host&, Script::EchoCall) { throw std::runtime_error("no file caf\xe9"); };
  it.script.count = [](Host& host) { host.set_state_line("reads caf\xe9\nand more"); };
  it.node.spawn("/test/it", scripted(it.script));
  ProbeRef ref{it.node.asker(), "/test/it"};
  ASSERT_TRUE(ref.count());
  const auto described = ref.describe().get();
  ASSERT_TRUE(described);
  it.node.settle();
  const auto answer = ref.echo().get();
  EXPECT_NE(answer.error().message.find("no file caf\\xe9"), std::string::npos)
      << answer.error().message;
  const auto snapshot = it.node.telemetry().find("/test/it")->snapshot();
  EXPECT_EQ(snapshot.state_line, "reads caf\\xe9");
  ASSERT_EQ(snapshot.errors.size(), 1u);
  EXPECT_TRUE(is_utf8(snapshot.errors[0].text));
  EXPECT_TRUE(is_utf8(it.node.incarnation("/test/it").reason()));
  EXPECT_FALSE(it.node.incarnation("/test/it").reason().empty());
}

TEST(Text, OfAReasonIsValid) {
  Incarnation life{"/test/it", 1, nullptr};
  life.set_reason("caf\xe9");
  EXPECT_EQ(life.reason(), "caf\\xe9");
}

}  // namespace
}  // namespace symphony::runtime
