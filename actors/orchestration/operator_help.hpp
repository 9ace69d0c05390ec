// Documentation of operators, from their specs: what `symphony operators [NAME]` prints.
#pragma once

#include <string>
#include <string_view>

#include "actors/orchestration/operator.hpp"

namespace symphony::actors {

// One operator as a page of at most `columns` wide lines, or as an object with the fields of
// OperatorSpec (types by name).
std::string operator_help_text(const OperatorSpec& spec, int columns = 100);
Json operator_help_json(const OperatorSpec& spec);

// All operators, a line each under their families; as a list of the objects above.
std::string operators_help_text(const OperatorRegistry& registry, int columns = 100);
Json operators_help_json(const OperatorRegistry& registry);

// The page of one operator by name. Errc::NOT_FOUND, with a suggestion, when there is none.
Result<std::string> operator_help_text(const OperatorRegistry& registry, std::string_view name,
                                       int columns = 100);
Result<Json> operator_help_json(const OperatorRegistry& registry, std::string_view name);

}  // namespace symphony::actors
