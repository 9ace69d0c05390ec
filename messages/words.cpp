#include "messages/words.hpp"

#include "messages/result.hpp"

namespace symphony {

Words Words::adopt(kj::Array<capnp::word> buffer, std::span<const std::uint32_t> segment_sizes) {
  auto* body = new Adopted;
  Words words{body};
  body->buffer = kj::mv(buffer);
  body->table.reserve(segment_sizes.size());
  std::size_t at = 0;
  for (const auto size : segment_sizes) {
    SYMPHONY_ASSERT(size <= body->buffer.size() - at);
    body->table.push_back(body->buffer.slice(at, at + size));
    at += size;
  }
  body->segments = kj::arrayPtr(body->table.data(), body->table.size());
  return words;
}

std::size_t Words::size_bytes() const noexcept {
  std::size_t words = 0;
  for (const auto& segment : segments()) words += segment.size();
  return words * sizeof(capnp::word);
}

std::unique_ptr<capnp::SegmentArrayMessageReader> Words::open() const {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = std::numeric_limits<std::uint64_t>::max();
  options.nestingLimit = kMaxNesting;
  return std::make_unique<capnp::SegmentArrayMessageReader>(segments(), options);
}

}  // namespace symphony
