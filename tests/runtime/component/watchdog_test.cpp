#include "runtime/component/watchdog.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <future>

#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const MonoTime kStart{1h};
constexpr WatchdogOptions kOptions{.workers = 4, .limit = 10s, .interval = 1s};

int a, b, c;  // places that stand for incarnations

// Looks every second from `kStart` until `seconds` later; what the last look said.
Names look_for(WatchdogCore& core, int seconds, const std::vector<BusyHandler>& busy) {
  Names lost;
  for (int i = 0; i <= seconds; ++i) lost = core.look(kStart + i * 1s, busy);
  return lost;
}

TEST(Watchdog, ReportsWhenHalfOfTheWorkersAreStuckForLongerThanTheLimit) {
  WatchdogCore core{kOptions};
  const std::vector<BusyHandler> busy{{&a, kStart, "/a"}, {&b, kStart, "/b"}};
  EXPECT_EQ(look_for(core, 10, busy), Names{});
  EXPECT_EQ(core.look(kStart + 11s, busy), (Names{"/a", "/b"}));
}

TEST(Watchdog, IsSilentWhileMoreThanHalfOfTheWorkersRun) {
  WatchdogCore core{kOptions};
  EXPECT_EQ(look_for(core, 100, {{&a, kStart, "/a"}}), Names{});
}

TEST(Watchdog, CountsAFencedIncarnationAndItsSuccessorOfTheSameName) {
  WatchdogCore core{kOptions};
  EXPECT_EQ(look_for(core, 11, {{&a, kStart, "/a"}, {&b, kStart, "/a"}}), (Names{"/a", "/a"}));
}

TEST(Watchdog, AHandlerThatEndsBeginsAnew) {
  WatchdogCore core{kOptions};
  for (int i = 0; i < 100; ++i) {
    // Always busy, but never with the same for longer than five seconds.
    const MonoTime since = kStart + (i / 5) * 5s;
    EXPECT_EQ(core.look(kStart + i * 1s, {{&a, since, "/a"}, {&b, since, "/b"}}), Names{});
  }
}

TEST(Watchdog, DoesNotCountTimeInWhichItCouldNotLook) {
  WatchdogCore core{kOptions};
  const std::vector<BusyHandler> busy{{&a, kStart, "/a"}, {&b, kStart, "/b"}};
  EXPECT_EQ(look_for(core, 1, busy), Names{});
  EXPECT_EQ(core.look(kStart + 1h, busy), Names{});
  EXPECT_EQ(core.look(kStart + 1h + 1s, busy), Names{});
}

RC_GTEST_PROP(Watchdog, NeverReportsHandlersThatEndWithinTheLimit, ()) {
  WatchdogCore core{kOptions};
  std::map<const void*, MonoTime> since;
  MonoTime now = kStart;
  for (int step = 0; step < 60; ++step) {
    now += std::chrono::milliseconds(*rc::gen::inRange(1, 4000));
    std::vector<BusyHandler> busy;
    for (const void* life : {static_cast<const void*>(&a), static_cast<const void*>(&b),
                             static_cast<const void*>(&c)}) {
      auto& began = since.try_emplace(life, now).first->second;
      if (now - began > kOptions.limit || *rc::gen::inRange(0, 4) == 0) began = now;
      busy.push_back({life, began, "/x"});
    }
    RC_ASSERT(core.look(now, busy).empty());
  }
}

TEST(Watchdog, SeesHandlersOfLivingAndOfFencedIncarnations) {
  TelemetryRegistry telemetry;
  const auto stuck = telemetry.open("/a", kStart).value();
  stuck->handler_began(0, kStart);
  const auto successor = telemetry.open("/a", kStart).value();
  successor->work_began(kStart + 1s);
  const auto idle = telemetry.open("/b", kStart).value();
  const auto busy = busy_handlers(telemetry);
  ASSERT_EQ(busy.size(), 2u);
  EXPECT_EQ(busy[0].life, successor.get());
  EXPECT_EQ(busy[1].life, stuck.get());
}

TEST(Watchdog, CallsFromItsOwnThreadWhenTheWorkersAreLost) {
  SystemClocks clocks;
  TelemetryRegistry telemetry;
  const auto stats = telemetry.open("/stuck", clocks.mono()).value();
  stats->handler_began(0, clocks.mono());
  std::promise<std::pair<Names, std::thread::id>> promise;
  auto told = promise.get_future();
  Watchdog watchdog{
      {.workers = 2, .limit = 5ms, .interval = 1ms}, telemetry, clocks, [&](const Names& lost) {
        promise.set_value({lost, std::this_thread::get_id()});
      }};
  ASSERT_EQ(told.wait_for(30s), std::future_status::ready);
  const auto [lost, thread] = told.get();
  EXPECT_EQ(lost, Names{"/stuck"});
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(Watchdog, EndsAtOnceHoweverLongItsInterval) {
  SystemClocks clocks;
  TelemetryRegistry telemetry;
  const auto began = std::chrono::steady_clock::now();
  {
    const Watchdog watchdog{
        {.workers = 2, .limit = 24h, .interval = 24h}, telemetry, clocks, [](const Names&) {
          ADD_FAILURE() << "nobody is lost";
        }};
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1h);
}

}  // namespace
}  // namespace symphony::runtime
