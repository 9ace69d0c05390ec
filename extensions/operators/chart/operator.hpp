// chart.svg, which belongs to the family of data operators.
#pragma once

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions {

void add_chart_operator(actors::OperatorRegistry& registry);

}  // namespace symphony::extensions
