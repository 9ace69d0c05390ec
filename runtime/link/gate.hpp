// What may pass from another process: known methods with valid words, nothing internal.
//
// Every request, notice, response and failure is checked here as it enters, before anybody sees it.
// A request is done as it was meant or not at all: one with values that only a newer peer knows is
// refused. Answers may hold such values: whoever reads them shows what he knows.
//
// Immutable after construction and thread-safe: one gate serves all connections of a process.
#pragma once

#include <cstdint>

#include "messages/protocol.hpp"
#include "messages/result.hpp"
#include "messages/validate.hpp"
#include "runtime/link/frame.hpp"

namespace symphony::runtime {

class Gate {
 public:
  // Knows all protocols of this program (messages/protocol.hpp).
  Gate();

  // A request or notice. unimplemented: no such protocol or method, or values that only a newer
  // release knows. permissionDenied: the method
  // is for the component's supervisor only. invalidArgument: one-way and two-way do not match, or
  // the words are not valid.
  [[nodiscard]] Status check_request(const FrameHeader& header, const Words& words) const;
  // The answer to a request for this method. dataCorrupt.
  [[nodiscard]] Status check_response(std::uint64_t protocol, std::uint16_t method,
                                      const Words& words) const;
  [[nodiscard]] Status check_failure(const Words& words) const;

 private:
  Status check_words(const Words& words, capnp::StructSchema schema, NewerValues newer, Errc code,
                     const char* what) const;

  Validator validator_;
};

}  // namespace symphony::runtime
