// The functions of the expression language, as a table.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "messages/utf8.hpp"
#include "runtime/language/expression.hpp"
#include "runtime/text/format.hpp"
#include "runtime/text/path_text.hpp"
#include "runtime/text/patterns.hpp"

namespace symphony::language {
namespace {

using Args = std::span<const Value>;

Error invalid(std::string message) { return {Errc::INVALID_ARGUMENT, std::move(message)}; }

// ASCII letters only, whatever the process's locale.
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// How many bytes the code point at `at` takes; a stray byte counts as one.
std::size_t code_point_bytes(std::string_view text, std::size_t at) {
  return std::max<std::size_t>(utf8_sequence_length(text.substr(at)), 1);
}
std::size_t utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += code_point_bytes(text, at)) ++count;
  return count;
}

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

int digits_at(Args args, std::size_t i, int fallback) {
  return static_cast<int>(std::clamp<std::int64_t>(integer_at(args, i, fallback), 0, 15));
}

Result<Json> thousands(Args args) {
  return format_number(args, [](const Json& value) {
    if (!value.is_number_integer()) return runtime::format_grouped(value.get<double>(), 2);
    return value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX
               ? runtime::format_grouped(value.get<double>(), 0)
               : runtime::format_count(value.get<std::int64_t>());
  });
}

Result<Json> bytes(Args args) {
  return format_number(
      args, [](const Json& value) { return runtime::format_bytes(value.get<double>()); });
}

Result<Json> compact(Args args) {
  return format_number(
      args, [](const Json& value) { return runtime::format_compact(value.get<double>()); });
}

Result<Json> percent(Args args) {
  return format_number(args, [&](const Json& value) {
    return runtime::format_percent(value.get<double>(), digits_at(args, 1, 1));
  });
}

Result<Json> share(Args args) {
  return format_number(
      args, [](const Json& value) { return runtime::format_share(value.get<double>()); });
}

Result<Json> fixed(Args args) {
  return format_number(args, [&](const Json& value) {
    return runtime::format_fixed(value.get<double>(), digits_at(args, 1, 2));
  });
}

template <class Format>
Result<Json> format_time(Args args, Format&& format) {
  const Json& value = args[0].get();
  if (value.is_null()) return Json(nullptr);
  if (!value.is_number()) return need("seconds since 1970", value);
  const double stated = std::floor(value.get<double>());
  // Beyond that a unit was mixed up.
  if (!(stated >= runtime::kMinFormattedTime_s && stated <= runtime::kMaxFormattedTime_s))
    return invalid("needs seconds since 1970; divide milliseconds by 1000");
  return Json(format(static_cast<std::int64_t>(stated)));
}

Result<Json> date(Args args) { return format_time(args, runtime::format_utc_date); }
Result<Json> datetime(Args args) { return format_time(args, runtime::format_utc_minute); }

Result<Json> duration(Args args) {
  return format_number(args, [](const Json& value) {
    const double ms = value.get<double>();
    // Fractions of a millisecond are noise to whoever counts in milliseconds.
    return runtime::format_duration_ns((std::abs(ms) < 1000 ? std::round(ms) : ms) * 1e6);
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
    for (std::size_t count = 0; count + 1 < limit; ++count) at += code_point_bytes(text, at);
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
  runtime::PatternList list;
  list.add(runtime::decode_path(*pattern));
  return Json(list.covers(runtime::decode_path(*path)));
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
    {"share", 1, 1, share, "a share of 1 as 12 %, 0.4 % or < 0.1 %"},
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

}  // namespace symphony::language
