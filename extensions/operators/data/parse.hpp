// Text becomes data: JSON, JSON Lines, CSV, TOML, YAML, lines, key=value.
//
// Pure functions. Errors name line and column (from 1) and say what is wrong; nothing is guessed
// and nothing left out: a duplicate key, a row that is too long, a number that would lose digits
// are errors. Limits: kParseDepthMax levels, kMaxListItems values in all (kit.hpp). Thread-safe.
#pragma once

#include <string_view>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::extensions {

inline constexpr int kParseDepthMax = 64;  // as of a melody's inputs

struct CsvOptions {
  char separator = ',';
  bool header = true;   // the first row names the fields; else rows are lists
  bool values = false;  // 1, 2.5, true, false become such values, an empty field null
};

Result<Json> parse_json(std::string_view text);
// A list of the values, one a line; blank lines are left out.
Result<Json> parse_json_lines(std::string_view text);
// RFC 4180: quoted fields may hold separators, newlines and doubled quotes; CRLF or LF.
Result<Json> parse_csv(std::string_view text, const CsvOptions& options);
// Dates must be in quotes (runtime/settings/toml.hpp).
Result<Json> parse_toml(std::string_view text);
// One document of YAML 1.2's core schema (yes and no are text); aliases are copied.
Result<Json> parse_yaml(std::string_view text);
// Lines without their ends; a last line without one counts.
Result<Json> parse_lines(std::string_view text);
// KEY=VALUE lines as in an environment file: # comments, `export`, quotes around a value.
Result<Json> parse_key_values(std::string_view text);

}  // namespace symphony::extensions
