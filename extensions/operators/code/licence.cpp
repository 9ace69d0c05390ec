#include "extensions/operators/code/licence.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "extensions/operators/code/licence_wordings.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions::code {
namespace {

constexpr std::size_t kExpressionBytesMax = 300;
constexpr int kParenthesesMax = 16;

// Reads an SPDX expression from the beginning of a line and stops where it ends.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) : text_(text.substr(0, kExpressionBytesMax)) {}

  // Empty when there is none.
  std::string read() {
    if (!operand(0)) return "";
    return std::move(out_);
  }

 private:
  static bool in_identifier(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '+' ||
           c == ':';
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_identifier(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool operand(int depth) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      out_ += '(';
      if (depth == kParenthesesMax || !operand(depth + 1)) return false;
      skip_blanks();
      if (at_ >= text_.size() || text_[at_] != ')') return false;
      ++at_;
      out_ += ')';
    } else {
      std::string_view name = word();
      while (name.ends_with('-')) name.remove_suffix(1);  // the end of an HTML comment
      if (name.empty()) return false;
      out_ += current_identifier(name);
    }
    const std::size_t before = at_;
    const std::string joint(word());  // in capitals: else it is prose
    if (joint != "AND" && joint != "OR" && joint != "WITH") {
      at_ = before;
      return true;
    }
    const std::size_t written = out_.size();
    out_ += " " + joint + " ";
    if (operand(depth)) return true;
    out_.resize(written);  // prose that goes on with "and"
    at_ = before;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

// What SPDX-License-Identifier lines say: all of them hold.
std::string spdx_expression(std::string_view head) {
  constexpr std::string_view kMark = "SPDX-License-Identifier:";
  std::vector<std::string> said;
  for (auto mark = head.find(kMark); mark != std::string_view::npos;
       mark = head.find(kMark, mark + kMark.size())) {
    const auto rest = head.substr(mark + kMark.size());
    std::string expression = ExpressionReader(rest.substr(0, rest.find('\n'))).read();
    if (!expression.empty() && std::ranges::find(said, expression) == said.end())
      said.push_back(std::move(expression));
  }
  if (said.size() == 1) return said.front();
  std::string all;
  for (const std::string& one : said) {
    const bool group = one.find(" OR ") != std::string::npos && !one.starts_with('(');
    all += (all.empty() ? "" : " AND ") + (group ? "(" + one + ")" : one);
  }
  return all;
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words,
                             [&](auto word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

Licence detect_licence(std::string_view head) {
  if (std::string spdx = spdx_expression(head); !spdx.empty()) return {std::move(spdx), true};
  const std::string flat = flattened(head);
  if (std::string title = titled_licence(flat); !title.empty()) return {std::move(title), false};
  const std::string_view joint = offers_choice(flat) ? " OR " : " AND ";
  std::string all;
  for (const std::string& name : noticed_licences(flat))
    all.append(all.empty() ? "" : joint).append(name);
  if (!all.empty()) return {std::move(all), false};
  if (holds_any(flat, {"copyright (c)", "copyright \xC2\xA9", "all rights reserved",
                       "spdx-filecopyrighttext"}))
    return {"copyright only", false};
  return {};
}

bool is_licence_file(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view stem : {"license", "licence", "copying", "unlicense"}) {
    if (!name.starts_with(stem)) continue;
    const std::string_view rest = std::string_view(name).substr(stem.size());
    if (rest.empty() || rest == "s" || rest == ".txt" || rest == ".md" || rest == ".rst" ||
        rest.starts_with('-') || rest == ".lesser" || rest == ".lib") {
      return true;
    }
  }
  return false;
}

}  // namespace symphony::extensions::code
