// The tree behind an Expression, for whoever checks or writes one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/language/expression.hpp"

namespace symphony::language {

enum class NodeKind : unsigned char {
  literal,
  name,       // text
  element,    // it
  reference,  // ${...}: number
  field,      // children[0] . text
  index,      // children[0] [children[1]]
  list,
  negate,
  logical_not,
  logical_and,
  logical_or,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  call,
  choose,    // if(condition, then, else)
  fallback,  // default(x, y)
  exists,
};

struct Expression::Node {
  NodeKind kind = NodeKind::literal;
  Json literal = nullptr;
  std::string text = {};
  std::size_t number = 0;
  const Function* function = nullptr;
  std::vector<std::unique_ptr<Node>> children = {};
};

// One node of the expression's tree, as to_string(expression) writes it.
std::string to_string(const Expression& expression, const Expression::Node& node);

}  // namespace symphony::language
