// The schema of a node's settings, as it was when the program was built.
#pragma once

#include "runtime/settings/schema.hpp"

namespace symphony::runtime {

// config/schema/node.schema.json; loading it costs well under a millisecond, keep it.
Schema load_node_schema();

}  // namespace symphony::runtime
