#include "extensions/operators/code/complexity.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "extensions/operators/text/words.hpp"

namespace symphony::extensions::code {
namespace {

enum class Nesting { braces, indentation };

// How a group of languages spells control flow. Lists are words separated by blanks.
struct Dialect {
  std::string_view languages;       // separated by commas
  std::string_view decisions;       // words that add a path
  std::string_view blocks;          // words that open a control block
  std::string_view functions = {};  // words that start a function; empty: `name(...) {`
  Nesting nesting = Nesting::braces;
  bool symbols = true;        // && and || are decisions
  bool ternary = false;       // so is ? with its colon, and ?? (but not ?. and the ? of a type)
  bool arrows = false;        // functions also have the shape `... => ...`
  bool semicolons = true;     // a semicolon outside parentheses ends a statement
  bool shapes = false;        // functions also have the shape `name(...) {`
  bool preprocessor = false;  // lines that start with # are no code
};

constexpr std::string_view kCBlocks = "if else for while do switch try catch";

constexpr std::array<Dialect, 15> kDialects = {{
    {.languages = "C,C++,Objective-C,Objective-C++,CUDA,GLSL,Java,C#,D,Groovy,Dart",
     .decisions = "if for while case catch foreach",
     .blocks = "if else for while do switch try catch foreach finally synchronized lock using",
     .ternary = true,
     .preprocessor = true},
    {.languages = "JavaScript,TypeScript,Vue,Svelte",
     .decisions = "if for while case catch",
     .blocks = "if else for while do switch try catch finally",
     .functions = "function",
     .ternary = true,
     .arrows = true,
     .shapes = true},
    {.languages = "PHP",
     .decisions = "if elseif for foreach while case catch and or",
     .blocks = "if elseif else for foreach while do switch try catch",
     .functions = "function fn",
     .ternary = true},
    {.languages = "Go",
     .decisions = "if for case",
     .blocks = "if else for switch select",
     .functions = "func",
     .semicolons = false},
    {.languages = "Rust",
     .decisions = "if for while loop",
     .blocks = "if else for while loop match",
     .functions = "fn"},
    {.languages = "Kotlin",
     .decisions = "if for while when catch",
     .blocks = "if else for while do when try catch",
     .functions = "fun"},
    {.languages = "Swift",
     .decisions = "if for while repeat case catch guard",
     .blocks = "if else for while repeat switch do catch guard",
     .functions = "func init",
     .ternary = true},
    {.languages = "Scala",
     .decisions = "if for while case catch",
     .blocks = "if else for while do match try catch",
     .functions = "def"},
    {.languages = "Perl",
     .decisions = "if elsif unless while until for foreach and or",
     .blocks = "if elsif else unless while until for foreach",
     .functions = "sub",
     .ternary = true},
    {.languages = "Awk",
     .decisions = "if for while case",
     .blocks = kCBlocks,
     .functions = "function",
     .ternary = true},
    {.languages = "Python",
     .decisions = "if elif for while except and or case",
     .blocks = "if elif else for while try except finally with match case",
     .functions = "def",
     .nesting = Nesting::indentation,
     .symbols = false},
    {.languages = "Ruby,Crystal,Elixir",
     .decisions = "if elsif unless while until for when rescue and or",
     .blocks = "if elsif else unless while until for case when begin cond",
     .functions = "def defp",
     .nesting = Nesting::indentation},
    {.languages = "Shell,Bash,Zsh,Fish",
     .decisions = "if elif for while until",
     .blocks = "if elif else for while until case",
     .functions = "function",
     .nesting = Nesting::indentation,
     .shapes = true},
    {.languages = "Lua",
     .decisions = "if elseif for while repeat and or",
     .blocks = "if elseif else for while repeat",
     .functions = "function",
     .nesting = Nesting::indentation,
     .symbols = false},
    {.languages = "Julia,Nim,MATLAB,Fortran,Pascal,Ada",
     .decisions = "if elif elseif for while case when catch except",
     .blocks = "if elif elseif else for while case try",
     .functions = "function proc func procedure subroutine",
     .nesting = Nesting::indentation},
}};

const Dialect* dialect_of(std::string_view language) {
  for (const Dialect& dialect : kDialects) {
    std::string_view names = dialect.languages;
    while (!names.empty()) {
      const std::size_t comma = names.find(',');
      if (names.substr(0, comma) == language) return &dialect;
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
    }
  }
  return nullptr;
}

// A few short words, found fast: most identifiers fail on their length or first letter.
class Words {
 public:
  explicit Words(std::string_view list) {
    for_each_word(list, [&](std::string_view word) {
      words_.push_back(word);
      longest_ = std::max(longest_, word.size());
      first_[static_cast<unsigned char>(word.front())] = true;
    });
  }
  bool has(std::string_view word) const {
    return word.size() <= longest_ && first_[static_cast<unsigned char>(word.front())] &&
           std::find(words_.begin(), words_.end(), word) != words_.end();
  }

 private:
  std::vector<std::string_view> words_;
  std::size_t longest_ = 0;
  std::array<bool, 256> first_{};
};

// How far behind a ? its colon is looked for.
constexpr std::size_t kConditionalBytesMax = 400;

bool starts_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// One pass over the tokens of a file.
class Meter {
 public:
  Meter(std::string_view code, const Dialect& dialect, std::string_view language)
      : code_(code),
        dialect_(dialect),
        decisions_(dialect.decisions),
        blocks_(dialect.blocks),
        functions_(dialect.functions),
        typed_(language == "TypeScript"),
        shapes_(dialect.functions.empty() || dialect.shapes) {}

  Complexity measure() {
    for (at_ = 0; at_ < code_.size();) {
      const char c = code_[at_];
      if (starts_word(c)) {
        word();
      } else if (c >= '0' && c <= '9') {
        while (at_ < code_.size() && (in_word(code_[at_]) || code_[at_] == '.')) ++at_;
        last_ = '0';
      } else {
        symbol(c);
        ++at_;
      }
    }
    result_.total = result_.decisions + result_.functions;
    if (result_.functions == 0 && (result_.decisions > 0 || any_code_)) ++result_.total;
    return result_;
  }

 private:
  // What a brace holds.
  enum class Block : char { function, control, other };

  char peek(std::size_t ahead) const {
    return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0';
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < code_.size() && in_word(code_[at_])) ++at_;
    const std::string_view word = code_.substr(begin, at_ - begin);
    any_code_ = true;
    if (first_on_line_ || word_ == "export") type_statement_ = typed_ && word == "type";
    const bool member = last_ == '.' || last_ == '#' || last_ == '@' || last_ == '$';
    const bool control = !member && blocks_.has(word);
    if (!member) {
      if (decisions_.has(word)) ++result_.decisions;
      if (functions_.has(word)) {
        ++result_.functions;
        function_pending_ = true;
        control_pending_ = false;
      } else if (control) {
        control_pending_ = true;
        function_pending_ = false;
      }
      if (dialect_.nesting == Nesting::indentation && first_on_line_) {
        indent(control, functions_.has(word), begin - line_begin_);
      }
    }
    first_on_line_ = false;
    word_ = word;
    last_ = 'a';
  }

  // Keeps the stack of indented blocks: deeper lines belong to the ones above them.
  void indent(bool control, bool function, std::size_t column) {
    while (!indents_.empty() && indents_.back().column >= column) indents_.pop_back();
    if (function) {
      indents_.push_back({column, Block::function});
    } else if (control) {
      indents_.push_back({column, Block::control});
      const auto deep = std::count_if(indents_.begin(), indents_.end(), [](const Indent& indent) {
        return indent.block == Block::control;
      });
      result_.max_nesting = std::max<std::int64_t>(result_.max_nesting, deep);
    }
  }

  void symbol(char c) {
    switch (c) {
      case '\n':
        first_on_line_ = true;
        line_begin_ = at_ + 1;
        return;
      case ' ':
      case '\t':
      case '\r':
        return;
      case '(':
        // A lambda has a capture before its parentheses, operator() another pair.
        parens_.push_back({last_ == 'a'                   ? word_
                           : last_ == ']'                 ? "]"
                           : last_ == ')' && call_closed_ ? word_
                                                          : std::string_view(),
                           last_ == ':'});
        break;
      case ')':
        close_paren();
        break;
      case '{':
        open_brace();
        break;
      case '}':
        if (!braces_.empty()) {
          control_depth_ -= braces_.back() == Block::control ? 1 : 0;
          braces_.pop_back();
        }
        forget_statement();
        break;
      case ';':
        if (parens_.empty() && dialect_.semicolons) forget_statement();
        break;
      case '=':
        if (dialect_.arrows && peek(1) == '>') {
          arrow();
          break;
        }
        [[fallthrough]];
      case ',':
        if (parens_.empty()) call_closed_ = false;
        break;
      case '&':
      case '|':
        if (dialect_.symbols && peek(1) == c) {
          ++result_.decisions;
          ++at_;
        }
        break;
      case '#':
        if (dialect_.preprocessor && first_on_line_) return skip_directive();
        break;
      case '?':
        if (dialect_.ternary) question();
        break;
      default:
        break;
    }
    first_on_line_ = false;
    last_ = c;
  }

  // A conditional operator has its colon within the expression; the ? of a type has none.
  void question() {
    if (peek(1) == '?') {
      ++result_.decisions;
      ++at_;
    } else if (last_ != '<' && last_ != '?' && peek(1) != '.' && peek(1) != ':') {
      result_.decisions += has_colon(at_ + 1) ? 1 : 0;
    }
  }

  bool has_colon(std::size_t from) const {
    const std::size_t end = std::min(code_.size(), from + kConditionalBytesMax);
    int depth = 0;
    int wanted = 1;  // one more for each ? on the way
    for (std::size_t i = from; i < end; ++i) {
      const char c = code_[i];
      const char next = i + 1 < end ? code_[i + 1] : '\0';
      if (c == '(' || c == '[' || c == '{') ++depth;
      if ((c == ')' || c == ']' || c == '}') && --depth < 0) return false;
      if (depth > 0) continue;
      if (c == ';' || c == ',') return false;
      if (c == ':' && next == ':') {
        ++i;
      } else if (c == '?' && (next == '?' || next == '.' || next == ':')) {
        ++i;
      } else if (c == '?') {
        ++wanted;
      } else if (c == ':' && --wanted == 0) {
        return true;
      }
    }
    return false;
  }

  // `=>` makes a function, unless it stands in the type of one (TypeScript).
  void arrow() {
    std::size_t body = at_ + 2;
    while (body < code_.size() && std::isspace(static_cast<unsigned char>(code_[body])) != 0)
      ++body;
    const bool braced = body < code_.size() && code_[body] == '{';
    ++at_;
    call_closed_ = false;
    if (typed_ && !braced && (type_statement_ || closed_after_colon_)) return;
    ++result_.functions;
    function_pending_ = braced;
    control_pending_ = false;
  }

  void skip_directive() {
    std::size_t end = code_.find('\n', at_);
    while (end != std::string_view::npos && end > at_ && code_[end - 1] == '\\') {
      end = code_.find('\n', end + 1);
    }
    at_ = (end == std::string_view::npos ? code_.size() : end) - 1;
  }

  void forget_statement() {
    call_closed_ = control_pending_ = function_pending_ = type_statement_ = false;
    if (braces_.empty()) parens_.clear();
  }

  void close_paren() {
    if (parens_.empty()) return;
    call_closed_ = !parens_.back().word.empty();
    closed_after_colon_ = parens_.back().after_colon;
    parens_.pop_back();
  }

  void open_brace() {
    Block block = Block::other;
    if (function_pending_) {
      block = Block::function;
    } else if (control_pending_) {
      block = Block::control;
    } else if (shapes_ && call_closed_) {
      block = Block::function;
      ++result_.functions;
    }
    braces_.push_back(block);
    if (block == Block::control) {
      ++control_depth_;
      if (dialect_.nesting == Nesting::braces) {
        result_.max_nesting = std::max(result_.max_nesting, control_depth_);
      }
    }
    call_closed_ = control_pending_ = function_pending_ = false;
  }

  struct Indent {
    std::size_t column;
    Block block;
  };

  std::string_view code_;
  const Dialect& dialect_;
  Words decisions_;
  Words blocks_;
  Words functions_;
  bool typed_;
  bool shapes_;
  Complexity result_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::string_view word_;
  char last_ = '\0';  // last token: its character, 'a' for words, '0' for numbers
  bool first_on_line_ = true;
  bool any_code_ = false;
  bool type_statement_ = false;      // `type name = …`
  bool closed_after_colon_ = false;  // the last parentheses stood behind a colon
  bool call_closed_ = false;         // `name(...)` was read and nothing that ends it
  bool control_pending_ = false;
  bool function_pending_ = false;
  struct Paren {
    std::string_view word;  // that stands before it
    bool after_colon;
  };
  std::vector<Paren> parens_;
  std::vector<Block> braces_;
  std::int64_t control_depth_ = 0;
  std::vector<Indent> indents_;
};

}  // namespace

bool has_complexity(const Language& language) { return dialect_of(language.name) != nullptr; }

Complexity measure_complexity(std::string_view code, const Language& language) {
  const Dialect* dialect = dialect_of(language.name);
  if (dialect == nullptr) return {};
  return Meter(code, *dialect, language.name).measure();
}

}  // namespace symphony::extensions::code
