#include "extensions/operators/code/todos.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions::code {
namespace {

constexpr std::array<std::string_view, 4> kTags = {"TODO", "FIXME", "XXX", "HACK"};

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// A tag in quotes or in an enumeration is spoken of, not left by somebody.
bool is_mention(char c) { return c == '"' || c == '\'' || c == '`' || c == ','; }

std::string_view tag_at(std::string_view text, std::size_t at) {
  for (const std::string_view tag : kTags) {
    if (text.substr(at, tag.size()) != tag) continue;
    const std::size_t end = at + tag.size();
    if (end < text.size() && (in_word(text[end]) || is_mention(text[end]))) continue;
    return tag;
  }
  return {};
}

// "(name): do this */" becomes "(name): do this".
std::string plain_text(std::string_view rest) {
  rest = rest.substr(0, rest.find('\n'));
  for (const std::string_view close : {"*/", "-->", "*)", "-}", "|#", "]]"}) {
    if (const std::size_t end = rest.find(close); end != std::string_view::npos) {
      rest = rest.substr(0, end);
    }
  }
  const auto blank = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == ':' || c == '-';
  };
  while (!rest.empty() && blank(rest.front())) rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t' || rest.back() == '\r')) {
    rest.remove_suffix(1);
  }
  const std::string text = to_utf8_lossy(rest.substr(0, 2 * kMaxTodoTextBytes));
  return std::string(utf8_prefix(text, kMaxTodoTextBytes));
}

}  // namespace

std::size_t find_todos(std::string_view comment, std::size_t first_line, std::vector<Todo>& todos) {
  std::size_t found = 0;
  std::size_t counted_to = 0;
  std::size_t line = first_line;
  for (std::size_t at = comment.find_first_of("TFXH"); at != std::string_view::npos;
       at = comment.find_first_of("TFXH", at + 1)) {
    if (at > 0 && (in_word(comment[at - 1]) || is_mention(comment[at - 1]))) continue;
    const std::string_view tag = tag_at(comment, at);
    if (tag.empty()) continue;
    line += static_cast<std::size_t>(
        std::count(comment.begin() + static_cast<std::ptrdiff_t>(counted_to),
                   comment.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted_to = at;
    // One a line: "TODO FIXME" is one note.
    if (!todos.empty() && todos.back().line == line) continue;
    ++found;
    if (todos.size() < kMaxTodosPerFile) {
      todos.push_back({line, std::string(tag), plain_text(comment.substr(at + tag.size()))});
    }
  }
  return found;
}

}  // namespace symphony::extensions::code
