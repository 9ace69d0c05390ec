#include "actors/orchestration/melody/condition.hpp"

#include <utility>

namespace symphony::actors {

void Condition::visit(const std::function<void(const Reference&)>& visitor) const {
  for (const Reference& reference : references) visitor(reference);
}

void Condition::resolve(const std::function<void(Reference&)>& resolver) {
  for (Reference& reference : references) resolver(reference);
}

Result<Condition> parse_condition(std::string_view text) {
  auto expression = language::Expression::parse(text, language::Operands::references);
  if (!expression) return std::move(expression).error();
  std::vector<Reference> references;
  for (const std::string& inside : expression->references()) {
    auto reference = parse_reference(inside);
    if (!reference) return std::move(reference).error();
    references.push_back(std::move(reference).value());
  }
  return Condition{std::move(expression).value(), std::move(references)};
}

std::string to_string(const Condition& condition) { return to_string(condition.expression); }

Result<bool> evaluate(const Condition& condition, const RunScope& scope) {
  const language::Scope::References values = [&](std::size_t number) -> Result<language::Value> {
    auto evaluated = evaluate_reference(condition.references[number], scope);
    if (!evaluated) return std::move(evaluated).error();
    return language::Value(std::move(evaluated->value));
  };
  return condition.expression.test(language::Scope(values));
}

}  // namespace symphony::actors
