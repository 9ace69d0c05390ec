// When a node that a command started ends.
#include "actors/bootstrap/linger.hpp"

#include <gtest/gtest.h>

namespace symphony::bootstrap {
namespace {

using namespace std::chrono_literals;

constexpr runtime::MonoTime kStart{1000s};

TEST(Linger, EndsSomeTimeAfterNobodyIsThere) {
  Linger linger{3s, kStart};
  EXPECT_FALSE(linger.look(0, 0, 0, kStart + 2s));
  EXPECT_TRUE(linger.look(0, 0, 0, kStart + 3s));
}

TEST(Linger, CountsFromTheLastClientAndTheLastRun) {
  Linger linger{3s, kStart};
  EXPECT_FALSE(linger.look(1, 1, 0, kStart + 10s));
  EXPECT_FALSE(linger.look(0, 1, 2, kStart + 20s));
  EXPECT_FALSE(linger.look(0, 1, 0, kStart + 22s));
  EXPECT_TRUE(linger.look(0, 1, 0, kStart + 23s));
}

TEST(Linger, SeesAClientThatCameAndWentBetweenTwoLooks) {
  Linger linger{3s, kStart};
  EXPECT_FALSE(linger.look(0, 1, 0, kStart + 4s));
  EXPECT_FALSE(linger.look(0, 1, 0, kStart + 6s));
  EXPECT_TRUE(linger.look(0, 1, 0, kStart + 7s));
}

TEST(Linger, MakesWayAsSoonAsNobodyIsThere) {
  Linger linger{3s, kStart};
  linger.make_way();
  EXPECT_FALSE(linger.look(1, 1, 0, kStart));
  EXPECT_FALSE(linger.look(0, 1, 1, kStart));
  EXPECT_TRUE(linger.look(0, 1, 0, kStart));
}

TEST(Linger, MakesWayForWhoLooksInAgainAndAgain) {
  Linger linger{3s, kStart};
  linger.make_way();
  EXPECT_TRUE(linger.look(0, 7, 0, kStart));
}

}  // namespace
}  // namespace symphony::bootstrap
