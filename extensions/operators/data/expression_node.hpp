// The tree behind an Expression. Only expression*.cpp include this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extensions/operators/data/expression.hpp"

namespace symphony::extensions {

enum class NodeKind : unsigned char {
  literal,
  name,     // text
  element,  // it
  field,    // children[0] . text
  index,    // children[0] [children[1]]
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
  const Function* function = nullptr;
  std::vector<std::unique_ptr<Node>> children = {};
};

}  // namespace symphony::extensions
