// An expression as text again.
#include <algorithm>
#include <string>

#include "runtime/language/node.hpp"

namespace symphony::language {
namespace {

using Node = Expression::Node;

std::string_view sign_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::logical_and:
      return "and";
    case NodeKind::logical_or:
      return "or";
    case NodeKind::equal:
      return "==";
    case NodeKind::not_equal:
      return "!=";
    case NodeKind::less:
      return "<";
    case NodeKind::less_equal:
      return "<=";
    case NodeKind::greater:
      return ">";
    case NodeKind::greater_equal:
      return ">=";
    case NodeKind::in:
      return "in";
    case NodeKind::add:
      return "+";
    case NodeKind::subtract:
      return "-";
    case NodeKind::multiply:
      return "*";
    case NodeKind::divide:
      return "/";
    default:
      return "%";
  }
}

// What groups from the left, side by side with its like; 0: nothing does.
int level_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::logical_or:
      return 1;
    case NodeKind::logical_and:
      return 2;
    case NodeKind::add:
    case NodeKind::subtract:
      return 3;
    case NodeKind::multiply:
    case NodeKind::divide:
    case NodeKind::modulo:
      return 4;
    default:
      return 0;
  }
}

std::string quoted(const std::string& text) {
  const bool both = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = both ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else {
      out += c;
    }
  }
  return out + quote;
}

class Writer {
 public:
  explicit Writer(const std::vector<std::string>& references) : references_(references) {}

  std::string write(const Node& node) const {
    switch (node.kind) {
      case NodeKind::literal:
        if (const auto* text = node.literal.get_ptr<const std::string*>()) return quoted(*text);
        return node.literal.dump();
      case NodeKind::name:
        return node.text;
      case NodeKind::element:
        return "it";
      case NodeKind::reference:
        return "${" + references_[node.number] + "}";
      case NodeKind::field:
        return operand(*node.children[0]) + "." + node.text;
      case NodeKind::index:
        return operand(*node.children[0]) + "[" + write(*node.children[1]) + "]";
      case NodeKind::list:
        return "[" + all(node) + "]";
      case NodeKind::negate:
        return "(-" + write(*node.children[0]) + ")";
      case NodeKind::logical_not:
        return "(not " + write(*node.children[0]) + ")";
      case NodeKind::call:
        return std::string(node.function->name) + "(" + all(node) + ")";
      case NodeKind::choose:
        return "if(" + all(node) + ")";
      case NodeKind::fallback:
        return "default(" + all(node) + ")";
      case NodeKind::exists:
        return "exists(" + all(node) + ")";
      default:
        return "(" + chain(node) + ")";
    }
  }

 private:
  // a + b - c needs no parentheses inside.
  std::string chain(const Node& node) const {
    const Node& left = *node.children[0];
    const int level = level_of(node.kind);
    const bool goes_on = level != 0 && level_of(left.kind) == level;
    return (goes_on ? chain(left) : write(left)) + " " + std::string(sign_of(node.kind)) + " " +
           write(*node.children[1]);
  }

  // Before a dot or a bracket: 1.a is no field of 1.
  std::string operand(const Node& node) const {
    std::string text = write(node);
    return node.kind == NodeKind::literal ? "(" + text + ")" : text;
  }

  std::string all(const Node& node) const {
    std::string text;
    for (const auto& child : node.children) text += (text.empty() ? "" : ", ") + write(*child);
    return text;
  }

  const std::vector<std::string>& references_;
};

}  // namespace

std::string to_string(const Expression& expression, const Node& node) {
  return Writer(expression.references()).write(node);
}

std::string to_string(const Expression& expression) {
  return to_string(expression, expression.root());
}

}  // namespace symphony::language
