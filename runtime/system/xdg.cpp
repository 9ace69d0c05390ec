#include "runtime/system/xdg.hpp"

#include <unistd.h>

#include <cstdlib>

#include "runtime/system/fs.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOurs = "symphony";

std::optional<fs::path> absolute(const VariableLookup& environment, const char* variable) {
  const auto value = environment(variable);
  if (!value || !fs::path(*value).is_absolute()) return std::nullopt;
  return fs::path(*value);
}

}  // namespace

VariableLookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

XdgDirs xdg_dirs(const VariableLookup& environment, unsigned uid) {
  const fs::path home = absolute(environment, "HOME").value_or("/");
  const auto base = [&](const char* variable, const fs::path& fallback) {
    return absolute(environment, variable).value_or(home / fallback) / kOurs;
  };
  const auto session = absolute(environment, "XDG_RUNTIME_DIR");
  return {session ? *session / kOurs : fs::path("/tmp/symphony-" + std::to_string(uid)),
          base("XDG_DATA_HOME", ".local/share"), base("XDG_CACHE_HOME", ".cache"),
          base("XDG_CONFIG_HOME", ".config")};
}

XdgDirs xdg_dirs() { return xdg_dirs(process_environment(), ::geteuid()); }

Status ensure_runtime_dir(const XdgDirs& dirs) { return ensure_private_directory(dirs.runtime); }

}  // namespace symphony::runtime
