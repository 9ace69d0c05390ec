// Where a melody is that a person names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "messages/result.hpp"

namespace symphony::cli {

// Where melodies are looked for by name: those of the user, then those that came with the program.
std::vector<std::filesystem::path> melody_directories();

// A melody may be named by its file, or without ".toml" when it lies in one of the directories.
// What is no name, and what lies nowhere, is taken for a file.
std::string find_melody(const std::string& named,
                        std::span<const std::filesystem::path> directories);

struct MelodyFile {
  std::string text;
  std::string name;  // for messages
};

// Reads a melody: by name, from a file or whatever can be read as one, or, as "-", from standard
// input. The error says where it was looked for.
Result<MelodyFile> read_melody(const std::string& named);

// The content of a file as text, for `--input NAME=@FILE`; "@-" is standard input.
Result<std::string> read_input_value(const std::string& file);

}  // namespace symphony::cli
