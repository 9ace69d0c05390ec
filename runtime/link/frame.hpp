// Frames: how an envelope travels between processes.
//
// All numbers are little-endian. A frame is
//
//     offset size
//       0     4   length of the whole frame in bytes, a multiple of 8
//       4     1   kind (symphony::Kind)
//       5     1   bytes of the target's name
//       6     2   method
//       8     8   correlation
//      16     8   protocol
//      24     8   nanoseconds that remain until the deadline (all ones: no deadline)
//      32    24   trace context: trace high, trace low, span
//      56     2   number of segments
//      58     6   zero
//      64         the target's name, zero-padded to a multiple of 8
//                 the size of each segment in words (4 bytes each), zero-padded likewise
//                 the segments
//
// The form is canonical: one frame has one encoding, and what does not have that form is refused.
// The decoder believes no size before it has compared it with its limit, and takes memory for the
// segments only then. What is INSIDE the segments is checked elsewhere (runtime/link/gate.hpp).
//
// Nothing here does I/O or knows the time. Not thread-safe.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/envelope.hpp"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony::runtime {

// Largest frame that is sent or accepted. Larger values travel in parts, by their protocol.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{16} << 20;
inline constexpr std::size_t kFrameHeaderBytes = 64;
inline constexpr std::size_t kMaxTargetBytes = 255;
inline constexpr std::size_t kMaxSegments = 512;
// Header, name and segment table at their largest.
inline constexpr std::size_t kMaxFrameHeadBytes =
    kFrameHeaderBytes + (kMaxTargetBytes + 1) + kMaxSegments * sizeof(std::uint32_t);
inline constexpr std::uint64_t kNoRemaining = ~std::uint64_t{0};

// What a frame says beside its words. Deadlines are relative here: clocks do not travel.
struct FrameHeader {
  Kind kind = Kind::request;
  std::uint16_t method = 0;
  std::uint64_t correlation = 0;
  std::uint64_t protocol = 0;
  std::uint64_t remaining_ns = kNoRemaining;
  TraceContext trace;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

struct Frame {
  FrameHeader header;
  std::string target;  // printable ASCII, at most kMaxTargetBytes
  Words words;
};

// Whether `name` can stand in a frame: at most kMaxTargetBytes of printable ASCII, no spaces.
[[nodiscard]] bool is_target_name(std::string_view name) noexcept;

// One encoded frame: pieces for sendmsg that point into itself and into the words it was given,
// which must outlive it. The segments are not copied.
class EncodedFrame {
 public:
  EncodedFrame() = default;
  EncodedFrame(const EncodedFrame&) = delete;
  EncodedFrame& operator=(const EncodedFrame&) = delete;

  // resourceExhausted: larger than `max_frame_bytes` or more than kMaxSegments segments.
  // invalidArgument: `target` is not a target name.
  [[nodiscard]] Status encode(const FrameHeader& header, std::string_view target,
                              const Words& words, std::size_t max_frame_bytes = kMaxFrameBytes);

  [[nodiscard]] std::span<const std::byte> head() const noexcept {
    return {head_.data(), head_bytes_};
  }
  [[nodiscard]] std::span<const iovec> pieces() const noexcept {
    return {pieces_.data(), piece_count_};
  }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

 private:
  // Left uninitialised: an EncodedFrame lives on the stack of whoever sends.
  std::array<std::byte, kMaxFrameHeadBytes> head_;
  std::array<iovec, kMaxSegments + 1> pieces_;
  std::size_t head_bytes_ = 0;
  std::size_t piece_count_ = 0;
  std::size_t size_bytes_ = 0;
};

// Takes bytes as they arrive, in pieces of any size, and gives frames.
//
//     decoder.commit(read(fd, decoder.space()));
//     for (;;) {
//       auto frame = decoder.next();
//       if (!frame) …close the connection…      // an error is final
//       if (!frame->has_value()) break;         // needs more bytes
//       …
//     }
class FrameDecoder {
 public:
  // Asked of each frame before memory is taken for its words, with its size.
  struct Admission {
    bool now = true;                         // false: next() gives nothing, and asks again
    std::shared_ptr<const void> with_words;  // held as long as the words are, if there are any
  };
  using Admit = std::function<Admission(const FrameHeader&, std::size_t frame_bytes)>;

  // Without `admit` all frames are read.
  explicit FrameDecoder(std::size_t max_frame_bytes = kMaxFrameBytes, Admit admit = {});

  // Where the next bytes go; never empty. REQUIRES: next() has said that it needs more bytes, and
  // not that it holds a frame back.
  [[nodiscard]] std::span<std::byte> space() noexcept;
  // The first `bytes` of what space() gave were filled.
  void commit(std::size_t bytes) noexcept;
  // The next whole frame, or nothing when more bytes are needed or the frame was not admitted.
  // dataCorrupt: not a frame. resourceExhausted: there is no memory for it.
  [[nodiscard]] Result<std::optional<Frame>> next();
  // Whether it was not admitted.
  [[nodiscard]] bool held_back() const noexcept { return stage_ == Stage::admission; }
  // Whether a frame has begun to arrive and is not complete.
  [[nodiscard]] bool inside_frame() const noexcept {
    return stage_ != Stage::header || end_ != begin_;
  }

 private:
  enum class Stage : std::uint8_t { header, tables, admission, segments, broken };

  // Each true when it is done, false when it needs more bytes.
  Result<bool> read_header();
  Result<bool> read_tables();
  Result<bool> take_memory();
  bool read_segments();
  Error broken(std::string why);
  // The part of the segments that has not arrived, and whether it is read without a detour.
  std::span<std::byte> body_rest() noexcept;
  bool reads_into_place() noexcept;
  [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; }

  std::size_t max_frame_bytes_;
  Admit admit_;
  std::vector<std::byte> buffer_;  // what was read and not yet taken is [begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Stage stage_ = Stage::header;
  Frame frame_;
  std::size_t frame_bytes_ = 0;
  std::size_t rest_bytes_ = 0;  // of the frame, after the part that was decoded
  std::size_t target_bytes_ = 0;
  std::vector<std::uint32_t> segment_sizes_;  // in words
  kj::Array<capnp::word> body_;
  std::size_t body_filled_bytes_ = 0;
};

}  // namespace symphony::runtime
