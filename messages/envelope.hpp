// The one message type that every actor sends and receives.
#pragma once

#include <chrono>
#include <cstdint>

#include "messages/error.capnp.h"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

// No deadline of its own: the asker's default applies.
inline constexpr Deadline kNoDeadline = Deadline::max();

// W3C trace context: which trace a message belongs to and which span caused it. All zero: none.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;

  [[nodiscard]] bool present() const noexcept { return (trace_high | trace_low) != 0; }
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

enum class Kind : std::uint8_t {
  request,   // wants a response or a failure with the same correlation
  notice,    // one-way
  response,  // words: the method's response struct
  failure,   // words: messages::Error
  cancel,    // the request with this correlation is no longer wanted; no words
};

struct Header {
  std::uint64_t protocol = 0;     // id of the interface
  std::uint64_t correlation = 0;  // unique per sender; pairs response with request
  std::uint64_t sender = 0;       // which component or peer sent it (0: none of them)
  TraceContext trace;
  Deadline deadline = kNoDeadline;  // absolute in this process; remaining time on the wire
  Deadline sent{};                  // when it was put into the receiver's mailbox
  std::uint16_t method = 0;         // ordinal in the interface
  Kind kind = Kind::request;
  bool urgent = false;  // goes before what waits already: $urgent in the schema; not on the wire
};

// Immutable once sent; copying shares the words.
struct Envelope {
  Header header;
  Words words;
};

// A failure that answers `request`.
Envelope make_failure(const Header& request, const Error& error);
// What a failure envelope says. REQUIRES: kind is failure.
Error read_failure(const Envelope& failure);
Error to_error(messages::Error::Reader reader);
void write_error(messages::Error::Builder builder, const Error& error);

}  // namespace symphony
