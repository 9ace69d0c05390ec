// TOML 1.0 into a marked `Value` tree.
//
// - Keys keep the order in which they were written; every key and value has line and column.
// - Integers are exact 64-bit; those that do not fit are errors.
// - Dates and times are refused: whoever wants one writes it as text, so that a value has one type
//   from the file to the message ("2024-01-31").
// - The first syntax error ends the reading: `file:line:column: message`. Refused dates are all
//   reported.
// Thread-safe: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/settings/problems.hpp"
#include "runtime/settings/value.hpp"

namespace symphony::runtime {

inline constexpr std::size_t kMaxTomlBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxTomlDepth = 64;          // tables and lists inside each other
inline constexpr std::size_t kMaxTomlValues = 1'000'000;  // in one file

// `file_name` is what marks and problems call the text. The result is always an object.
Checked<Value> parse_toml(std::string_view text, std::string_view file_name);

// Reads `path`, which must be a regular file of at most `kMaxTomlBytes`, and parses it.
Checked<Value> parse_toml_file(const std::string& path);

}  // namespace symphony::runtime
