#include "actors/orchestration/engine/result_store.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

TEST(ResultStore, ForgetsWhatWasNotUsedForLongest) {
  ResultStore store(900);
  const auto value = [](char c) { return std::make_shared<const Json>(std::string(300, c)); };
  store.put(1, value('a'));
  store.put(2, value('b'));
  ASSERT_NE(store.find(1), nullptr);
  store.put(3, value('c'));
  EXPECT_NE(store.find(1), nullptr);
  EXPECT_EQ(store.find(2), nullptr);
  EXPECT_LE(store.bytes(), 900u);
}

TEST(ResultStore, KeepsWhatTheJournalMayNotHaveYet) {
  ResultStore store(1);
  store.put(1, std::make_shared<const Json>("held"), true);
  store.put(2, std::make_shared<const Json>("not held"));
  ASSERT_NE(store.find(1), nullptr);
  EXPECT_EQ(*store.find(1), "held");
  EXPECT_EQ(store.find(2), nullptr);
  store.journalled(1);
  EXPECT_EQ(store.find(1), nullptr);
}

TEST(ResultStore, KeepsTheItemsOfAMappedNodeUntilTheyAreDropped) {
  ResultStore store(1);
  store.put_items(3, std::make_shared<const std::vector<Json>>(1'000, Json("an item")));
  ASSERT_NE(store.find_items(3), nullptr);
  store.drop_items(3);
  EXPECT_EQ(store.find_items(3), nullptr);
}

TEST(ResultStore, KnowsHowDeepAValueIs) {
  Json value = Json::array();
  for (int level = 1; level < 64; ++level) value = Json::array({1, std::move(value)});
  EXPECT_FALSE(is_deeper_than(value, 64));
  EXPECT_TRUE(is_deeper_than(value, 63));
  value = Json{{"in", std::move(value)}};
  EXPECT_TRUE(is_deeper_than(value, 64));
  EXPECT_FALSE(is_deeper_than("text", 0));
}

}  // namespace
}  // namespace symphony::actors
