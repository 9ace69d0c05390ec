// Seconds since 1970 as text and back, always UTC: "2026-03-01T12:00:00Z".
// Pure; no time zones, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/json_value.hpp"

namespace symphony::extensions {

inline constexpr std::int64_t kSecondsPerDay = 86'400;

std::string utc_text(std::int64_t time_s);

// Reads "YYYY-MM-DD" and "YYYY-MM-DDTHH:MM[:SS[.fff]][Z|+hh:mm]" (a space may stand for the T).
std::optional<std::int64_t> parse_utc(std::string_view text);

// A point in time as melodies give it: text as above, or seconds (or, from 10^11 on,
// milliseconds) since 1970.
std::optional<std::int64_t> time_of(const Json& value);

}  // namespace symphony::extensions
