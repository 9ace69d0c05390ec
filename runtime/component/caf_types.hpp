// The types that travel through CAF mailboxes. None is ever serialised by CAF.
#pragma once

#include <kj/function.h>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "messages/envelope.hpp"

namespace symphony::runtime {

// A piece of work for the actor that takes it: a timer's tick, the end of blocking work.
struct Task {
  std::shared_ptr<kj::Function<void()>> run;
};

inline Task make_task(kj::Function<void()> run) {
  return Task{std::make_shared<kj::Function<void()>>(kj::mv(run))};
}

// An incarnation was given up by its supervisor: what was asked of its actor is not answered.
struct Fenced {
  std::uint64_t actor = 0;
  std::string name;
};

}  // namespace symphony::runtime

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::Envelope)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::Task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::Fenced)
