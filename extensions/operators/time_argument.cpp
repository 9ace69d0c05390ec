#include "extensions/operators/time_argument.hpp"

#include <string>

#include "runtime/text/format.hpp"

namespace symphony::extensions {

std::optional<std::int64_t> time_argument(ArgumentReader& args, std::string_view name) {
  constexpr std::int64_t kSmallestMilliseconds = 100'000'000'000;
  const Json& value = args.any(name);
  if (value.is_null()) return std::nullopt;
  std::optional<std::int64_t> time_s;
  if (const auto* text = value.get_ptr<const std::string*>()) time_s = runtime::parse_utc(*text);
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    time_s = number >= kSmallestMilliseconds ? number / 1000 : number;
  }
  if (!time_s) {
    args.fail(name,
              std::string(name) + " is no time: give text like 2026-01-31 or seconds since 1970");
  }
  return time_s;
}

}  // namespace symphony::extensions
