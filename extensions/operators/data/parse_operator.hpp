// data.parse.
#pragma once

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions {

void add_parse_operator(actors::OperatorRegistry& registry);

}  // namespace symphony::extensions
