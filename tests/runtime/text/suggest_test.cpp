#include "runtime/text/suggest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace symphony::runtime {
namespace {

const std::vector<std::string> kWords{"timeout_ms", "retry", "needs", "when"};

TEST(Suggest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(suggest("timeoutms", kWords), "timeout_ms");
  EXPECT_EQ(suggest("rerty", kWords), "retry");
  EXPECT_EQ(suggest("NEEDS", kWords), "needs");
}

TEST(Suggest, PrefersTheNearerOfTwoThatWouldDo) {
  const std::vector<std::string> words{"cores_min", "cores_max", "cores_mix"};
  EXPECT_EQ(suggest("cores_mxa", words), "cores_max");
  EXPECT_EQ(suggest("cores_mix", words), "cores_mix");
  EXPECT_EQ(suggest("cores_m", words), "cores_min");
}

RC_GTEST_PROP(Suggest, FindsAWordOfWhichTwoNeighboursWereSwappedWhereverTheyAre, ()) {
  const auto word = *rc::gen::elementOf(kWords);
  const auto at = *rc::gen::inRange<std::size_t>(0, word.size() - 1);
  auto typed = word;
  std::swap(typed[at], typed[at + 1]);
  RC_ASSERT(suggest(typed, kWords) == word);
}

RC_GTEST_PROP(Suggest, FindsAWordWithOneLetterTooManyWhereverItIs, ()) {
  const auto word = *rc::gen::elementOf(kWords);
  const auto at = *rc::gen::inRange<std::size_t>(0, word.size() + 1);
  RC_ASSERT(suggest(std::string{word}.insert(at, "x"), kWords) == word);
}

TEST(Suggest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(suggest("colour", kWords), std::nullopt);
  EXPECT_EQ(suggestion_suffix("colour", kWords), "");
  EXPECT_EQ(suggest("", kWords), std::nullopt);
}

}  // namespace
}  // namespace symphony::runtime
