#include "runtime/text/format.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace symphony::runtime {
namespace {

TEST(Format, GroupsDigitsByThree) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(-1'234'567), "-1,234,567");
  EXPECT_EQ(format_count(INT64_MIN), "-9,223,372,036,854,775,808");
  EXPECT_EQ(format_grouped(-1234.5, 2), "-1,234.50");
  EXPECT_EQ(format_compact(950), "950");
  EXPECT_EQ(format_compact(1500), "1.5k");
  EXPECT_EQ(format_compact(999'960), "1M");
}

TEST(Format, WritesSizesInStepsOf1024WithoutEverReading1024) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(1024.0 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(12'345'678), "11.8 MiB");
}

TEST(Format, WritesSharesWithTheDecimalsWorthReading) {
  EXPECT_EQ(format_share(0), "0 %");
  EXPECT_EQ(format_share(0.0001), "< 0.1 %");
  EXPECT_EQ(format_share(0.054), "5.4 %");
  EXPECT_EQ(format_share(1), "100 %");
  EXPECT_EQ(format_percent(0.1234, 1), "12.3 %");
}

TEST(Format, CountsThings) {
  EXPECT_EQ(format_plural(1, "file"), "1 file");
  EXPECT_EQ(format_plural(1'200, "file"), "1,200 files");
  EXPECT_EQ(format_plural(2, "is", "are"), "2 are");
}

TEST(Format, WritesDurationsAndAgesAsPeopleSayThem) {
  EXPECT_EQ(format_duration_ns(0), "0 s");
  EXPECT_EQ(format_duration_ns(350), "350 ns");
  EXPECT_EQ(format_duration_ns(12'340), "12.3 µs");
  EXPECT_EQ(format_duration_ns(350e6), "350 ms");
  EXPECT_EQ(format_duration_ns(999.7e6), "1.0 s");
  EXPECT_EQ(format_duration_ns(2.14e9), "2.1 s");
  EXPECT_EQ(format_duration_ns(185e9), "3 min 5 s");
  EXPECT_EQ(format_duration_ns(14'820e9), "4 h 7 min");
  EXPECT_EQ(format_duration_ns(86'400e9 * 1234), "1,234 d");
  EXPECT_EQ(format_age_days(-3), "today");
  EXPECT_EQ(format_age_days(1), "1 day");
  EXPECT_EQ(format_age_days(75), "2 months");
  EXPECT_EQ(format_age_days(1'000), "2.7 years");
}

TEST(Format, WritesPointsInTime) {
  EXPECT_EQ(format_utc(1'577'836'800), "2020-01-01T00:00:00Z");
  EXPECT_EQ(format_utc_date(-1), "1969-12-31");
  EXPECT_EQ(format_utc_minute(1'709'211'900), "2024-02-29 13:05 UTC");
  EXPECT_EQ(format_utc(INT64_MIN), "0000-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(INT64_MAX), "9999-12-31T23:59:59Z");
}

TEST(Format, ReadsTimesWithOffsetsAndRefusesWhatIsNone) {
  EXPECT_EQ(parse_utc("2020-01-01"), 1'577'836'800);
  EXPECT_EQ(parse_utc("2020-01-01T01:30:00.123+01:30"), 1'577'836'800);
  EXPECT_EQ(parse_utc("2020-01-01 00:00"), 1'577'836'800);
  for (const char* text :
       {"2020-02-30", "2020-01-01Tx", "2020-01-01T24:00", "", "soon", "2020-01-01T00:00+1"}) {
    EXPECT_EQ(parse_utc(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Format, ReadsBackEveryTimeThatItWrites, ()) {
  const auto time_s = *rc::gen::inRange<std::int64_t>(kMinFormattedTime_s, kMaxFormattedTime_s);
  RC_ASSERT(parse_utc(format_utc(time_s)) == time_s);
}

}  // namespace
}  // namespace symphony::runtime
