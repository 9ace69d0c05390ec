// template.render, which belongs to the family of data operators.
#pragma once

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions {

void add_template_operator(actors::OperatorRegistry& registry);

}  // namespace symphony::extensions
