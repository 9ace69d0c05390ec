// Marked values as TOML text.
#pragma once

#include <string>
#include <string_view>

#include "runtime/settings/value.hpp"

namespace symphony::runtime {

// A value as it stands behind `key = `: 5, 1.5, "text", [1, 2], {a = 1}. Strings must be UTF-8.
// REQUIRES: no null in it (TOML has none).
std::string to_toml(const Value& value);

// A key as TOML writes it: plain, or quoted where it must be.
std::string toml_key(std::string_view key);

// A whole document, a `key = value` line for each member; parse_toml() gives back an equal object.
std::string to_toml_document(const ValueObject& object);

}  // namespace symphony::runtime
