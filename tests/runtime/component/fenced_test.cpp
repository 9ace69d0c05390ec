// An incarnation that was given up while a thread was stuck in it says nothing any more.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/runtime/component/scripted.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Script;
using testing::scripted;
using ProbeRef = WaitingRef<protocol::Probe>;

// /test/stuck is fenced in the midst of its handler, which then does something.
struct Stuck {
  Script script;
  Script listening;  // of /test/listener
  int heard = 0;
  std::vector<Errc> answers;  // to whoever asked /test/stuck
  TestNode node;

  explicit Stuck(std::function<void(Host&)> then) {
    listening.echo = [this](Host&, Script::EchoCall call) {
      ++heard;
      call.reply();
    };
    listening.count = [this](Host&) { ++heard; };
    listening.cancelled = [this](const Header&) { ++heard; };
    node.spawn("/test/listener", scripted(listening));
    script.echo = [this, then](Host& host, Script::EchoCall call) {
      node.incarnation("/test/stuck").fence();
      then(host);
      call.reply();
    };
    node.spawn("/test/stuck", scripted(script));
  }

  void run() {
    ProbeRef ref{node.asker(), "/test/stuck"};
    ref.echo().within(1min).then(
        [this](auto answer) { answers.push_back(answer ? Errc{} : answer.error().code); });
    node.settle();
  }
};

TEST(Fenced, AnIncarnationsAnswersAreDropped) {
  Stuck stuck{[](Host&) {}};
  stuck.run();
  EXPECT_TRUE(stuck.answers.empty());
}

TEST(Fenced, AnIncarnationTellsAsksAndCancelsNothing) {
  std::optional<Ref<protocol::Probe>> ref;
  std::uint64_t before = 0;
  Status told;
  bool continued = false;
  Stuck stuck{[&](Host&) {
    told = ref->count();
    ref->echo().then([&](auto) { continued = true; });
    ref->cancel(before);
  }};
  stuck.script.count = [&](Host& host) {
    ref.emplace(host, "/test/listener");
    before = ref->keep().within(1min).then([](auto) {});
  };
  stuck.listening.keep = [kept = std::make_shared<std::vector<Script::KeepCall>>()](
                             Host&, Script::KeepCall call) { kept->push_back(std::move(call)); };
  ASSERT_TRUE(ProbeRef(stuck.node.asker(), "/test/stuck").count());
  stuck.node.settle();
  stuck.run();
  EXPECT_EQ(told.error().code, Errc::UNAVAILABLE);
  EXPECT_EQ(stuck.heard, 0);
  EXPECT_FALSE(continued);
}

TEST(Fenced, AnIncarnationStartsNoTimersAndNoWork) {
  int ran = 0;
  Stuck stuck{[&](Host& host) {
    host.after(10ms, [&] { ++ran; });
    host.run_blocking([&] { ++ran; }, [&](Status) { ++ran; });
    host.mailbox()->post([&] { ++ran; });
  }};
  stuck.run();
  stuck.node.advance(1s);
  EXPECT_EQ(ran, 0);
}

TEST(Fenced, AnIncarnationSpawnsNothing) {
  Script child;
  bool born = false;
  child.born = [&](Host&) { born = true; };
  std::string refusal;
  Stuck stuck{[&](Host& host) {
    const auto handle = host.spawner().spawn(
        std::make_shared<const ComponentSpec>(ComponentSpec{"/test/child", "", scripted(child)}), 1,
        [] {});
    if (!handle) refusal = handle.error().message;
  }};
  stuck.run();
  EXPECT_FALSE(born);
  EXPECT_EQ(refusal, "/test/stuck got stuck and was given up");
}

TEST(Fenced, AnIncarnationsFenceIsSeenByWhatSpeaksInItsName) {
  std::function<bool()> fence;
  bool before = true;
  Stuck stuck{[](Host&) {}};
  stuck.script.count = [&](Host& host) {
    fence = host.fence();
    before = fence();
  };
  ASSERT_TRUE(ProbeRef(stuck.node.asker(), "/test/stuck").count());
  stuck.node.settle();
  EXPECT_FALSE(before);
  stuck.run();
  stuck.node.advance(1s);
  EXPECT_TRUE(fence());  // though the component is gone
}

}  // namespace
}  // namespace symphony::runtime
