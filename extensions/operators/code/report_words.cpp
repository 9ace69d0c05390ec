#include <array>
#include <cmath>
#include <cstdio>

#include "extensions/operators/code/report.hpp"

namespace symphony::extensions::code {
namespace {

std::string decimal(double number, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return number < 0 ? "-" + digits : digits;
}

std::string bytes_text(std::int64_t size_bytes) {
  constexpr std::array<const char*, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (size_bytes < 1'000) return plural(size_bytes, "byte");
  double size = static_cast<double>(size_bytes) / 1'000;
  std::size_t unit = 0;
  for (; size >= 999.5 && unit + 1 < kUnits.size(); ++unit) size /= 1'000;
  return decimal(size, size < 9.95 ? "%.1f " : "%.0f ") + kUnits[unit];
}

std::string percent(double share) {
  const double hundredths = share * 100;
  if (hundredths > 0 && hundredths < 0.05) return "< 0.1 %";
  return decimal(hundredths, hundredths < 9.95 && hundredths > 0 ? "%.1f %%" : "%.0f %%");
}

std::string age_text(std::int64_t days) {
  if (days <= 0) return "today";
  if (days < 60) return plural(days, "day");
  if (days < 730) return plural(days / 30, "month");
  return decimal(static_cast<double>(days) / 365.25, "%.1f years");
}

std::string plural(std::int64_t count, const std::string& one, const std::string& many) {
  return grouped(count) + " " + (count == 1 ? one : many.empty() ? one + "s" : many);
}

std::int64_t integer_at(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& list_at(const Json& object, const char* key) {
  static const Json kNothing = Json::array();
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNothing;
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace symphony::extensions::code
