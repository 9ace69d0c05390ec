#include "runtime/link/outbound.hpp"

#include <algorithm>

#include "messages/result.hpp"

namespace symphony::runtime {

std::vector<std::byte>& Outbound::open_bytes(std::size_t more) {
  if (chunks_.empty() || chunks_.back().sealed || !chunks_.back().words.empty() ||
      chunks_.back().bytes.size() + more > kChunkBytes)
    chunks_.emplace_back();
  return chunks_.back().bytes;
}

void Outbound::append(std::span<const std::byte> bytes) {
  auto& open = open_bytes(bytes.size());
  open.insert(open.end(), bytes.begin(), bytes.end());
  size_bytes_ += bytes.size();
}

void Outbound::append(const EncodedFrame& frame, const Words& words) {
  if (frame.size_bytes() > kCopyBytes) {
    append(frame.head());
    chunks_.back().words = words;
    size_bytes_ += words.size_bytes();
    return;
  }
  auto& open = open_bytes(frame.size_bytes());
  for (const auto& piece : frame.pieces()) {
    const auto* from = static_cast<const std::byte*>(piece.iov_base);
    open.insert(open.end(), from, from + piece.iov_len);
  }
  size_bytes_ += frame.size_bytes();
}

void Outbound::put_back(const EncodedFrame& frame, const Words& words, std::size_t written_bytes) {
  SYMPHONY_ASSERT(written_bytes < frame.size_bytes());
  Chunk chunk;
  chunk.bytes.assign(frame.head().begin(), frame.head().end());
  chunk.words = words;
  chunk.consumed_bytes = written_bytes;
  chunk.sealed = true;
  size_bytes_ += frame.size_bytes() - written_bytes;
  chunks_.push_front(std::move(chunk));
}

std::size_t Outbound::gather(std::span<iovec, kMaxPieces> pieces) {
  std::size_t count = 0;
  for (auto& chunk : chunks_) {
    auto skip = chunk.consumed_bytes;
    const auto add = [&](const void* from, std::size_t size) {
      const auto skipped = std::min(skip, size);
      skip -= skipped;
      if (skipped == size || count == pieces.size()) return;
      auto* begin = const_cast<std::byte*>(static_cast<const std::byte*>(from));
      pieces[count++] = {begin + skipped, size - skipped};
    };
    if (count == pieces.size()) break;
    chunk.sealed = true;
    add(chunk.bytes.data(), chunk.bytes.size());
    for (const auto& segment : chunk.words.segments())
      add(segment.begin(), segment.size() * sizeof(capnp::word));
  }
  return count;
}

void Outbound::consume(std::size_t bytes) {
  SYMPHONY_ASSERT(bytes <= size_bytes_);
  size_bytes_ -= bytes;
  while (!chunks_.empty()) {
    auto& chunk = chunks_.front();
    const auto left = chunk.size_bytes() - chunk.consumed_bytes;
    if (bytes < left) {
      chunk.consumed_bytes += bytes;
      return;
    }
    bytes -= left;
    chunks_.pop_front();
  }
}

}  // namespace symphony::runtime
