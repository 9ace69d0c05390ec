// The condition of a node: `when = "${inputs.deep} and ${nodes.count.files} > 10"`.
//
//   or         := and ("or" and)*
//   and        := not ("and" not)*
//   not        := "not" not | comparison
//   comparison := operand (("==" | "!=" | "<" | "<=" | ">" | ">=") operand)?
//   operand    := ${reference} | number | 'text' | "text" | true | false | null | "(" or ")"
//
// and, or and not take booleans; null counts as false. == and != compare any two values, an
// integer equal to a number of the same size; < and the like compare two numbers or two texts
// (byte by byte), and are false when one side is null. "and" and "or" stop at the first side that
// settles them. Immutable values; evaluation is pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/melody/template.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxExpressionBytes = 4'096;
inline constexpr std::size_t kMaxExpressionDepth = 64;

enum class ExpressionKind : std::uint8_t {
  literal,
  reference,
  logical_not,
  logical_and,
  logical_or,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal
};

struct Expression {
  ExpressionKind kind = ExpressionKind::literal;
  Json literal = nullptr;
  Reference reference = {};
  std::vector<Expression> operands = {};

  void visit(const std::function<void(const Reference&)>& visitor) const;
  void resolve(const std::function<void(Reference&)>& resolver);
  friend bool operator==(const Expression&, const Expression&) = default;
};

// INVALID_ARGUMENT with a sentence that says where (character, from 1) and what was expected.
Result<Expression> parse_expression(std::string_view text);

// Fully parenthesised, parses to the same expression.
std::string to_string(const Expression& expression);

// Errors of evaluate_reference, or INVALID_ARGUMENT when operands do not fit their operator.
Result<bool> evaluate(const Expression& expression, const Scope& scope);

}  // namespace symphony::actors
