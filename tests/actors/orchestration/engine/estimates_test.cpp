#include "actors/orchestration/engine/estimates.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

TEST(DurationEstimates, FollowTheDurationsOfAKeyAndFallBackToTheMeanOfAll) {
  DurationEstimates estimates;
  EXPECT_DOUBLE_EQ(estimates.estimate_us("a"), 1.0);
  estimates.observe("a", 100);
  estimates.observe("b", 300);
  EXPECT_DOUBLE_EQ(estimates.estimate_us("c"), 200);
  estimates.observe("a", 200);
  EXPECT_DOUBLE_EQ(estimates.estimate_us("a"), 130);
}

}  // namespace
}  // namespace symphony::actors
