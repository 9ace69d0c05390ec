// The limits and timeouts of the link, in one place.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <string>

#include "runtime/link/frame.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

struct LinkOptions {
  static constexpr std::size_t kMaxPeers = 64;
  static constexpr std::size_t kMaxPending = 16'384;
  static constexpr std::size_t kMaxInboundBytes = std::size_t{32} << 20;
  static constexpr std::size_t kMaxInboundBytesInAll = std::size_t{128} << 20;
  static constexpr std::size_t kMaxOutboundBytes = std::size_t{32} << 20;
  static constexpr Nanos kHandshakeTimeout = std::chrono::seconds{5};
  static constexpr Nanos kAskTimeout = std::chrono::seconds{30};
  // A peer that stops in the middle of a large frame for so long, while others wait for memory,
  // has to go.
  static constexpr Nanos kStallTimeout = std::chrono::seconds{10};

  // How this end calls itself: a node's name, or what a client is ("symphony run").
  std::string name = "default";
  // Connections that a server has at a time, those in their handshake included.
  std::size_t max_peers = kMaxPeers;
  // Largest frame sent or accepted.
  std::size_t max_frame_bytes = kMaxFrameBytes;
  // On one connection: asks without an answer, and requests of the peer without an answer.
  std::size_t max_pending = kMaxPending;
  // On one connection, and on all of a server's: requests and notices of peers that are not done
  // with. Who has sent more is not read until some are. One frame always fits.
  std::size_t max_inbound_bytes = kMaxInboundBytes;
  std::size_t max_inbound_bytes_in_all = kMaxInboundBytesInAll;
  // On one connection: what waits because the peer does not read. One frame always fits.
  std::size_t max_outbound_bytes = kMaxOutboundBytes;
  // From the connection to the end of the greetings.
  Nanos handshake_timeout = kHandshakeTimeout;
  // Of an ask without a deadline of its own.
  Nanos ask_timeout = kAskTimeout;
  // Peers must have this user id, or root's.
  uid_t own_uid = ::geteuid();
};

}  // namespace symphony::runtime
