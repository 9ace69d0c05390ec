// Statistics as they travel.
#pragma once

#include "messages/component.capnp.h"
#include "runtime/telemetry/component_stats.hpp"

namespace symphony::runtime {

void write_stats(const ComponentSnapshot& snapshot, messages::ComponentStats::Builder out);

}  // namespace symphony::runtime
