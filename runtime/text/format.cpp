#include "runtime/text/format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace symphony::runtime {
namespace {

// Digits in groups of three before the point.
std::string grouped(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  const std::size_t end = std::min(digits.find('.'), digits.size());
  for (std::size_t at = end; at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string two_parts(std::int64_t first, const char* unit, std::int64_t second,
                      const char* smaller_unit) {
  return std::to_string(first) + unit + std::to_string(std::abs(second)) + smaller_unit;
}

// Three digits at most.
std::string scaled(double number, const char* unit) {
  return format_fixed(number, std::abs(number) < 99.95 && number != std::floor(number) ? 1 : 0) +
         unit;
}

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second;
};

Civil civil_of(std::int64_t time_s) {
  using namespace std::chrono;
  const sys_seconds time{seconds{std::clamp(time_s, kMinFormattedTime_s, kMaxFormattedTime_s)}};
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{time - midnight};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

template <class... Arguments>
std::string printed(const char* format, Arguments... arguments) {
  std::array<char, 96> text;
  std::snprintf(text.data(), text.size(), format, arguments...);
  return text.data();
}

// Takes exactly `width` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::int64_t seconds = *hour * 3600 + *minute * 60;
  if (!take(text, ':')) return seconds;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;
  if (take(text, '.')) {
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  }
  return seconds + *second;
}

std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return 0;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour) return std::nullopt;
  take(text, ':');
  const auto minute = take_number(text, 2);
  if (!minute) return std::nullopt;
  return sign * (*hour * 3600 + *minute * 60);
}

}  // namespace

std::string format_count(std::int64_t number) { return grouped(std::to_string(number)); }

std::string format_fixed(double number, int decimals) {
  std::array<char, 400> text;
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string format_grouped(double number, int decimals) {
  return grouped(format_fixed(number, decimals));
}

std::string format_compact(double number) {
  constexpr std::array kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; std::abs(number) >= 999.95 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  std::string text = format_fixed(number, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + kUnits[unit];
}

std::string format_percent(double share, int decimals) {
  return format_fixed(share * 100, decimals) + " %";
}

std::string format_share(double share) {
  const double hundredths = share * 100;
  if (hundredths > 0 && hundredths < 0.05) return "< 0.1 %";
  return format_percent(share, hundredths > 0 && hundredths < 9.95 ? 1 : 0);
}

std::string format_plural(std::int64_t count, std::string_view one, std::string_view many) {
  std::string text = format_count(count) + " ";
  if (count == 1) return text.append(one);
  return many.empty() ? text.append(one) + "s" : text.append(many);
}

std::string format_bytes(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  // From 1023.95 on one decimal would read 1024.0.
  for (; std::abs(bytes) >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < kUnits.size(); ++unit)
    bytes /= 1024;
  return format_fixed(bytes, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string format_duration_ns(double ns) {
  if (ns == 0) return "0 s";
  const double size = std::abs(ns);
  if (size < 1e3) return scaled(ns, " ns");
  if (size < 999.5e3) return scaled(ns / 1e3, " µs");
  if (size < 999.5e6) return scaled(ns / 1e6, " ms");
  if (size < 59.95e9) return scaled(ns / 1e9, " s");
  if (!(size < 1e21)) return format_fixed(ns / 86'400e9, 0) + " d";
  const auto seconds = static_cast<std::int64_t>(ns / 1e9);
  if (std::abs(seconds) < 3600) return two_parts(seconds / 60, " min ", seconds % 60, " s");
  if (std::abs(seconds) < 10 * kSecondsPerDay)
    return two_parts(seconds / 3600, " h ", seconds / 60 % 60, " min");
  return format_count(seconds / kSecondsPerDay) + " d";
}

std::string format_age_days(std::int64_t days) {
  if (days <= 0) return "today";
  if (days < 60) return format_plural(days, "day");
  if (days < 730) return format_plural(days / 30, "month");
  return format_fixed(static_cast<double>(days) / 365.25, 1) + " years";
}

std::string format_utc(std::int64_t time_s) {
  const Civil c = civil_of(time_s);
  return printed("%04d-%02u-%02uT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                 c.second);
}

std::string format_utc_date(std::int64_t time_s) {
  const Civil c = civil_of(time_s);
  return printed("%04d-%02u-%02u", c.year, c.month, c.day);
}

std::string format_utc_minute(std::int64_t time_s) {
  const Civil c = civil_of(time_s);
  return printed("%04d-%02u-%02u %02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute);
}

std::string format_local_time(std::int64_t time_s) {
  const std::time_t time = time_s;
  std::tm parts{};
  ::localtime_r(&time, &parts);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_number(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t midnight =
      static_cast<std::int64_t>(sys_days{date}.time_since_epoch().count()) * kSecondsPerDay;
  if (text.empty()) return midnight;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return midnight + *clock - *offset;
}

}  // namespace symphony::runtime
