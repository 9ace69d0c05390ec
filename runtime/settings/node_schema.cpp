#include "runtime/settings/node_schema.hpp"

#include <utility>

#include "embedded/node_schema.hpp"

namespace symphony::runtime {

Schema load_node_schema() {
  auto schema = Schema::load(embedded::node_schema);
  SYMPHONY_ASSERT(schema.ok());
  return std::move(*schema);
}

}  // namespace symphony::runtime
