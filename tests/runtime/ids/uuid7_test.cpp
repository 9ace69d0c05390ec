#include "runtime/ids/uuid7.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Uuid7, CarriesVersionVariantAndTime) {
  ManualClocks clocks;
  SeededRandom random(1);
  Uuid7Generator generator(clocks, random);
  const Uuid id = generator.next();
  EXPECT_EQ(id.version(), 7);
  EXPECT_EQ(id.bytes[8] >> 6, 2);
  EXPECT_EQ(id.unix_ms(), ManualClocks::kStartWallNs / 1'000'000);
  EXPECT_FALSE(id.is_nil());
}

TEST(Uuid7, TheSameSeedAndTimeGiveTheSameIds) {
  const auto make = [] {
    ManualClocks clocks;
    SeededRandom random(42);
    Uuid7Generator generator(clocks, random);
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i) {
      ids.push_back(to_string(generator.next()));
      clocks.advance(300us);
    }
    return ids;
  };
  EXPECT_EQ(make(), make());
}

RC_GTEST_PROP(Uuid7, GrowsWhateverTheWallClockDoes, (std::uint64_t seed)) {
  ManualClocks clocks;
  SeededRandom random(seed);
  Uuid7Generator generator(clocks, random);
  const auto jumps_ms = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-5000, 5000));
  Uuid last = generator.next();
  for (const int jump : jumps_ms) {
    clocks.jump_wall(std::chrono::milliseconds(jump));
    const Uuid id = generator.next();
    RC_ASSERT(id > last);
    RC_ASSERT(to_string(id) > to_string(last));
    RC_ASSERT(id.version() == 7);
    last = id;
  }
}

// A source that only ever says "all ones": the fastest way to exhaust a millisecond.
class AllOnes final : public Random {
 public:
  std::uint64_t next() override { return ~0ULL; }
};

TEST(Uuid7, BorrowsTheNextMillisecondWhenOneIsExhausted) {
  ManualClocks clocks;
  AllOnes random;
  Uuid7Generator generator(clocks, random);
  Uuid last = generator.next();
  for (int i = 0; i < 10'000; ++i) {
    const Uuid id = generator.next();
    ASSERT_GT(id, last);
    ASSERT_EQ(id.version(), 7);
    last = id;
  }
}

TEST(Uuid7, ThreadsNeverGetTheSameId) {
  const SystemClocks clocks;
  SystemRandom random;
  Uuid7Generator generator(clocks, random);
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made)
      threads.emplace_back([&generator, &mine] {
        for (int i = 0; i < 2000; ++i) mine.push_back(generator.next());
      });
  }
  std::unordered_set<Uuid> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 8000u);
}

RC_GTEST_PROP(UuidText, RoundTrips, (std::uint64_t high, std::uint64_t low)) {
  const Uuid id = Uuid::from_halves(high, low);
  RC_ASSERT(id.high() == high);
  RC_ASSERT(id.low() == low);
  const Result<Uuid> read = parse_uuid(to_string(id));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == id);
}

TEST(UuidText, RefusesWhatIsNotAUuid) {
  EXPECT_TRUE(parse_uuid("018F3C1E-7B4A-7C3D-9E2F-0123456789AB").ok());
  for (const char* text :
       {"", "x", "018f3c1e7b4a7c3d9e2f0123456789ab", "018f3c1e-7b4a-7c3d-9e2f-0123456789ag",
        "018f3c1e-7b4a-7c3d-9e2f-0123456789abc", "018f3c1e-7b4a-7c3d-9e2f_0123456789ab"}) {
    const Result<Uuid> read = parse_uuid(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, Errc::INVALID_ARGUMENT);
  }
}

TEST(SeededRandom, RepeatsItsSequenceAndDiffersBySeed) {
  SeededRandom a(7), b(7), c(8);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t drawn = a.next();
    EXPECT_EQ(drawn, b.next());
    EXPECT_NE(drawn, c.next());
    seen.insert(drawn);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

RC_GTEST_PROP(Random, StaysBelowItsBound, (std::uint64_t seed)) {
  SeededRandom random(seed);
  const auto bound = *rc::gen::positive<std::uint64_t>();
  for (int i = 0; i < 50; ++i) {
    RC_ASSERT(random.below(bound) < bound);
    const double unit = random.unit();
    RC_ASSERT(unit >= 0.0 && unit < 1.0);
  }
}

TEST(Random, ReachesEveryNumberBelowASmallBound) {
  SystemRandom random;
  std::array<int, 8> counts{};
  for (int i = 0; i < 8000; ++i) ++counts[random.below(8)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 250);
}

}  // namespace
}  // namespace symphony::runtime
