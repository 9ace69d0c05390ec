// Where settings come from: command line, environment, file.
//
// Environment: `log.max_files` is SYMPHONY_LOG__MAX_FILES, with two underscores between the parts
// of the path. One underscore will do, SYMPHONY_LOG_MAX_FILES, as long as no two keys of the schema
// would then have the same name. A list is written "a,b", a map "key=value,key=value" (the same on
// the command line, where `--set log.levels./pit/pool=debug` sets one entry). A variable that
// starts with SYMPHONY_ and is neither a key nor reserved is an error.
//
// The file is --config FILE, else $SYMPHONY_CONFIG, else $XDG_CONFIG_HOME/symphony/node.toml if it
// exists ($HOME/.config where XDG_CONFIG_HOME is not set).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/settings/schema.hpp"
#include "runtime/settings/settings.hpp"

namespace symphony::runtime {

// Variables that are not settings: which node the commands talk to, which file is read.
inline constexpr std::array<std::string_view, 2> kReservedVariables{"SYMPHONY_CONFIG",
                                                                    "SYMPHONY_NODE"};

using Environment = std::map<std::string, std::string>;

struct SettingsInput {
  std::optional<std::string> config_file = {};  // of --config
  std::vector<std::string> options = {};        // of --set, in order: "log.level=debug"
  Environment environment = {};
};

// The variables of this process that concern settings. Not safe beside setenv().
Environment environment_snapshot();

// The variables for a path: the short one first, where it is unambiguous, then the full one.
std::vector<std::string> environment_names(const Schema& schema, std::string_view path);

// The file to read, or nothing. Asks the file system whether the default file exists.
std::optional<std::string> find_config_file(const SettingsInput& input);

// Merges a parsed file (or none), the environment and the options. Pure. All problems of all
// sources are reported, also those of values that others override.
Checked<Settings> combine_settings(const Schema& schema, const std::optional<Value>& file,
                                   const Environment& environment,
                                   const std::vector<std::string>& options);

// find_config_file(), parse_toml_file() and combine_settings() in one.
Checked<Settings> load_settings(const Schema& schema, const SettingsInput& input);

}  // namespace symphony::runtime
