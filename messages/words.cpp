#include "messages/words.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "messages/result.hpp"

namespace symphony {

Words::Builder::~Builder() noexcept = default;

// Each further segment is as large as all before it: their number grows with the logarithm of the
// message's size.
kj::ArrayPtr<capnp::word> Words::Builder::allocateSegment(capnp::uint minimum_words) {
  if (allocated_words_ == 0 && minimum_words <= kInlineWords) {
    allocated_words_ = kInlineWords;
    return kj::arrayPtr(first_, kInlineWords);
  }
  constexpr std::size_t kSegmentMaxWords = 1u << 28;
  const std::size_t words = std::max<std::size_t>(
      minimum_words, std::min(std::max(allocated_words_, kInlineWords * 4), kSegmentMaxWords));
  std::unique_ptr<void, void (*)(void*)> memory{std::calloc(words, sizeof(capnp::word)),
                                                &std::free};
  if (memory == nullptr) throw std::bad_alloc{};
  auto* const begin = static_cast<capnp::word*>(memory.get());
  more_.push_back(std::move(memory));
  allocated_words_ += words;
  return kj::arrayPtr(begin, words);
}

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
