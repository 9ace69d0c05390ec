// Where a melody is that a person names.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace symphony::cli {

// Where melodies are looked for by name: those of the user, then those that came with the program.
std::vector<std::filesystem::path> melody_directories();

// A melody may be named by its file, or without ".toml" when it lies in one of the directories.
// What is no name, and what lies nowhere, is taken for a file.
std::string find_melody(const std::string& named,
                        std::span<const std::filesystem::path> directories);

}  // namespace symphony::cli
