#include "runtime/system/slab.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

namespace symphony::runtime {
namespace {

TEST(Slab, GivesEachValueBackOnceAndOnlyByItsOwnId) {
  Slab<std::unique_ptr<std::string>> slab{4};
  const auto a = slab.add(std::make_unique<std::string>("a"));
  const auto b = slab.add(std::make_unique<std::string>("b"));
  EXPECT_NE(a, b);
  ASSERT_NE(slab.find(a), nullptr);
  EXPECT_EQ(**slab.find(a), "a");
  EXPECT_EQ(**slab.take(a), "a");
  EXPECT_FALSE(slab.take(a).has_value());
  EXPECT_EQ(slab.find(a), nullptr);
  const auto c = slab.add(std::make_unique<std::string>("c"));  // in the place of the first
  EXPECT_FALSE(slab.take(a).has_value());
  EXPECT_EQ(**slab.take(c), "c");
  EXPECT_EQ(**slab.take(b), "b");
  EXPECT_TRUE(slab.empty());
}

TEST(Slab, KnowsNoIdThatItNeverGave) {
  Slab<int> slab{4};
  EXPECT_FALSE(slab.take(0).has_value());
  EXPECT_FALSE(slab.take(~std::uint64_t{0}).has_value());
  slab.add(1);
  EXPECT_FALSE(slab.take(0).has_value());
  EXPECT_FALSE(slab.take(1).has_value());
  EXPECT_EQ(slab.size(), 1u);
}

TEST(Slab, IsFullAtItsLimitAndNotBefore) {
  Slab<int> slab{2};
  EXPECT_FALSE(slab.full());
  const auto first = slab.add(1);
  EXPECT_FALSE(slab.full());
  slab.add(2);
  EXPECT_TRUE(slab.full());
  slab.take(first);
  EXPECT_FALSE(slab.full());
  slab.add(3);
  EXPECT_TRUE(slab.full());
}

TEST(Slab, GivesIdsThatFitInSixtyBitsHoweverOftenAPlaceIsUsed) {
  Slab<int> slab{1};
  std::set<std::uint64_t> given;
  for (int i = 0; i < 1000; ++i) {
    const auto id = slab.add(i);
    EXPECT_EQ(id >> 60, 0u);
    EXPECT_TRUE(given.insert(id).second);
    EXPECT_EQ(slab.take(id), i);
  }
}

TEST(Slab, TakesAndVisitsThoseThatAreMeant) {
  Slab<int> slab{100};
  std::map<std::uint64_t, int> held;
  for (int i = 0; i < 10; ++i) held[slab.add(i)] = i;
  EXPECT_EQ(slab.take_if([](int value) { return value % 2 == 1; }), (std::vector{1, 3, 5, 7, 9}));
  EXPECT_EQ(slab.size(), 5u);
  std::erase_if(held, [](const auto& entry) { return entry.second % 2 == 1; });
  std::map<std::uint64_t, int> seen;
  slab.each([&](std::uint64_t id, int value) { seen[id] = value; });
  EXPECT_EQ(seen, held);
}

RC_GTEST_PROP(Slab, IsAMapFromIdsToValues, ()) {
  Slab<int> slab{20};
  std::map<std::uint64_t, int> model;
  std::set<std::uint64_t> gone;
  for (const int step : *rc::gen::container<std::vector<int>>(200, rc::gen::inRange(0, 1000))) {
    RC_ASSERT(slab.size() == model.size());
    RC_ASSERT(slab.full() == (model.size() == 20));
    if (step % 2 == 0 && !slab.full()) {
      const auto id = slab.add(step);
      RC_ASSERT(gone.count(id) == 0 && model.emplace(id, step).second);
    } else if (!model.empty()) {
      const auto at = std::next(model.begin(), step % static_cast<int>(model.size()));
      RC_ASSERT(slab.take(at->first) == at->second);
      gone.insert(at->first);
      model.erase(at);
    }
    for (const auto id : gone) RC_ASSERT(slab.find(id) == nullptr);
    for (const auto& [id, value] : model) RC_ASSERT(*slab.find(id) == value);
  }
}

}  // namespace
}  // namespace symphony::runtime
