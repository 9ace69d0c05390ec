// The types that travel through CAF mailboxes. None is ever serialised by CAF.
#pragma once

#include <kj/function.h>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/message_id.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "messages/envelope.hpp"
#include "runtime/component/inherited.hpp"

namespace symphony::runtime {

// A piece of work for the actor that takes it.
struct Task {
  std::shared_ptr<kj::Function<void()>> run;
  Inherited inherited;
};

inline Task make_task(kj::Function<void()> run, const Inherited& inherited = {}) {
  return Task{std::make_shared<kj::Function<void()>>(kj::mv(run)), inherited};
}

// Blocking work of this actor has ended.
struct WorkEnded {
  std::uint64_t work = 0;
  Status outcome;
};

// An incarnation was given up by its supervisor: what was asked of its actor is not answered.
struct Fenced {
  std::uint64_t actor = 0;
  std::string name;
};

// The CAF id of a message with this header; `ask` is 0 for one that wants no answer.
inline caf::message_id message_id_of(const Header& header, std::uint64_t ask = 0) {
  return header.urgent ? caf::make_message_id<caf::message_priority::high>(ask)
                       : caf::make_message_id(ask);
}

}  // namespace symphony::runtime

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::Envelope)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::Task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::WorkEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(symphony::runtime::Fenced)
