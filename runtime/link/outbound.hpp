// What a connection still has to write, in order, with a count of its bytes.
//
// Small frames are copied together, so that one system call writes many; the words of large ones
// are shared and written from where they lie. Not thread-safe; what gather() gave stays valid while
// others are appended, until consume().
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "messages/words.hpp"
#include "runtime/link/frame.hpp"

namespace symphony::runtime {

class Outbound {
 public:
  // Frames up to this size are copied; a copy is cheaper than a piece of its own.
  static constexpr std::size_t kCopyBytes = std::size_t{4} << 10;
  static constexpr std::size_t kMaxPieces = 64;

  [[nodiscard]] bool empty() const noexcept { return size_bytes_ == 0; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

  // `words` are those that `frame` was encoded from.
  void append(const EncodedFrame& frame, const Words& words);
  void append(std::span<const std::byte> bytes);
  // Puts a frame whose first `written_bytes` are already written before all else.
  void put_back(const EncodedFrame& frame, const Words& words, std::size_t written_bytes);

  // The first pieces to write, at most pieces.size(). Gives how many.
  std::size_t gather(std::span<iovec, kMaxPieces> pieces);
  // The first `bytes` of what gather() gave are written.
  void consume(std::size_t bytes);

 private:
  // Bytes, followed by words. `sealed`: part of what gather() gave, so its bytes must not move.
  struct Chunk {
    std::vector<std::byte> bytes;
    Words words;
    std::size_t consumed_bytes = 0;
    bool sealed = false;

    [[nodiscard]] std::size_t size_bytes() const { return bytes.size() + words.size_bytes(); }
  };
  static constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

  std::vector<std::byte>& open_bytes(std::size_t more);

  std::deque<Chunk> chunks_;
  std::size_t size_bytes_ = 0;
};

}  // namespace symphony::runtime
