// What a handler asks and starts is done for its request: deadline and trace go with it.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
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

constexpr TraceContext kTrace{1, 2, 3};

// /test/asker, whose handler goes on in some way and then asks /test/probe.
struct Asking {
  Script script;
  std::int64_t deadline_in_ms = -1;  // that the probe saw
  std::uint64_t trace_low = 0;
  TestNode node;

  // `go_on(host, then)` calls `then` where the probe shall be asked.
  explicit Asking(std::function<void(Host&, std::function<void()>)> go_on,
                  Nanos own_timeout = 60s) {
    script.echo = [this, go_on, own_timeout](Host& host, Script::EchoCall call) {
      auto kept = std::make_shared<Script::EchoCall>(std::move(call));
      go_on(host, [this, &host, kept, own_timeout] {
        Ref<protocol::Probe>{host, "/test/probe"}
            .echo()
            .within(own_timeout)
            .then([this, kept](auto answer) {
              ASSERT_TRUE(answer) << to_string(answer.error());
              deadline_in_ms = (*answer)->getDeadlineInMs();
              trace_low = (*answer)->getTraceLow();
              kept->reply();
            });
      });
    };
    node.spawn("/test/probe", [](Host& host) { return std::make_unique<Probe>(host); });
    node.spawn("/test/asker", scripted(script));
  }

  void ask(Nanos timeout) {
    Envelope request;
    request.header.protocol = protocol::Probe::kId;
    request.header.method = protocol::Probe::Echo::kOrdinal;
    request.header.trace = kTrace;
    request.words = Words::build<messages::EchoRequest>([](auto) {});
    const auto target = node.asker().resolve("/test/asker");
    node.asker().ask(*target, std::move(request), node.clocks().mono() + timeout, [](auto) {});
    node.advance(timeout + 1s);
  }
};

TEST(Inheritance, HoldsAfterBlockingWork) {
  Asking asking{[](Host& host, std::function<void()> then) {
    host.run_blocking([] { return 1; }, [then](Result<int>) { then(); });
  }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 300);
  EXPECT_EQ(asking.trace_low, kTrace.trace_low);
}

TEST(Inheritance, HoldsAfterATimerThatIsDueBeforeTheDeadline) {
  Asking asking{
      [](Host& host, std::function<void()> then) { host.after(100ms, [then] { then(); }); }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 200);
  EXPECT_EQ(asking.trace_low, kTrace.trace_low);
}

TEST(Inheritance, HoldsAfterATaskThatTheComponentPostsToItself) {
  Asking asking{
      [](Host& host, std::function<void()> then) { host.mailbox()->post([then] { then(); }); }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 300);
  EXPECT_EQ(asking.trace_low, kTrace.trace_low);
}

TEST(Inheritance, HoldsThroughSeveralOfThem) {
  Asking asking{[](Host& host, std::function<void()> then) {
    host.run_blocking([] {},
                      [&host, then](Status) {
                        host.after(100ms,
                                   [&host, then] { host.mailbox()->post([then] { then(); }); });
                      });
  }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 200);
  EXPECT_EQ(asking.trace_low, kTrace.trace_low);
}

TEST(Inheritance, OfADeadlineEndsWithATimerThatIsDueAfterIt) {
  Asking asking{
      [](Host& host, std::function<void()> then) { host.after(400ms, [then] { then(); }); }, 7s};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 7000);
  EXPECT_EQ(asking.trace_low, kTrace.trace_low);
}

TEST(Inheritance, DoesNotReachWorkOfTheComponentsOwn) {
  Asking asking{[](Host& host, std::function<void()> then) {
    host.on_own_behalf([&] { host.mailbox()->post([then] { then(); }); });
  }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 60'000);
  EXPECT_EQ(asking.trace_low, 0u);
}

TEST(Inheritance, ComesBackAfterWorkOfTheComponentsOwn) {
  Asking asking{[](Host& host, std::function<void()> then) {
    host.on_own_behalf([] {});
    then();
  }};
  asking.ask(300ms);
  EXPECT_EQ(asking.deadline_in_ms, 300);
}

TEST(Inheritance, GivesWhatOneRequestAsksOneSpanInItsTrace) {
  Script listening, asking;
  std::vector<TraceContext> heard;
  listening.echo = [&](Host&, Script::EchoCall call) {
    heard.push_back(call.header().trace);
    call.reply();
  };
  asking.echo = [](Host& host, Script::EchoCall call) {
    Ref<protocol::Probe> probe{host, "/test/probe"};
    probe.echo().then([](auto) {});
    probe.echo().then([](auto) {});
    call.reply();
  };
  TestNode node;
  node.spawn("/test/probe", scripted(listening));
  node.spawn("/test/asker", scripted(asking));
  const auto target = node.asker().resolve("/test/asker");
  for (int i = 0; i < 2; ++i) {
    Envelope request;
    request.header.protocol = protocol::Probe::kId;
    request.header.method = protocol::Probe::Echo::kOrdinal;
    request.header.trace = kTrace;
    request.words = Words::build<messages::EchoRequest>([](auto) {});
    ASSERT_TRUE(node.asker().ask_and_wait(*target, std::move(request), kNoDeadline));
    node.settle();
  }
  ASSERT_EQ(heard.size(), 4u);
  for (const auto& trace : heard) {
    EXPECT_EQ(trace.trace_high, kTrace.trace_high);
    EXPECT_EQ(trace.trace_low, kTrace.trace_low);
    EXPECT_NE(trace.span, kTrace.span);
  }
  EXPECT_EQ(heard[0].span, heard[1].span);
  EXPECT_EQ(heard[2].span, heard[3].span);
  EXPECT_NE(heard[0].span, heard[2].span);
}

TEST(Inheritance, DoesNotReachWhatOthersPost) {
  TestNode node;
  Script script;
  Host* asker = nullptr;
  script.born = [&](Host& host) { asker = &host; };
  node.spawn("/test/probe", [](Host& host) { return std::make_unique<Probe>(host); });
  node.spawn("/test/asker", scripted(script));
  std::int64_t deadline_in_ms = 0;
  // Another component handles a request with a deadline when it posts.
  Script other;
  other.echo = [&](Host&, Script::EchoCall call) {
    script.mailbox->post([&] {
      Ref<protocol::Probe>{*asker, "/test/probe"}.echo().within(60s).then(
          [&](auto answer) { deadline_in_ms = (*answer)->getDeadlineInMs(); });
    });
    call.reply();
  };
  node.spawn("/test/other", scripted(other));
  ASSERT_TRUE(WaitingRef<protocol::Probe>(node.asker(), "/test/other").echo().within(300ms).get());
  node.settle();
  EXPECT_EQ(deadline_in_ms, 60'000);
}

TEST(Time, OfAnAskIsCountedFromWhenItIsMadeNotFromWhenItsBatchBegan) {
  Asking asking{nullptr, 2s};
  auto& node = asking.node;
  Script& script = asking.script;
  script.echo = [&node](Host& host, Script::EchoCall call) {
    node.clocks().advance(3s);  // the handler works
    const auto before = host.now();
    EXPECT_EQ(before, node.clocks().mono());
    Ref<protocol::Probe>{host, "/test/probe"}.echo().within(2s).then(
        [call = std::move(call)](auto answer) mutable {
          ASSERT_TRUE(answer) << to_string(answer.error());
          call.reply([&](auto out) { out.setDeadlineInMs((*answer)->getDeadlineInMs()); });
        });
  };
  const auto answer =
      WaitingRef<protocol::Probe>(node.asker(), "/test/asker").echo().within(1min).get();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ((*answer)->getDeadlineInMs(), 2000);
}

TEST(Time, OfATimerIsCountedFromWhenItIsArmed) {
  TestNode node;
  Script script;
  MonoTime armed, fired;
  script.count = [&](Host& host) {
    node.clocks().advance(3s);
    armed = node.clocks().mono();
    host.after(2s, [&] { fired = node.clocks().mono(); });
  };
  node.spawn("/test/asker", scripted(script));
  ASSERT_TRUE(WaitingRef<protocol::Probe>(node.asker(), "/test/asker").count());
  node.advance(10s);
  EXPECT_GE(fired, armed + 2s);
  EXPECT_LE(fired, armed + 2s + 20ms);
}

TEST(Time, OfAnAskWithoutATimeoutIsTheNodesFromWhenItIsMade) {
  TestNode node;
  Script script;
  std::int64_t deadline_in_ms = 0;
  script.count = [&](Host& host) {
    node.clocks().advance(3s);
    Ref<protocol::Probe>{host, "/test/probe"}.echo().then(
        [&](auto answer) { deadline_in_ms = (*answer)->getDeadlineInMs(); });
  };
  node.spawn("/test/probe", [](Host& host) { return std::make_unique<Probe>(host); });
  node.spawn("/test/asker", scripted(script));
  ASSERT_TRUE(WaitingRef<protocol::Probe>(node.asker(), "/test/asker").count());
  node.settle();
  EXPECT_EQ(
      deadline_in_ms,
      std::chrono::duration_cast<std::chrono::milliseconds>(node.services().ask_timeout).count());
}

}  // namespace
}  // namespace symphony::runtime
