// A point in time as an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "extensions/operators/kit.hpp"

namespace symphony::extensions {

// In seconds since 1970, of UTC text or of seconds (or, from 10^11 on, milliseconds). Nothing when
// absent; what is no time is remembered as a complaint about the argument.
std::optional<std::int64_t> time_argument(ArgumentReader& args, std::string_view name);

}  // namespace symphony::extensions
