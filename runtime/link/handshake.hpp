// The first words between two ends of a link. Nothing else is read before they are exchanged.
//
// Each end sends one greeting, the one who connected first:
//
//     offset size
//       0     8   "SYMPHONY"
//       8     2   version of the link's protocol, little-endian
//      10     1   code: the kind of peer, or the answer (Verdict)
//      11     1   bytes of text
//      12     4   zero
//      16         text: the node's or client's name; in a refusal, why
//
// This form stays as it is in every version, so that any two can tell each other why they cannot
// talk. What comes after the greetings is frames (runtime/link/frame.hpp).
//
// A pure core: no I/O, no time. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"

namespace symphony::runtime {

inline constexpr std::uint16_t kLinkVersion = 1;
inline constexpr std::size_t kGreetingHeadBytes = 16;
inline constexpr std::size_t kMaxPeerNameBytes = 63;
inline constexpr std::size_t kMaxGreetingTextBytes = 255;

enum class PeerKind : std::uint8_t { client, node };
enum class Verdict : std::uint8_t { welcome, refused };

struct Greeting {
  std::uint16_t version = kLinkVersion;
  std::uint8_t code = 0;
  std::string text;

  friend bool operator==(const Greeting&, const Greeting&) = default;
};

// Text that is too long is cut, what is not printable becomes '?'.
std::vector<std::byte> encode_greeting(const Greeting& greeting);

// Reads one greeting and not a byte more.
class GreetingReader {
 public:
  // `max_text_bytes` is at most kMaxGreetingTextBytes.
  explicit GreetingReader(std::size_t max_text_bytes) : max_text_bytes_(max_text_bytes) {}

  // What is still to be read. REQUIRES: advance() has neither failed nor given the greeting.
  [[nodiscard]] std::span<std::byte> space() noexcept;
  // The first `bytes` of space() were filled. The greeting when it is complete; dataCorrupt when
  // this is none.
  [[nodiscard]] Result<std::optional<Greeting>> advance(std::size_t bytes);

 private:
  std::size_t max_text_bytes_;
  std::array<std::byte, kGreetingHeadBytes + kMaxGreetingTextBytes> buffer_{};
  std::size_t filled_bytes_ = 0;
};

// Why the greeting of one who connects cannot be accepted, if so.
Status check_hello(const Greeting& hello);
// Whether a process of `peer_uid` may talk to one of `own_uid`: the same user, or root.
Status check_uid(std::uint32_t peer_uid, std::uint32_t own_uid);

}  // namespace symphony::runtime
