#include "runtime/text/suggest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace symphony::runtime {
namespace {

const std::vector<std::string> kWords{"timeout_ms", "retry", "needs", "when"};

TEST(Suggest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(suggest("timeoutms", kWords), "timeout_ms");
  EXPECT_EQ(suggest("rerty", kWords), "retry");
  EXPECT_EQ(suggest("NEEDS", kWords), "needs");
}

TEST(Suggest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(suggest("colour", kWords), std::nullopt);
  EXPECT_EQ(suggestion_suffix("colour", kWords), "");
  EXPECT_EQ(suggest("", kWords), std::nullopt);
}

}  // namespace
}  // namespace symphony::runtime
