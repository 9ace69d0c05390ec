// Any bytes, in pieces of any size: the decoder neither crashes nor takes more memory than its
// limit, and every frame it gives has exactly the encoding it came from.
#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/link/frame.hpp"

using symphony::runtime::EncodedFrame;
using symphony::runtime::FrameDecoder;

namespace {

constexpr std::size_t kLimitBytes = std::size_t{64} << 10;

void check_canonical(const symphony::runtime::Frame& frame, const std::uint8_t* consumed) {
  EncodedFrame again;
  SYMPHONY_ASSERT(again.encode(frame.header, frame.target, frame.words, kLimitBytes).ok());
  for (const auto& piece : again.pieces()) {
    SYMPHONY_ASSERT(std::memcmp(piece.iov_base, consumed, piece.iov_len) == 0);
    consumed += piece.iov_len;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + data[0] * 16;
  const auto* stream = data + 1;
  const auto stream_size = size - 1;
  FrameDecoder decoder{kLimitBytes};
  std::size_t fed = 0;
  std::size_t frame_start = 0;
  for (;;) {
    auto frame = decoder.next();
    if (!frame) return 0;
    if (frame->has_value()) {
      check_canonical(**frame, stream + frame_start);
      std::uint32_t length = 0;
      std::memcpy(&length, stream + frame_start, sizeof length);
      frame_start += length;
      continue;
    }
    if (fed == stream_size) return 0;
    const auto space = decoder.space();
    const auto n = std::min({space.size(), stream_size - fed, piece});
    std::memcpy(space.data(), stream + fed, n);
    decoder.commit(n);
    fed += n;
  }
}
