// The functions of the expression language, as a table.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "extensions/operators/data/expression.hpp"
#include "extensions/operators/file/patterns.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/text/words.hpp"

namespace symphony::extensions {
namespace {

using Args = std::span<const Value>;

Result<Json> need(std::string_view what, const Json& value) {
  return invalid("needs " + std::string(what) + ", not " + value.type_name());
}

const std::string* text_at(Args args, std::size_t i) {
  return i < args.size() ? args[i].get().get_ptr<const std::string*>() : nullptr;
}

std::int64_t integer_at(Args args, std::size_t i, std::int64_t fallback) {
  return i < args.size() && args[i].get().is_number_integer() ? args[i].get().get<std::int64_t>()
                                                              : fallback;
}

// Null passes through the functions that format, so that an absent value stays blank.
template <class Format>
Result<Json> format_number(Args args, Format&& format) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json(nullptr);
  if (!value.is_number()) return need("a number", value);
  return Json(format(value));
}

template <class Change>
Result<Json> change_text(Args args, Change&& change) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json(nullptr);
  const auto* text = text_at(args, 0);
  if (!text) return need("text", value);
  return Json(change(*text));
}

std::string fixed_text(double value, int digits) {
  char buffer[400];
  const int length = std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return {buffer, static_cast<std::size_t>(length)};
}

std::string grouped(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  const std::size_t end = std::min(digits.find('.'), digits.size());
  for (std::size_t at = end; at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

int digits_at(Args args, std::size_t i, int fallback) {
  return static_cast<int>(std::clamp<std::int64_t>(integer_at(args, i, fallback), 0, 15));
}

Result<Json> thousands(Args args) {
  return format_number(args, [](const Json& value) {
    return grouped(value.is_number_integer() ? value.dump() : fixed_text(value.get<double>(), 2));
  });
}

Result<Json> bytes(Args args) {
  return format_number(args, [](const Json& value) -> std::string {
    static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = value.get<double>();
    std::size_t unit = 0;
    // From 1023.95 on one decimal would read 1024.0.
    for (; std::abs(size) >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < kUnits.size(); ++unit)
      size /= 1024;
    return fixed_text(size, unit == 0 ? 0 : 1) + " " + kUnits[unit];
  });
}

Result<Json> compact(Args args) {
  return format_number(args, [](const Json& value) -> std::string {
    static constexpr std::array kUnits = {"", "k", "M", "G", "T"};
    double number = value.get<double>();
    std::size_t unit = 0;
    for (; std::abs(number) >= 999.95 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
    std::string text = fixed_text(number, 1);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text + kUnits[unit];
  });
}

Result<Json> percent(Args args) {
  return format_number(args, [&](const Json& value) {
    return fixed_text(value.get<double>() * 100, digits_at(args, 1, 1)) + " %";
  });
}

Result<Json> fixed(Args args) {
  return format_number(args, [&](const Json& value) {
    return fixed_text(value.get<double>(), digits_at(args, 1, 2));
  });
}

// Proleptic Gregorian date of a day number, from Howard Hinnant's "chrono-compatible low-level
// date algorithms" (civil_from_days).
struct Civil {
  std::int64_t year;
  unsigned month, day;
};
Civil civil_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2), month,
          day_of_year - (153 * shifted + 2) / 5 + 1};
}

// Years 0000 to 9999; beyond that a date means a unit was mixed up.
constexpr std::int64_t kMinDateSeconds = -62'167'219'200;
constexpr std::int64_t kMaxDateSeconds = 253'402'300'799;

Result<Json> format_date(Args args, bool with_time) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json(nullptr);
  if (!value.is_number()) return need("seconds since 1970", value);
  const double stated = std::floor(value.get<double>());
  if (!(stated >= kMinDateSeconds && stated <= kMaxDateSeconds))
    return invalid("needs seconds since 1970; divide milliseconds by 1000");
  const auto seconds = static_cast<std::int64_t>(stated);
  const std::int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  const auto rest = static_cast<int>(seconds - days * 86400);
  const Civil date = civil_of(days);
  char buffer[64];
  int length = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year),
                             date.month, date.day);
  if (with_time) {
    length += std::snprintf(buffer + length, sizeof buffer - static_cast<std::size_t>(length),
                            " %02d:%02d UTC", rest / 3600, rest / 60 % 60);
  }
  return Json(std::string(buffer, static_cast<std::size_t>(length)));
}

Result<Json> date(Args args) { return format_date(args, false); }
Result<Json> datetime(Args args) { return format_date(args, true); }

Result<Json> duration(Args args) {
  return format_number(args, [](const Json& value) -> std::string {
    const double ms = value.get<double>();
    if (std::abs(ms) < 1000) return fixed_text(ms, 0) + " ms";
    if (std::abs(ms) < 60'000) return fixed_text(ms / 1000, 1) + " s";
    if (!(std::abs(ms) < 1e15)) return fixed_text(ms / 86'400'000, 0) + " d";
    const auto minutes = static_cast<std::int64_t>(ms / 60'000);
    if (std::abs(minutes) < 120)
      return std::to_string(minutes) + " min " +
             std::to_string(static_cast<std::int64_t>(ms / 1000) % 60) + " s";
    return std::to_string(minutes / 60) + " h " + std::to_string(std::abs(minutes) % 60) + " min";
  });
}

Json rounded(double value) {
  return std::abs(value) < 9e15 ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Result<Json> round_to(Args args) {
  const Json& value = args[0].get();
  if (value.is_null() || value.is_number_integer()) return Json(value);
  if (!value.is_number()) return need("a number", value);
  const int digits = digits_at(args, 1, 0);
  if (digits == 0) return rounded(std::round(value.get<double>()));
  const double scale = std::pow(10, digits);
  const double scaled = value.get<double>() * scale;
  return std::isfinite(scaled) ? Json(std::round(scaled) / scale) : Json(value);
}

Result<Json> floor_of(Args args) {
  const Json& value = args[0].get();
  if (value.is_null() || value.is_number_integer()) return Json(value);
  if (!value.is_number()) return need("a number", value);
  return rounded(std::floor(value.get<double>()));
}

Result<Json> number_function(Args args, double (*function)(double)) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json(nullptr);
  if (!value.is_number()) return need("a number", value);
  const double result = function(value.get<double>());
  return std::isfinite(result) ? Json(result) : Json(nullptr);
}

Result<Json> abs_of(Args args) {
  const Json& value = args[0].get();
  if (value.is_number_integer() &&
      value.get<std::int64_t>() > std::numeric_limits<std::int64_t>::min())
    return Json(value.is_number_unsigned() ? value : Json(std::abs(value.get<std::int64_t>())));
  return number_function(args, [](double x) { return std::abs(x); });
}
Result<Json> sqrt_of(Args args) {
  return number_function(args, [](double x) { return std::sqrt(x); });
}
Result<Json> log10_of(Args args) {
  return number_function(args, [](double x) { return std::log10(x); });
}

Result<Json> extreme(Args args, int sign) {
  const Json* best = nullptr;
  const auto consider = [&](const Json& value) {
    if (value.is_null()) return;
    if (!best || compare_values(value, *best) * sign > 0) best = &value;
  };
  for (const auto& arg : args) {
    if (args.size() == 1 && arg.get().is_array()) {
      for (const auto& item : arg.get()) consider(item);
    } else {
      consider(arg.get());
    }
  }
  return best ? Json(*best) : Json(nullptr);
}
Result<Json> min_of(Args args) { return extreme(args, -1); }
Result<Json> max_of(Args args) { return extreme(args, 1); }

Result<Json> length(Args args) {
  const Json& value = args[0].get();
  if (const auto* text = text_at(args, 0)) return Json(utf8_length(*text));
  return Json(value.is_null() ? 0 : value.size());
}

Result<Json> lower(Args args) {
  return change_text(args, [](std::string text) {
    std::ranges::transform(text, text.begin(), to_lower);
    return text;
  });
}
Result<Json> upper(Args args) {
  return change_text(args, [](std::string text) {
    std::ranges::transform(text, text.begin(), to_upper);
    return text;
  });
}
Result<Json> trim(Args args) {
  return change_text(args, [](const std::string& text) -> std::string {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  });
}
Result<Json> base_name(Args args) {
  return change_text(args,
                     [](const std::string& path) { return path.substr(path.rfind('/') + 1); });
}
Result<Json> directory(Args args) {
  return change_text(args, [](const std::string& path) -> std::string {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  });
}
Result<Json> extension(Args args) {
  return change_text(args, [](const std::string& path) -> std::string {
    const std::string name = path.substr(path.rfind('/') + 1);
    const auto dot = name.rfind('.');
    return dot == std::string::npos || dot == 0 ? "" : name.substr(dot + 1);
  });
}
Result<Json> first_part(Args args) {
  return change_text(args, [](const std::string& path) { return path.substr(0, path.find('/')); });
}

Result<Json> truncate(Args args) {
  return change_text(args, [&](const std::string& text) -> std::string {
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(integer_at(args, 1, 80), 1));
    if (utf8_length(text) <= limit) return text;
    std::size_t at = 0;
    for (std::size_t count = 0; count + 1 < limit; ++count) {
      const auto bytes = utf8_sequence_length(text, at);
      at += bytes == 0 ? 1 : bytes;
    }
    return text.substr(0, at) + "\u2026";
  });
}

Result<Json> replace(Args args) {
  const auto* from = text_at(args, 1);
  const auto* to = text_at(args, 2);
  if (!from || !to || from->empty()) return invalid("needs what to replace and by what, as text");
  const auto* text = text_at(args, 0);
  if (!text)
    return args[0].get().is_null() ? Result<Json>(Json(nullptr)) : need("text", args[0].get());
  std::string out;
  for (std::size_t at = 0;;) {
    const auto found = text->find(*from, at);
    out.append(*text, at, found - at);
    if (found == std::string::npos) break;
    out += *to;
    at = found + from->size();
    if (out.size() > kMaxTextResultBytes) return invalid("the text grows beyond its limit");
  }
  return Json(std::move(out));
}

Result<Json> starts_with(Args args) {
  const auto* text = text_at(args, 0);
  const auto* prefix = text_at(args, 1);
  return Json(text && prefix && text->starts_with(*prefix));
}
Result<Json> ends_with(Args args) {
  const auto* text = text_at(args, 0);
  const auto* suffix = text_at(args, 1);
  return Json(text && suffix && text->ends_with(*suffix));
}
Result<Json> glob(Args args) {
  const auto* path = text_at(args, 0);
  const auto* pattern = text_at(args, 1);
  if (!pattern) return need("a pattern", args[1].get());
  if (!path) return Json(false);
  PatternList list;
  list.add(decode_path(*pattern));
  return Json(list.covers(decode_path(*path)));
}

Result<Json> join(Args args) {
  const Json& list = args[0].get();
  if (list.is_null()) return Json("");
  if (!list.is_array()) return need("a list", list);
  const std::string separator = args.size() > 1 ? as_text(args[1].get()) : ", ";
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += separator;
    out += as_text(list[i]);
    if (out.size() > kMaxTextResultBytes) return invalid("the text grows beyond its limit");
  }
  return Json(std::move(out));
}

Result<Json> split(Args args) {
  const auto* separator = text_at(args, 1);
  if (!separator || separator->empty()) return invalid("needs a separator");
  const auto* text = text_at(args, 0);
  if (!text)
    return args[0].get().is_null() ? Result<Json>(Json::array()) : need("text", args[0].get());
  Json parts = Json::array();
  for (std::size_t at = 0;;) {
    const auto found = text->find(*separator, at);
    parts.push_back(text->substr(at, found - at));
    if (found == std::string::npos) break;
    at = found + separator->size();
  }
  return parts;
}

Result<Json> slice(Args args) {
  const Json& list = args[0].get();
  if (list.is_null()) return Json::array();
  if (!list.is_array()) return need("a list", list);
  const auto size = static_cast<std::int64_t>(list.size());
  const auto begin = std::clamp<std::int64_t>(integer_at(args, 1, 0), 0, size);
  const auto end = std::clamp<std::int64_t>(integer_at(args, 2, size), begin, size);
  Json out = Json::array();
  for (auto i = begin; i < end; ++i) out.push_back(list[static_cast<std::size_t>(i)]);
  return out;
}

Result<Json> sum(Args args) {
  const Json& list = args[0].get();
  if (list.is_null()) return Json(0);
  if (!list.is_array()) return need("a list of numbers", list);
  std::int64_t whole = 0;
  double real = 0;
  bool exact = true;
  for (const auto& item : list) {
    if (item.is_null()) continue;
    if (!item.is_number()) return need("a list of numbers", item);
    real += item.get<double>();
    exact = exact && item.is_number_integer() &&
            !__builtin_add_overflow(whole, item.get<std::int64_t>(), &whole);
  }
  return exact ? Json(whole) : Json(real);
}

// pluck(list, "field"): that field of every element.
Result<Json> pluck(Args args) {
  const Json& list = args[0].get();
  const auto* field = text_at(args, 1);
  if (!field) return need("a field's name", args[1].get());
  Json out = Json::array();
  if (list.is_null()) return out;
  if (!list.is_array()) return need("a list", list);
  for (const auto& item : list)
    out.push_back(item.is_object() && item.contains(*field) ? item[*field] : Json(nullptr));
  return out;
}

Result<Json> keys(Args args) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json::array();
  if (!value.is_object()) return need("an object", value);
  Json out = Json::array();
  for (const auto& [key, ignored] : value.items()) out.push_back(key);
  return out;
}

Result<Json> to_text(Args args) { return Json(as_text(args[0].get())); }
Result<Json> to_json(Args args) {
  return Json(args[0].get().dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<Json> to_number(Args args) {
  const Json& value = args[0].get();
  if (value.is_number()) return Json(value);
  const auto* text = text_at(args, 0);
  if (!text) return Json(nullptr);
  const char* begin = text->data();
  const char* end = begin + text->size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(begin, end, integer);
      parsed.ec == std::errc() && parsed.ptr == end)
    return Json(integer);
  double real = 0;
  const auto parsed = std::from_chars(begin, end, real);
  const bool good = parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(real);
  return good ? Json(real) : Json(nullptr);
}

// 1 file, 2 files: plural(n, "file") or plural(n, "entry", "entries").
Result<Json> plural(Args args) {
  const Json& count = args[0].get();
  const auto* one = text_at(args, 1);
  if (!count.is_number() || !one) return invalid("needs a number and a word");
  const bool single = count.is_number_integer() && count.get<std::int64_t>() == 1;
  const auto* many = text_at(args, 2);
  return Json(single ? *one : many ? *many : *one + "s");
}

// Sorted by name.
constexpr Function kFunctions[] = {
    {"abs", 1, 1, abs_of, "the absolute value"},
    {"basename", 1, 1, base_name, "what is behind the last slash of a path"},
    {"bytes", 1, 1, bytes, "a number of bytes as 1.5 KiB"},
    {"compact", 1, 1, compact, "a number as 1.5k, 2M"},
    {"date", 1, 1, date, "seconds since 1970 as 2024-02-29 (UTC)"},
    {"datetime", 1, 1, datetime, "seconds since 1970 as 2024-02-29 13:05 UTC"},
    {"directory", 1, 1, directory, "what is before the last slash of a path"},
    {"duration", 1, 1, duration, "milliseconds as 350 ms, 2.1 s, 3 min 5 s, 4 h 7 min"},
    {"ends_with", 2, 2, ends_with, "whether text ends with text"},
    {"extension", 1, 1, extension, "what is behind the last dot of a file name"},
    {"first_part", 1, 1, first_part, "what is before the first slash of a path"},
    {"fixed", 1, 2, fixed, "a number with n decimals (2)"},
    {"floor", 1, 1, floor_of, "the integer below"},
    {"glob", 2, 2, glob, "whether a path or a directory above it matches a .gitignore pattern"},
    {"join", 1, 2, join, "a list as one text with a separator (\", \") between"},
    {"json", 1, 1, to_json, "any value as JSON"},
    {"keys", 1, 1, keys, "the names of an object's fields"},
    {"length", 1, 1, length, "how many characters, elements or fields"},
    {"log10", 1, 1, log10_of, "the decimal logarithm"},
    {"lower", 1, 1, lower, "ASCII letters in lower case"},
    {"max", 1, 16, max_of, "the greatest of a list or of the arguments, null ignored"},
    {"min", 1, 16, min_of, "the smallest of a list or of the arguments, null ignored"},
    {"number", 1, 1, to_number, "text as a number, null when it is none"},
    {"percent", 1, 2, percent, "a share of 1 as 12.5 %, with n decimals (1)"},
    {"pluck", 2, 2, pluck, "one field of every element of a list"},
    {"plural", 2, 3, plural, "plural(n, \"file\"): file for 1, else files"},
    {"replace", 3, 3, replace, "text with every occurrence of one text replaced by another"},
    {"round", 1, 2, round_to, "a number rounded to n decimals (0)"},
    {"slice", 2, 3, slice, "elements from index to index (the end), exclusive"},
    {"split", 2, 2, split, "text cut at a separator into a list"},
    {"sqrt", 1, 1, sqrt_of, "the square root"},
    {"starts_with", 2, 2, starts_with, "whether text starts with text"},
    {"sum", 1, 1, sum, "the sum of a list, null ignored"},
    {"text", 1, 1, to_text, "any value as text"},
    {"thousands", 1, 1, thousands, "a number as 1,234,567"},
    {"trim", 1, 1, trim, "without white space at both ends"},
    {"truncate", 1, 2, truncate, "at most n characters (80), with an ellipsis when cut"},
    {"upper", 1, 1, upper, "ASCII letters in upper case"},
};

}  // namespace

std::span<const Function> functions() noexcept { return kFunctions; }

const Function* find_function(std::string_view name) noexcept {
  const auto found = std::ranges::find(kFunctions, name, &Function::name);
  return found == std::end(kFunctions) ? nullptr : &*found;
}

}  // namespace symphony::extensions
