#include "actors/bootstrap/cli/melody_file.hpp"

#include <algorithm>

#include "runtime/system/xdg.hpp"

namespace symphony::cli {
namespace {

namespace fs = std::filesystem;

// The letters of a melody's name: no path, no ending.
bool is_name(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::vector<fs::path> melody_directories() {
  std::vector<fs::path> directories{runtime::xdg_dirs().data / "melodies"};
  std::error_code gone;
  if (const auto program = fs::read_symlink("/proc/self/exe", gone); !gone)
    directories.push_back(program.parent_path().parent_path() / "share/symphony/melodies");
  return directories;
}

std::string find_melody(const std::string& named, std::span<const fs::path> directories) {
  std::error_code ignored;
  if (!is_name(named) || fs::exists(named, ignored)) return named;
  for (const auto& directory : directories) {
    auto file = directory / (named + ".toml");
    if (fs::is_regular_file(file, ignored)) return file.native();
  }
  return named;
}

}  // namespace symphony::cli
