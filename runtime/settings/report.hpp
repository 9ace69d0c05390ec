// What `symphony config check` and `symphony config show` say, and the sample file.
#pragma once

#include <string>

#include "runtime/settings/schema.hpp"
#include "runtime/settings/sources.hpp"

namespace symphony::runtime {

inline constexpr int kExitBadSettings = 2;

struct ConfigReport {
  std::string output;  // for standard output
  std::string errors;  // for standard error, a line for each problem
  int exit_code = 0;   // 0, or kExitBadSettings when there are problems
};

// All problems of the file and of everything else that settings come from.
ConfigReport check_config(const Schema& schema, const SettingsInput& input);

// Every value with its origin and what it overrode: a table, or with `json` one object
//   {"file": "/…/node.toml" or null,
//    "settings": {"log.level": {"value": "debug", "unit": "ms" (where there is one),
//                               "origin": {"kind": "file", "name": "/…/node.toml", "line": 3},
//                               "overrode": [{"value": "info", "origin": {"kind": "default"}}]}}}
// where kind is default, file, environment or option, and name is the file, variable or option.
ConfigReport show_config(const Schema& schema, const SettingsInput& input, bool json);

// A commented TOML file that holds every key with its default; config/samples/node.toml is it.
std::string sample_config(const Schema& schema);

}  // namespace symphony::runtime
