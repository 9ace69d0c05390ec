// Notes that programmers leave for later: TODO, FIXME, XXX and HACK as words of a comment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace symphony::extensions::code {

inline constexpr std::size_t kMaxTodosPerFile = 500;  // beyond, they are only counted
inline constexpr std::size_t kMaxTodoTextBytes = 200;

struct Todo {
  std::size_t line = 0;  // from 1
  std::string tag;       // "TODO"
  std::string text;      // what follows on the line, without its decoration
};

// Adds what one comment holds; `comment` begins on line `first_line`. Returns how many there were.
std::size_t find_todos(std::string_view comment, std::size_t first_line, std::vector<Todo>& todos);

}  // namespace symphony::extensions::code
