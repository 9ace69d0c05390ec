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
  static constexpr std::size_t kMaxOutboundBytes = std::size_t{32} << 20;
  static constexpr Nanos kHandshakeTimeout = std::chrono::seconds{5};
  static constexpr Nanos kAskTimeout = std::chrono::seconds{30};

  // How this end calls itself: a node's name, or what a client is ("symphony run").
  std::string name = "default";
  // Connections that a server has at a time, those in their handshake included.
  std::size_t max_peers = kMaxPeers;
  // Largest frame sent or accepted.
  std::size_t max_frame_bytes = kMaxFrameBytes;
  // On one connection: asks without an answer, and requests of the peer without an answer.
  std::size_t max_pending = kMaxPending;
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
