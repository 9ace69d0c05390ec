#include "actors/bootstrap/cli/melody_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "actors/orchestration/melody/inputs.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/system/read_stream.hpp"
#include "runtime/system/xdg.hpp"
#include "runtime/text/path_text.hpp"

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
  // What cannot be looked at is taken all the same: reading it says what is wrong, and no other
  // melody is run in its place.
  const auto might_be = [](const fs::path& path) {
    const auto there = runtime::path_exists(path);
    return !there || *there;
  };
  if (!is_name(named) || might_be(named)) return named;
  for (const auto& directory : directories) {
    auto file = directory / (named + ".toml");
    if (might_be(file)) return file.native();
  }
  return named;
}

Result<MelodyFile> read_melody(const std::string& named) {
  if (named == "-") {
    auto text = runtime::read_stream(STDIN_FILENO, "standard input", actors::kMaxMelodyBytes);
    if (!text) return text.error();
    return MelodyFile{std::move(*text), "standard input"};
  }
  const auto directories = melody_directories();
  const auto file = find_melody(named, directories);
  auto text = runtime::read_stream(file, actors::kMaxMelodyBytes);
  if (text) return MelodyFile{std::move(*text), file};
  Error error = text.error();
  if (error.code == Errc::NOT_FOUND && is_name(named)) {
    std::string places;
    for (const auto& directory : directories)
      places += (places.empty() ? "" : " and ") + runtime::display_path(directory.native());
    error.message += "; melodies by name are looked for in " + places;
  }
  return error;
}

Result<std::string> read_input_value(const std::string& file) {
  return file == "-"
             ? runtime::read_stream(STDIN_FILENO, "standard input", actors::kMaxInputValueBytes)
             : runtime::read_stream(file, actors::kMaxInputValueBytes);
}

}  // namespace symphony::cli
