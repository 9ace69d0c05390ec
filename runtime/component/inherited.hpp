// What a handler hands down to everything it asks and starts: when its own answer is due, and its
// trace.
#pragma once

#include "messages/envelope.hpp"

namespace symphony::runtime {

struct Inherited {
  Deadline deadline = kNoDeadline;
  TraceContext trace;
};

}  // namespace symphony::runtime
