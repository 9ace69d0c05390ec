#include "runtime/process/launch_core.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Time = LaunchCore::Time;

const Time kStart{1h};

TEST(LaunchCore, ReportsAProgramThatLeavesNobodyWithOneWord) {
  LaunchCore core;
  const auto actions = core.exited(false);
  EXPECT_TRUE(actions.report_exit);
  EXPECT_TRUE(actions.report_gone);
  EXPECT_TRUE(core.over());
  EXPECT_FALSE(core.all_gone().report_gone);
}

TEST(LaunchCore, LeavesThoseThatAProgramLeftBehindUntilItIsToldToEndThem) {
  LaunchCore core;
  const auto exited = core.exited(true);
  EXPECT_TRUE(exited.report_exit);
  EXPECT_FALSE(exited.report_gone);
  EXPECT_FALSE(core.next_tick());
  EXPECT_FALSE(core.tick(kStart + 1h).kill);
  EXPECT_TRUE(core.end(kStart, 100ms).terminate);
  const auto gone = core.all_gone();
  EXPECT_FALSE(gone.report_exit);
  EXPECT_TRUE(gone.report_gone);
  EXPECT_TRUE(core.over());
}

TEST(LaunchCore, AsksFirstAndKillsAfterTheGrace) {
  LaunchCore core;
  const auto asked = core.end(kStart, 100ms);
  EXPECT_TRUE(asked.terminate);
  EXPECT_FALSE(asked.kill);
  EXPECT_EQ(core.next_tick(), kStart + 100ms);
  EXPECT_FALSE(core.tick(kStart + 99ms).kill);
  EXPECT_TRUE(core.tick(kStart + 100ms).kill);
}

TEST(LaunchCore, KillsAtOnceWithoutAGrace) {
  LaunchCore core;
  const auto actions = core.end(kStart, 0ms);
  EXPECT_TRUE(actions.terminate);
  EXPECT_TRUE(actions.kill);
}

TEST(LaunchCore, KillsAgainWhoeverIsStillThere) {
  LaunchCore core;
  (void)core.end(kStart, 0ms);
  EXPECT_FALSE(core.tick(kStart + LaunchCore::kKillPeriod - 1ms).kill);
  EXPECT_EQ(core.next_tick(), kStart + LaunchCore::kKillPeriod);
  EXPECT_TRUE(core.tick(kStart + LaunchCore::kKillPeriod).kill);
  EXPECT_TRUE(core.tick(kStart + 2 * LaunchCore::kKillPeriod).kill);
}

TEST(LaunchCore, ASecondEndShortensTheGraceAndNeverExtendsIt) {
  LaunchCore core;
  (void)core.end(kStart, 1000ms);
  EXPECT_FALSE(core.end(kStart + 1ms, 5000ms).terminate);
  EXPECT_EQ(core.next_tick(), kStart + 1000ms);
  EXPECT_TRUE(core.end(kStart + 2ms, 0ms).kill);
}

TEST(LaunchCore, DoesNothingOnceItIsOver) {
  LaunchCore core;
  (void)core.exited(false);
  const auto actions = core.end(kStart, 0ms);
  EXPECT_FALSE(actions.terminate || actions.kill || actions.report_exit || actions.report_gone);
  EXPECT_FALSE(core.next_tick());
}

// Whatever happens in whatever order: SIGTERM at most once and not after SIGKILL, each report once
// and in order, and what is to end is killed by its deadline.
RC_GTEST_PROP(LaunchCoreProperty, KeepsItsOrderInEveryHistory, ()) {
  LaunchCore core;
  Time now = kStart;
  bool exited = false, gone = false, terminated = false, killed = false;
  int exit_reports = 0, gone_reports = 0;
  std::optional<Time> kill_by;
  const auto check = [&](const LaunchCore::Actions& actions) {
    if (actions.terminate) {
      RC_ASSERT(!terminated && !killed);
      terminated = true;
    }
    killed = killed || actions.kill;
    exit_reports += actions.report_exit ? 1 : 0;
    gone_reports += actions.report_gone ? 1 : 0;
    RC_ASSERT(gone_reports <= exit_reports && exit_reports <= 1);
    RC_ASSERT(!actions.report_exit || exited);
    RC_ASSERT(!actions.report_gone || gone);
  };
  const auto steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps && !core.over(); ++i) {
    now += std::chrono::milliseconds(*rc::gen::inRange(0, 50));
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        if (exited) break;
        exited = true;
        gone = *rc::gen::arbitrary<bool>();
        check(core.exited(!gone));
        break;
      case 1:
        if (!exited || gone) break;
        gone = true;
        check(core.all_gone());
        break;
      case 2: {
        const auto grace = std::chrono::milliseconds(*rc::gen::inRange(0, 100));
        if (!kill_by || now + grace < *kill_by) kill_by = now + grace;
        check(core.end(now, grace));
        RC_ASSERT(terminated);
        break;
      }
      default:
        check(core.tick(now));
        if (kill_by && now >= *kill_by) RC_ASSERT(killed);
    }
    if (!core.over() && kill_by) RC_ASSERT(core.next_tick().has_value());
  }
  RC_ASSERT(core.over() == (exited && gone));
  RC_ASSERT(gone_reports == (core.over() ? 1 : 0));
}

}  // namespace
}  // namespace symphony::runtime
