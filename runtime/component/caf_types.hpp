// The two types that travel through CAF mailboxes. Neither is ever serialised by CAF.
#pragma once

#include <kj/function.h>
#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

#include "messages/envelope.hpp"

namespace symphony::runtime {

// A piece of work for the actor that takes it: a timer's tick, the end of blocking work.
struct Task {
  std::shared_ptr<kj::Function<void()>> run;
};

inline Task make_task(kj::Function<void()> run) {
  return Task{std::make_shared<kj::Function<void()>>(kj::mv(run))};
}

}  // namespace symphony::runtime

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::Envelope)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::Task)
