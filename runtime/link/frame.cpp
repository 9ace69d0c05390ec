#include "runtime/link/frame.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace symphony::runtime {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are written as they lie");

constexpr std::size_t kWordBytes = sizeof(capnp::word);
constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
// A body that lacks at least this much is read straight into its place.
constexpr std::size_t kDirectReadBytes = std::size_t{16} << 10;
static_assert(kBufferBytes >= kMaxFrameHeadBytes + kDirectReadBytes);

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + kWordBytes - 1) / kWordBytes * kWordBytes;
}

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

bool all_zero(const std::byte* from, const std::byte* to) {
  return std::all_of(from, to, [](std::byte b) { return b == std::byte{0}; });
}

void put_header(std::byte* at, const FrameHeader& header, std::size_t size_bytes,
                std::size_t target_bytes, std::size_t segments) {
  put(at, static_cast<std::uint32_t>(size_bytes));
  put(at + 4, static_cast<std::uint8_t>(header.kind));
  put(at + 5, static_cast<std::uint8_t>(target_bytes));
  put(at + 6, header.method);
  put(at + 8, header.correlation);
  put(at + 16, header.protocol);
  put(at + 24, header.remaining_ns);
  put(at + 32, header.trace.trace_high);
  put(at + 40, header.trace.trace_low);
  put(at + 48, header.trace.span);
  put(at + 56, static_cast<std::uint16_t>(segments));
  std::memset(at + 58, 0, 6);
}

FrameHeader get_header(const std::byte* at) {
  FrameHeader header;
  header.kind = static_cast<Kind>(get<std::uint8_t>(at + 4));
  header.method = get<std::uint16_t>(at + 6);
  header.correlation = get<std::uint64_t>(at + 8);
  header.protocol = get<std::uint64_t>(at + 16);
  header.remaining_ns = get<std::uint64_t>(at + 24);
  header.trace = {get<std::uint64_t>(at + 32), get<std::uint64_t>(at + 40),
                  get<std::uint64_t>(at + 48)};
  return header;
}

}  // namespace

bool is_target_name(std::string_view name) noexcept {
  return name.size() <= kMaxTargetBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Status EncodedFrame::encode(const FrameHeader& header, std::string_view target, const Words& words,
                            std::size_t max_frame_bytes) {
  if (!is_target_name(target))
    return Error{Errc::INVALID_ARGUMENT, "a component's name is at most " +
                                             std::to_string(kMaxTargetBytes) +
                                             " printable characters without spaces"};
  const auto segments = words.segments();
  if (segments.size() > kMaxSegments)
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a message has " + std::to_string(segments.size()) + " segments, at most " +
                     std::to_string(kMaxSegments) + " can be sent: send it in parts"};
  const auto target_padded = padded(target.size());
  const auto table_padded = padded(segments.size() * sizeof(std::uint32_t));
  head_bytes_ = kFrameHeaderBytes + target_padded + table_padded;
  size_bytes_ = head_bytes_ + words.size_bytes();
  if (size_bytes_ > max_frame_bytes)
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a message of " + std::to_string(size_bytes_) + " bytes is larger than a frame (" +
                     std::to_string(max_frame_bytes) + "): send it in parts"};

  put_header(head_.data(), header, size_bytes_, target.size(), segments.size());
  std::memset(head_.data() + kFrameHeaderBytes, 0, target_padded + table_padded);
  std::copy_n(reinterpret_cast<const std::byte*>(target.data()), target.size(),
              head_.data() + kFrameHeaderBytes);
  auto* table = head_.data() + kFrameHeaderBytes + target_padded;
  pieces_[0] = {head_.data(), head_bytes_};
  piece_count_ = 1;
  for (const auto& segment : segments) {
    put(table, static_cast<std::uint32_t>(segment.size()));
    table += sizeof(std::uint32_t);
    if (segment.size() == 0) continue;
    pieces_[piece_count_++] = {const_cast<capnp::word*>(segment.begin()),
                               segment.size() * kWordBytes};
  }
  return {};
}

FrameDecoder::FrameDecoder(std::size_t max_frame_bytes, Admit admit)
    : max_frame_bytes_(max_frame_bytes), admit_(std::move(admit)), buffer_(kBufferBytes) {}

std::span<std::byte> FrameDecoder::body_rest() noexcept {
  return std::span{reinterpret_cast<std::byte*>(body_.begin()), body_.size() * kWordBytes}.subspan(
      body_filled_bytes_);
}

bool FrameDecoder::reads_into_place() noexcept {
  return stage_ == Stage::segments && buffered() == 0 && body_rest().size() >= kDirectReadBytes;
}

std::span<std::byte> FrameDecoder::space() noexcept {
  if (reads_into_place()) return body_rest();
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span{buffer_}.subspan(end_);
}

void FrameDecoder::commit(std::size_t bytes) noexcept {
  if (reads_into_place()) {
    SYMPHONY_ASSERT(bytes <= body_rest().size());
    body_filled_bytes_ += bytes;
  } else {
    SYMPHONY_ASSERT(bytes <= buffer_.size() - end_);
    end_ += bytes;
  }
}

Result<std::optional<Frame>> FrameDecoder::next() {
  if (stage_ == Stage::broken) return broken("the connection was given up before");
  if (stage_ == Stage::header) {
    auto done = read_header();
    if (!done) return std::move(done).error();
    if (!*done) return std::optional<Frame>{};
    stage_ = Stage::tables;
  }
  if (stage_ == Stage::tables) {
    auto done = read_tables();
    if (!done) return std::move(done).error();
    if (!*done) return std::optional<Frame>{};
    stage_ = Stage::admission;
  }
  if (stage_ == Stage::admission) {
    auto done = take_memory();
    if (!done) return std::move(done).error();
    if (!*done) return std::optional<Frame>{};
    stage_ = Stage::segments;
  }
  if (!read_segments()) return std::optional<Frame>{};
  stage_ = Stage::header;
  if (!segment_sizes_.empty()) frame_.words = Words::adopt(kj::mv(body_), segment_sizes_);
  body_ = nullptr;
  return std::optional<Frame>{std::exchange(frame_, Frame{})};
}

Result<bool> FrameDecoder::read_header() {
  if (buffered() < kFrameHeaderBytes) return false;
  const auto* at = buffer_.data() + begin_;
  const std::size_t size_bytes = get<std::uint32_t>(at);
  if (size_bytes > max_frame_bytes_)
    return broken("a frame of " + std::to_string(size_bytes) + " bytes, the limit is " +
                  std::to_string(max_frame_bytes_));
  if (size_bytes % kWordBytes != 0) return broken("a frame that is not made of whole words");
  if (get<std::uint8_t>(at + 4) > static_cast<std::uint8_t>(Kind::cancel))
    return broken("a frame of unknown kind " + std::to_string(get<std::uint8_t>(at + 4)));
  if (!all_zero(at + 58, at + kFrameHeaderBytes)) return broken("a frame with reserved bits set");

  target_bytes_ = get<std::uint8_t>(at + 5);
  const std::size_t segments = get<std::uint16_t>(at + 56);
  if (segments > kMaxSegments)
    return broken("a frame of " + std::to_string(segments) + " segments, the limit is " +
                  std::to_string(kMaxSegments));
  const auto tables_bytes = padded(target_bytes_) + padded(segments * sizeof(std::uint32_t));
  if (size_bytes < kFrameHeaderBytes + tables_bytes)
    return broken("a frame shorter than its own tables");
  frame_.header = get_header(at);
  segment_sizes_.resize(segments);
  frame_bytes_ = size_bytes;
  rest_bytes_ = size_bytes - kFrameHeaderBytes;
  begin_ += kFrameHeaderBytes;
  return true;
}

Result<bool> FrameDecoder::read_tables() {
  const auto target_padded = padded(target_bytes_);
  const auto table_bytes = segment_sizes_.size() * sizeof(std::uint32_t);
  const auto tables_bytes = target_padded + padded(table_bytes);
  if (buffered() < tables_bytes) return false;
  const auto* at = buffer_.data() + begin_;
  frame_.target.assign(reinterpret_cast<const char*>(at), target_bytes_);
  const auto* table = at + target_padded;
  if (!is_target_name(frame_.target)) return broken("a frame whose target is not a name");
  if (!all_zero(at + target_bytes_, table) || !all_zero(table + table_bytes, at + tables_bytes))
    return broken("a frame with padding that is not zero");

  std::size_t words = 0;
  for (std::size_t i = 0; i < segment_sizes_.size(); ++i) {
    segment_sizes_[i] = get<std::uint32_t>(table + i * sizeof(std::uint32_t));
    words += segment_sizes_[i];  // at most kMaxSegments * 2^32: does not overflow
  }
  rest_bytes_ -= tables_bytes;
  if (words != rest_bytes_ / kWordBytes)
    return broken("a frame whose segments do not add up to its length");
  begin_ += tables_bytes;
  return true;
}

Result<bool> FrameDecoder::take_memory() {
  auto admission = admit_ ? admit_(frame_.header, frame_bytes_) : Admission{};
  if (!admission.now) return false;
  const auto words = rest_bytes_ / kWordBytes;
  try {
    body_ = kj::heapArray<capnp::word>(words);
    if (admission.with_words != nullptr && words > 0)
      body_ = body_.attach(std::move(admission.with_words));
  } catch (const std::bad_alloc&) {
    stage_ = Stage::broken;
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "there is no memory for a frame of " + std::to_string(frame_bytes_) + " bytes",
                 {},
                 true};
  }
  body_filled_bytes_ = 0;
  return true;
}

bool FrameDecoder::read_segments() {
  const auto rest = body_rest();
  const auto take = std::min(buffered(), rest.size());
  if (take != 0) std::memcpy(rest.data(), buffer_.data() + begin_, take);
  begin_ += take;
  body_filled_bytes_ += take;
  return take == rest.size();
}

Error FrameDecoder::broken(std::string why) {
  stage_ = Stage::broken;
  return Error{Errc::DATA_CORRUPT, "the peer does not speak the link's protocol: " + why};
}

}  // namespace symphony::runtime
