// Where Symphony keeps its files, by the XDG Base Directory Specification (0.8).
//
// Relative paths in the variables are ignored, as the specification demands. Without HOME the home
// of the fallbacks is "/". Nothing is created here except by ensure_runtime_dir().
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "messages/result.hpp"

namespace symphony::runtime {

// The value of an environment variable, or nothing.
using VariableLookup = std::function<std::optional<std::string>(const std::string&)>;

// That of the process. REQUIRES: nobody changes it at the same time.
VariableLookup process_environment();

struct XdgDirs {
  std::filesystem::path runtime;  // $XDG_RUNTIME_DIR/symphony, else /tmp/symphony-<uid>: sockets
  std::filesystem::path data;     // $XDG_DATA_HOME/symphony, else ~/.local/share/symphony
  std::filesystem::path cache;    // $XDG_CACHE_HOME/symphony, else ~/.cache/symphony
  std::filesystem::path config;   // $XDG_CONFIG_HOME/symphony, else ~/.config/symphony
};

XdgDirs xdg_dirs(const VariableLookup& environment, unsigned uid);
// Of this process and its user.
XdgDirs xdg_dirs();

// Creates the runtime directory where it is missing and makes sure that it is ours alone: in /tmp
// anybody could have put one there. Errors as of ensure_private_directory().
Status ensure_runtime_dir(const XdgDirs& dirs);

}  // namespace symphony::runtime
