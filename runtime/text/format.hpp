// Sizes, numbers and times as people read them, and times read back: one way for the command line,
// reports, charts and expressions. Pure and thread-safe; no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace symphony::runtime {

// ---- numbers ------------------------------------------------------------------------------------
std::string format_count(std::int64_t number);            // "-12,345"
std::string format_fixed(double number, int decimals);    // "3.10"; never exponential
std::string format_grouped(double number, int decimals);  // "12,345.68"
std::string format_compact(double number);                // "950", "1.5k", "2M"
// A share of 1 with so many decimals: "12.5 %".
std::string format_percent(double share, int decimals);
// The same with as many decimals as are worth reading: "12 %", "0.4 %", "< 0.1 %".
std::string format_share(double share);
// "1 file", "12 files", "2 halves": `many` is `one` with an s unless it is given.
std::string format_plural(std::int64_t count, std::string_view one, std::string_view many = {});

// ---- sizes --------------------------------------------------------------------------------------
std::string format_bytes(double bytes);  // "512 B", "1.5 KiB": steps of 1,024

// ---- durations ----------------------------------------------------------------------------------
// "350 ns", "12.3 µs", "2 s", "3 min 5 s", "4 h 7 min", "12 d".
std::string format_duration_ns(double ns);
// How long ago, in days: "today", "12 days", "5 months", "2.5 years".
std::string format_age_days(std::int64_t days);

// ---- points in time, in seconds since 1970 ------------------------------------------------------
inline constexpr std::int64_t kSecondsPerDay = 86'400;
// Years 0000 to 9999; what is beyond is written as the nearest of them.
inline constexpr std::int64_t kMinFormattedTime_s = -62'167'219'200;
inline constexpr std::int64_t kMaxFormattedTime_s = 253'402'300'799;

std::string format_utc(std::int64_t time_s);         // "2024-02-29T13:05:09Z"
std::string format_utc_date(std::int64_t time_s);    // "2024-02-29"
std::string format_utc_minute(std::int64_t time_s);  // "2024-02-29 13:05 UTC"
std::string format_local_time(std::int64_t time_s);  // "2024-02-29 14:05:09", where the machine is

// Reads "YYYY-MM-DD" and "YYYY-MM-DDTHH:MM[:SS[.fff]][Z|+hh:mm]" (a space may stand for the T).
std::optional<std::int64_t> parse_utc(std::string_view text);

}  // namespace symphony::runtime
