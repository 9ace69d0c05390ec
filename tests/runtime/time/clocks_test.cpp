#include "runtime/time/clocks.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

TEST(SystemClocks, CoarseTimeIsMonotonicTimeALittleBehind) {
  const SystemClocks clocks;
  const MonoTime coarse = clocks.coarse();
  const MonoTime exact = clocks.mono();
  EXPECT_LE(coarse, exact);
  EXPECT_LT(exact - coarse, 10s);  // the same clock, not another epoch
}

TEST(SystemClocks, NeverGoBack) {
  const SystemClocks clocks;
  MonoTime last = clocks.mono();
  for (int i = 0; i < 1000; ++i) {
    const MonoTime now = clocks.mono();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(SystemClocks, WallTimeIsUnixTime) {
  const SystemClocks clocks;
  const auto seconds = clocks.wall_ns() / 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(seconds), static_cast<double>(std::time(nullptr)), 2.0);
}

TEST(ManualClocks, MoveOnlyWhenTold) {
  ManualClocks clocks;
  const MonoTime start = clocks.mono();
  EXPECT_EQ(clocks.mono(), start);
  clocks.advance(5ms);
  EXPECT_EQ(clocks.mono() - start, 5ms);
  EXPECT_EQ(clocks.coarse(), clocks.mono());
  EXPECT_EQ(clocks.wall_ns(), ManualClocks::kStartWallNs + 5'000'000);
  clocks.advance_to(start);
  EXPECT_EQ(clocks.mono() - start, 5ms);
  clocks.advance_to(start + 8ms);
  EXPECT_EQ(clocks.mono() - start, 8ms);
}

TEST(ManualClocks, AJumpOfTheWallClockLeavesMonotonicTimeAlone) {
  ManualClocks clocks;
  const MonoTime start = clocks.mono();
  clocks.jump_wall(-1h);
  EXPECT_EQ(clocks.mono(), start);
  EXPECT_EQ(clocks.wall_ns(), ManualClocks::kStartWallNs - 3'600'000'000'000);
}

}  // namespace
}  // namespace symphony::runtime
