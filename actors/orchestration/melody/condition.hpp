// The condition of a node: `when = "${inputs.deep} and ${nodes.count.files} > 10"`.
//
// An expression (runtime/language/expression.hpp) about references. Immutable values; evaluation is
// pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/melody/binding.hpp"
#include "runtime/language/expression.hpp"

namespace symphony::actors {

struct Condition {
  language::Expression expression;
  std::vector<Reference> references;  // the expression's, by number

  void visit(const std::function<void(const Reference&)>& visitor) const;
  void resolve(const std::function<void(Reference&)>& resolver);
};

// INVALID_ARGUMENT with a sentence that says where and what was expected.
Result<Condition> parse_condition(std::string_view text);

// What language::to_string gives.
std::string to_string(const Condition& condition);

// Whether it is true. Errors of evaluate_reference, or INVALID_ARGUMENT when operands do not fit
// their operator.
Result<bool> evaluate(const Condition& condition, const RunScope& scope);

}  // namespace symphony::actors
