#include <algorithm>
#include <functional>
#include <iterator>
#include <vector>

#include "extensions/operators/text/languages.hpp"
#include "extensions/operators/text/words.hpp"

namespace symphony::extensions {

namespace {

constexpr std::size_t kMaxExtensionBytes = 16;
constexpr std::size_t kSniffedBytes = 32 * 1024;

struct Key {
  std::string_view word;
  const Language* language;
};

// Sorted words of one column of the table.
class Index {
 public:
  explicit Index(std::string_view Language::*column) {
    for (const Language& language : languages()) {
      for_each_word(language.*column, [&](std::string_view word) {
        keys_.push_back({word, &language});
      });
    }
    std::ranges::stable_sort(keys_, std::ranges::less(), &Key::word);
  }
  const Language* find(std::string_view word) const {
    const auto found = std::ranges::lower_bound(keys_, word, std::ranges::less(), &Key::word);
    return found != keys_.end() && found->word == word ? found->language : nullptr;
  }

 private:
  std::vector<Key> keys_;
};

const Language* by_extension(std::string_view extension) {
  static const Index index(&Language::extensions);
  if (extension.empty() || extension.size() > kMaxExtensionBytes) return nullptr;
  if (extension == "C" || extension == "H") return find_language("C++");
  char lower[kMaxExtensionBytes];
  std::ranges::transform(extension, lower, to_lower);
  return index.find({lower, extension.size()});
}

const Language* by_file_name(std::string_view name) {
  static const Index index(&Language::file_names);
  return index.find(name);
}

const Language* by_interpreter(std::string_view program) {
  static const Index index(&Language::interpreters);
  // python3.11 is python.
  const auto last = program.find_last_not_of("0123456789.-");
  if (last == std::string_view::npos) return nullptr;
  const Language* exact = index.find(program);
  return exact ? exact : index.find(program.substr(0, last + 1));
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The program of "#!/usr/bin/env -S python3 -u": python3.
std::string_view shebang_program(std::string_view head) {
  if (!head.starts_with("#!")) return {};
  const auto line = head.substr(2, head.find_first_of("\r\n") - 2);
  std::string_view program;
  for_each_word(line, [&](std::string_view word) {
    const bool assignment = word.find('=') != std::string_view::npos;
    if (!program.empty() || word.front() == '-' || assignment) return;
    const auto name = base_name(word);
    if (name != "env") program = name;
  });
  return program;
}

// "-*- C++ -*-" or "-*- mode: c++; ... -*-" in the first lines.
const Language* by_mode_line(std::string_view head) {
  const auto first_lines = head.substr(0, 400);
  const auto open = first_lines.find("-*-");
  if (open == std::string_view::npos) return nullptr;
  const auto close = first_lines.find("-*-", open + 3);
  if (close == std::string_view::npos) return nullptr;
  std::string_view mode = first_lines.substr(open + 3, close - open - 3);
  if (const auto key = mode.find("ode:"); key != std::string_view::npos)
    mode.remove_prefix(key + 4);
  while (!mode.empty() && mode.front() == ' ') mode.remove_prefix(1);
  mode = mode.substr(0, mode.find_first_of("; \t\n"));
  const auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  for (const Language& language : languages()) {
    if (std::ranges::equal(language.name, mode, same)) return &language;
  }
  return nullptr;
}

bool holds_any(std::string_view head, std::initializer_list<std::string_view> needles) {
  return std::ranges::any_of(
      needles, [&](auto needle) { return head.find(needle) != std::string_view::npos; });
}

// Extensions that several languages share.
const Language* disambiguate(const Language* language, std::string_view extension,
                             std::string_view head) {
  if (head.empty()) return language;
  if (extension == "h") {
    if (holds_any(head, {"@interface", "@protocol", "#import "}))
      return find_language("Objective-C");
    if (holds_any(head, {"\nclass ", "\nnamespace ", "template <", "template<",
                         "\npublic:", "std::", "\n  class ", "constexpr ", "\nusing "}))
      return find_language("C++");
  } else if (extension == "m") {
    const bool objective =
        holds_any(head, {"#import", "#include", "@interface", "@implementation", "@end", "//"});
    return find_language(objective ? "Objective-C" : "MATLAB");
  } else if (extension == "ts") {
    if (holds_any(head.substr(0, 200), {"<?xml", "<!DOCTYPE"})) return find_language("XML");
  } else if (extension == "pl") {
    if (holds_any(head, {":- "}) && !holds_any(head, {"use strict", "my $"}))
      return find_language("Prolog");
  } else if (extension == "t" || extension == "i" || extension == "l" || extension == "y") {
    // Shared with test data and the output of preprocessors: the text must look the part.
    if (extension == "t" && !holds_any(head, {"use ", "my $", "perl"})) return nullptr;
    if (extension == "i" && !holds_any(head, {"%module", "%include", "%{"})) return nullptr;
    if (extension != "t" && extension != "i" && !holds_any(head, {"%%", "%{"})) return nullptr;
  } else if (extension.size() == 1 && extension[0] >= '1' && extension[0] <= '9') {
    // libfoo.so.6 and log.1 are no manual pages.
    if (!holds_any(head, {"\n.", ".\\\"", "'\\\""}) && !head.starts_with(".")) return nullptr;
  }
  return language;
}

}  // namespace

const Language* detect_language(std::string_view path, std::string_view head) noexcept {
  head = head.substr(0, kSniffedBytes);
  const std::string_view name = base_name(path);
  if (const Language* language = by_file_name(name)) return language;
  const auto dot = name.rfind('.');
  const std::string_view extension =
      dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (const Language* language = by_extension(extension)) {
    // A mode line settles what an extension leaves open (C++ in .h).
    if (extension == "h" || extension == "tcc") {
      if (const Language* mode = by_mode_line(head)) return mode;
    }
    return disambiguate(language, extension, head);
  }
  // Templates and backups of something known: config.h.in, script.sh.tmpl.
  if (extension == "in" || extension == "tmpl" || extension == "orig" || extension == "bak") {
    return detect_language(name.substr(0, dot), head);
  }
  if (const Language* language = by_interpreter(shebang_program(head))) return language;
  if (const Language* language = by_mode_line(head)) return language;
  if (head.starts_with("<?xml")) return find_language("XML");
  if (name.starts_with("Dockerfile")) return find_language("Dockerfile");
  if (name.starts_with("Makefile.")) return find_language("Makefile");
  return nullptr;
}

}  // namespace symphony::extensions
