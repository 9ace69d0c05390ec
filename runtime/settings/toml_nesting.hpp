// Finds nesting in TOML that is too deep, without building anything and without recursion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace symphony::runtime {

struct TomlPlace {
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in code points
};

// The first place where open brackets and the parts of dotted keys together lead more than
// `max_depth` deep. Strings and comments are skipped. A table's header and the keys below it are
// counted apart, so a tree may get twice as deep. Agrees with a TOML parser up to the first syntax
// error, where that parser stops; beyond it may find more.
std::optional<TomlPlace> find_excessive_nesting(std::string_view text, std::size_t max_depth);

std::string nesting_message();

}  // namespace symphony::runtime
