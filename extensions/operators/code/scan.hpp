// All that the reports want to know about one file, in one reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/operators/code/complexity.hpp"
#include "extensions/operators/code/fingerprint.hpp"
#include "extensions/operators/code/licence.hpp"
#include "extensions/operators/code/todos.hpp"
#include "extensions/operators/text/languages.hpp"

namespace symphony::extensions::code {

inline constexpr std::size_t kDefaultMaxFileBytes = 4 * 1024 * 1024;
// A text with such a line was made by a program: measured, but not ranked as code.
inline constexpr std::size_t kGeneratedLineBytes = 5'000;

struct FileFacts {
  const Language* language = nullptr;
  bool binary = false;
  bool generated = false;
  LineCounts lines;
  Complexity complexity;
  bool measured = false;  // complexity was
  std::vector<Todo> todos;
  std::size_t todo_count = 0;
  Licence licence;
  std::vector<Fingerprint> fingerprints;  // code only
};

// The source with every byte of a comment replaced by a space, newlines kept.
std::string without_comments(std::string_view content, const Language& language);

// `bytes` are the file's, in whatever encoding.
FileFacts scan_content(std::string_view path, std::string_view bytes);

}  // namespace symphony::extensions::code
