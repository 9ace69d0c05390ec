#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "runtime/language/node.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::language {

namespace {

using Node = Expression::Node;
using NodePtr = std::unique_ptr<Node>;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_byte(char c) { return is_name_start(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

NodePtr make(NodeKind kind, std::vector<NodePtr> children = {}) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->children = std::move(children);
  return node;
}

template <class... Children>
NodePtr make_with(NodeKind kind, Children... children) {
  auto node = make(kind);
  (node->children.push_back(std::move(children)), ...);
  return node;
}

// Recursive descent. A null NodePtr means that error_ is set.
class Parser {
 public:
  Parser(std::string_view text, Operands operands) : text_(text), operands_(operands) {}

  NodePtr parse() {
    NodePtr node = pipe();
    skip_space();
    if (node && at_ < text_.size())
      return fail("did not expect '" + std::string(1, text_[at_]) + "'");
    return node;
  }
  Error error() const { return *error_; }
  std::vector<std::string> take_references() { return std::move(references_); }

 private:
  struct Operator {
    std::string_view token;
    NodeKind kind;
  };

  NodePtr fail(std::string what) {
    if (!error_) {
      error_ = Error{Errc::INVALID_ARGUMENT, "in the expression '" + std::string(text_) +
                                                 "' at column " + std::to_string(at_ + 1) + ": " +
                                                 std::move(what)};
    }
    return nullptr;
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool peek(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    // Words end where a name would; | is not ||.
    const char after = at_ + token.size() < text_.size() ? text_[at_ + token.size()] : ' ';
    if (is_name_start(token.front())) return !is_name_byte(after);
    return !(token == "|" && after == '|');
  }
  bool accept(std::string_view token) {
    if (!peek(token)) return false;
    at_ += token.size();
    return true;
  }
  std::string name() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ < text_.size() && is_name_start(text_[at_])) {
      while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  NodePtr pipe() {
    if (++depth_ > kMaxExpressionDepth) return fail("nested too deeply");
    NodePtr node = either();
    while (node && accept("|")) {
      const std::string function = name();
      if (function.empty()) return fail("a function's name must follow |");
      std::vector<NodePtr> arguments;
      arguments.push_back(std::move(node));
      node = accept("(") ? call(function, std::move(arguments))
                         : finish(function, std::move(arguments));
    }
    --depth_;
    return node;
  }

  NodePtr either() {
    NodePtr node = both();
    while (node && (accept("or") || accept("||"))) node = pair(NodeKind::logical_or, node, both());
    return node;
  }
  NodePtr both() {
    NodePtr node = negation();
    while (node && (accept("and") || accept("&&")))
      node = pair(NodeKind::logical_and, node, negation());
    return node;
  }
  NodePtr negation() {
    if (peek("!=") || !(accept("not") || accept("!"))) return comparison();
    if (++depth_ > kMaxExpressionDepth) return fail("nested too deeply");
    NodePtr inner = negation();
    --depth_;
    return inner ? make_with(NodeKind::logical_not, std::move(inner)) : nullptr;
  }
  NodePtr comparison() {
    static constexpr Operator kOperators[] = {
        {"==", NodeKind::equal},      {"!=", NodeKind::not_equal},
        {"<=", NodeKind::less_equal}, {">=", NodeKind::greater_equal},
        {"<", NodeKind::less},        {">", NodeKind::greater},
        {"in", NodeKind::in}};
    NodePtr node = sum();
    for (const auto& op : kOperators) {
      if (node && accept(op.token)) return pair(op.kind, node, sum());
    }
    if (node && peek("=")) return fail("a single = compares nothing, write ==");
    return node;
  }
  NodePtr sum() {
    NodePtr node = product();
    while (node) {
      if (accept("+")) {
        node = pair(NodeKind::add, node, product());
      } else if (accept("-")) {
        node = pair(NodeKind::subtract, node, product());
      } else {
        break;
      }
    }
    return node;
  }
  NodePtr product() {
    NodePtr node = unary();
    while (node) {
      if (accept("*")) {
        node = pair(NodeKind::multiply, node, unary());
      } else if (accept("/")) {
        node = pair(NodeKind::divide, node, unary());
      } else if (accept("%")) {
        node = pair(NodeKind::modulo, node, unary());
      } else {
        break;
      }
    }
    return node;
  }
  NodePtr unary() {
    if (!accept("-")) return access();
    if (++depth_ > kMaxExpressionDepth) return fail("nested too deeply");
    NodePtr inner = unary();
    --depth_;
    return inner ? make_with(NodeKind::negate, std::move(inner)) : nullptr;
  }
  NodePtr access() {
    NodePtr node = primary();
    while (node && at_ < text_.size()) {
      if (text_[at_] == '.') {
        ++at_;
        std::string field = name();
        if (field.empty()) return fail("a name must follow the dot");
        node = make_with(NodeKind::field, std::move(node));
        node->text = std::move(field);
      } else if (text_[at_] == '[') {
        ++at_;
        NodePtr index = pipe();
        if (!index) return nullptr;
        if (!accept("]")) return fail("expected ]");
        node = pair(NodeKind::index, node, std::move(index));
      } else {
        break;
      }
    }
    return node;
  }

  static NodePtr pair(NodeKind kind, NodePtr& left, NodePtr right) {
    return right ? make_with(kind, std::move(left), std::move(right)) : nullptr;
  }

  NodePtr literal(Json value) {
    NodePtr node = make(NodeKind::literal);
    node->literal = std::move(value);
    return node;
  }

  NodePtr primary() {
    skip_space();
    if (at_ >= text_.size()) return fail("the expression ends too early");
    const char c = text_[at_];
    if (accept("(")) {
      NodePtr node = pipe();
      if (node && !accept(")")) return fail("expected )");
      return node;
    }
    if (accept("[")) return list();
    if (c == '"' || c == '\'') return quoted();
    if (is_digit(c)) return number();
    if (text_.substr(at_).starts_with("${")) return reference();
    if (c == '.' && operands_ == Operands::names) return element_or_field();
    std::string word = name();
    if (word.empty()) return fail("did not expect '" + std::string(1, c) + "'");
    if (accept("(")) return call(word, {});
    if (word == "true") return literal(true);
    if (word == "false") return literal(false);
    if (word == "null") return literal(nullptr);
    if (word == "and" || word == "or" || word == "not" || word == "in")
      return fail("did not expect the word " + word);
    if (operands_ == Operands::references)
      return fail("the name " + word + " has no meaning here: text stands in quotes, a reference " +
                  "in ${...}");
    if (word == "it") return make(NodeKind::element);
    NodePtr node = make(NodeKind::name);
    node->text = std::move(word);
    return node;
  }

  NodePtr reference() {
    if (operands_ != Operands::references) return fail("references have no meaning here");
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return fail("expected } to close the reference");
    NodePtr node = make(NodeKind::reference);
    node->number = references_.size();
    references_.emplace_back(text_.substr(at_ + 2, end - at_ - 2));
    at_ = end + 1;
    return node;
  }

  // `.` is the element, `.name` a field of it.
  NodePtr element_or_field() {
    NodePtr node = make(NodeKind::element);
    const bool field = at_ + 1 < text_.size() && is_name_start(text_[at_ + 1]);
    if (!field) ++at_;
    return node;
  }

  NodePtr list() {
    NodePtr node = make(NodeKind::list);
    if (accept("]")) return node;
    do {
      NodePtr item = pipe();
      if (!item) return nullptr;
      node->children.push_back(std::move(item));
    } while (accept(","));
    if (!accept("]")) return fail("expected , or ]");
    return node;
  }

  NodePtr number() {
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    std::int64_t integer = 0;
    const auto whole = std::from_chars(begin, end, integer);
    const bool fraction =
        whole.ptr != end && (*whole.ptr == 'e' || *whole.ptr == 'E' ||
                             (*whole.ptr == '.' && whole.ptr + 1 != end && is_digit(whole.ptr[1])));
    if (whole.ec == std::errc() && !fraction) {
      at_ += static_cast<std::size_t>(whole.ptr - begin);
      return literal(integer);
    }
    double real = 0;
    const auto parsed = std::from_chars(begin, end, real);
    if (parsed.ec != std::errc() || !std::isfinite(real)) return fail("not a number");
    at_ += static_cast<std::size_t>(parsed.ptr - begin);
    return literal(real);
  }

  NodePtr quoted() {
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 >= text_.size()) {
        out += text_[at_];
        continue;
      }
      const char escaped = text_[++at_];
      out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    }
    if (at_ >= text_.size()) return fail("the text is not closed");
    ++at_;
    return literal(std::move(out));
  }

  // Behind the opening parenthesis.
  NodePtr call(const std::string& function, std::vector<NodePtr> arguments) {
    if (!accept(")")) {
      do {
        NodePtr argument = pipe();
        if (!argument) return nullptr;
        arguments.push_back(std::move(argument));
      } while (accept(","));
      if (!accept(")")) return fail("expected , or )");
    }
    return finish(function, std::move(arguments));
  }

  NodePtr finish(const std::string& function, std::vector<NodePtr> arguments) {
    struct Special {
      std::string_view name;
      NodeKind kind;
      std::size_t count;
    };
    static constexpr Special kSpecial[] = {{"if", NodeKind::choose, 3},
                                           {"default", NodeKind::fallback, 2},
                                           {"exists", NodeKind::exists, 1}};
    for (const auto& special : kSpecial) {
      if (special.name != function) continue;
      if (arguments.size() != special.count) return wrong_count(function, arguments.size());
      return make(special.kind, std::move(arguments));
    }
    const Function* known = find_function(function);
    if (!known) return unknown(function);
    if (arguments.size() < known->min_arguments || arguments.size() > known->max_arguments)
      return wrong_count(function, arguments.size());
    NodePtr node = make(NodeKind::call, std::move(arguments));
    node->function = known;
    return node;
  }

  NodePtr wrong_count(const std::string& function, std::size_t count) {
    return fail(function + " does not take " + std::to_string(count) + " arguments");
  }
  NodePtr unknown(const std::string& function) {
    std::vector<std::string> names = {"if", "default", "exists"};
    for (const auto& one : functions()) names.emplace_back(one.name);
    return fail("there is no function " + function + runtime::suggestion_suffix(function, names));
  }

  std::string_view text_;
  Operands operands_;
  std::vector<std::string> references_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Expression> Expression::parse(std::string_view text, Operands operands) {
  if (text.size() > kMaxExpressionBytes) {
    return Error{Errc::INVALID_ARGUMENT, "an expression of " + std::to_string(text.size()) +
                                             " bytes is longer than " +
                                             std::to_string(kMaxExpressionBytes)};
  }
  Parser parser(text, operands);
  auto root = parser.parse();
  if (!root) return parser.error();
  return Expression(std::move(root), parser.take_references());
}

Expression::Expression(std::unique_ptr<const Node> root, std::vector<std::string> references)
    : root_(std::move(root)), references_(std::move(references)) {}

}  // namespace symphony::language
