// What a node and the launcher of one program say to each other, as bytes on a stream socket.
//
//   node ──► launcher    start   what to run, once and first
//                        end     end it: SIGTERM to all of it, SIGKILL after the grace
//   launcher ──► node    failed  it could not be started; nothing follows
//                        exited  the program has ended; `alone`: with all that it started
//                        gone    all that it started has ended, too; nothing follows
//
// End of file from the node means `end`; from the launcher, without its last frame, that the
// launcher was killed. A frame is a byte for its kind, four for the length of what follows
// (little-endian, at most kLaunchFrameBytesMax), and that. Texts are length and bytes, lists are
// count and members; a decoder takes nothing on trust, since a wrong length must not take memory.
//
// Pure; no exceptions but for want of memory. Linked into the launcher, which has no other
// libraries: standard library only.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace symphony::runtime {

// Arguments and environment are limited by the kernel to 2 MiB in all (a quarter of the stack).
inline constexpr std::size_t kLaunchFrameBytesMax = std::size_t{8} << 20;

struct ResourceLimit {
  int resource = 0;         // RLIMIT_…
  std::uint64_t value = 0;  // soft and hard
  friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

struct StartFrame {
  std::vector<std::string> candidates;   // paths to try in turn, as execvp does
  std::vector<std::string> arguments;    // argv
  std::vector<std::string> environment;  // NAME=value
  std::string directory;                 // empty: that of the node
  std::vector<ResourceLimit> limits;
  std::uint32_t grace_ms = 0;  // from SIGTERM to SIGKILL when the node is gone
  friend bool operator==(const StartFrame&, const StartFrame&) = default;
};

struct EndFrame {
  std::uint32_t grace_ms = 0;
  friend bool operator==(const EndFrame&, const EndFrame&) = default;
};

enum class StartStep : std::uint8_t { fork = 1, limit, directory, execute };

struct FailedFrame {
  StartStep step = StartStep::fork;
  std::int32_t error_number = 0;  // errno
  friend bool operator==(const FailedFrame&, const FailedFrame&) = default;
};

struct ExitedFrame {
  std::int32_t exit_code = -1;  // -1: a signal ended it
  std::int32_t signal = 0;
  std::uint64_t user_us = 0;  // processor time, of its ended children too
  std::uint64_t system_us = 0;
  std::uint64_t max_resident_bytes = 0;
  bool alone = false;     // nothing that it started is left
  bool orphaned = false;  // the launcher lost its own parent and so ended the program
  friend bool operator==(const ExitedFrame&, const ExitedFrame&) = default;
};

struct GoneFrame {
  friend bool operator==(const GoneFrame&, const GoneFrame&) = default;
};

using LaunchFrame = std::variant<StartFrame, EndFrame, FailedFrame, ExitedFrame, GoneFrame>;

// Header and all.
std::string encode(const LaunchFrame& frame);

// Puts frames together from pieces of any size.
class LaunchFrameReader {
 public:
  enum class State : std::uint8_t { incomplete, frame, broken };

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame. `broken` for ever after bytes that are no frame.
  State next(LaunchFrame& frame);

 private:
  std::string buffer_;
  std::size_t read_ = 0;
  bool broken_ = false;
};

}  // namespace symphony::runtime
