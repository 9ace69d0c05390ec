#include "actors/orchestration/operator.hpp"

#include <utility>

namespace symphony::actors {

std::string_view to_string(ValueType type) noexcept {
  switch (type) {
    case ValueType::any:
      return "any";
    case ValueType::text:
      return "text";
    case ValueType::path:
      return "path";
    case ValueType::integer:
      return "integer";
    case ValueType::number:
      return "number";
    case ValueType::boolean:
      return "boolean";
    case ValueType::list:
      return "list";
    case ValueType::object:
      return "object";
  }
  return "unknown";
}

bool is_of_type(const Json& value, ValueType type) noexcept {
  switch (type) {
    case ValueType::any:
      return true;
    case ValueType::text:
    case ValueType::path:
      return value.is_string();
    case ValueType::integer:
      return value.is_number_integer();
    case ValueType::number:
      return value.is_number();
    case ValueType::boolean:
      return value.is_boolean();
    case ValueType::list:
      return value.is_array();
    case ValueType::object:
      return value.is_object();
  }
  return false;
}

void OperatorRegistry::add(std::unique_ptr<Operator> op) {
  std::string name = op->spec().name;
  const bool added = operators_.emplace(std::move(name), std::move(op)).second;
  SYMPHONY_ASSERT(added);
}

const Operator* OperatorRegistry::find(std::string_view name) const {
  const auto found = operators_.find(name);
  return found == operators_.end() ? nullptr : found->second.get();
}

std::vector<std::string> OperatorRegistry::names() const {
  std::vector<std::string> names;
  names.reserve(operators_.size());
  for (const auto& [name, op] : operators_) names.push_back(name);
  return names;
}

}  // namespace symphony::actors
