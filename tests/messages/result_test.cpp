#include "messages/result.hpp"

#include <gtest/gtest.h>

namespace symphony {
namespace {

TEST(Result, HoldsEitherAValueOrAnError) {
  Result<int> good = 7;
  Result<int> bad = Error{Errc::NOT_FOUND, "no such number"};
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Errc::NOT_FOUND);
}

TEST(Result, ErrorsReadAsASentenceWithTheFieldTheyName) {
  const Error error{Errc::INVALID_ARGUMENT, "must not be empty", "nodes[3].use"};
  EXPECT_EQ(to_string(error), "invalidArgument: must not be empty (field nodes[3].use)");
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorIsABrokenInvariant) {
  Result<int> bad = Error{Errc::INTERNAL, "x"};
  EXPECT_DEATH((void)bad.value(), "broken invariant: ok\\(\\)");
}

}  // namespace
}  // namespace symphony
