#include "extensions/operators/data/template_operator.hpp"

namespace symphony::extensions {

void add_chart_operator(actors::OperatorRegistry&) {}

}  // namespace symphony::extensions
