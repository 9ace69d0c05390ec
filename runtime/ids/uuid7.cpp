#include "runtime/ids/uuid7.hpp"

namespace symphony::runtime {
namespace {

constexpr std::uint64_t kMsMask = (1ULL << 48) - 1;
constexpr std::uint64_t kAMask = (1ULL << 12) - 1;
constexpr std::uint64_t kBMask = (1ULL << 62) - 1;
constexpr std::string_view kHex = "0123456789abcdef";

constexpr bool dash_follows(std::size_t byte) {
  return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::uint64_t read_half(const std::array<std::uint8_t, 16>& bytes, std::size_t from) noexcept {
  std::uint64_t half = 0;
  for (std::size_t i = from; i < from + 8; ++i) half = half << 8 | bytes[i];
  return half;
}

}  // namespace

std::int64_t Uuid::unix_ms() const noexcept { return static_cast<std::int64_t>(high() >> 16); }
std::uint64_t Uuid::high() const noexcept { return read_half(bytes, 0); }
std::uint64_t Uuid::low() const noexcept { return read_half(bytes, 8); }

Uuid Uuid::from_halves(std::uint64_t high, std::uint64_t low) noexcept {
  Uuid id;
  for (int i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return id;
}

std::string to_string(const Uuid& id) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    text += kHex[id.bytes[i] >> 4];
    text += kHex[id.bytes[i] & 15];
    if (dash_follows(i)) text += '-';
  }
  return text;
}

Result<Uuid> parse_uuid(std::string_view text) {
  const auto malformed = [text] {
    return Error{Errc::INVALID_ARGUMENT,
                 "\"" + std::string(text.substr(0, 40)) +
                     "\" is not a UUID: write 32 hexadecimal digits as 8-4-4-4-12"};
  };
  if (text.size() != 36) return malformed();
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return malformed();
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
    if (dash_follows(i) && text[at++] != '-') return malformed();
  }
  return id;
}

Uuid Uuid7Generator::next() {
  std::lock_guard lock(mutex_);
  const std::int64_t wall_ms = clocks_.wall_ns() / 1'000'000;
  const std::uint64_t now_ms = wall_ms < 0 ? 0 : static_cast<std::uint64_t>(wall_ms) & kMsMask;
  if (now_ms > last_ms_) {
    last_ms_ = now_ms;
    // The top bit starts at zero, so that there is room to count upwards.
    last_a_ = random_.next() & (kAMask >> 1);
    last_b_ = random_.next() & kBMask;
  } else {
    last_b_ += 1 + (random_.next() & 0xffff'ffff);
    if (last_b_ > kBMask) {
      last_b_ &= kBMask;
      if (++last_a_ > kAMask) {
        last_a_ = 0;
        ++last_ms_;
      }
    }
  }
  return Uuid::from_halves(last_ms_ << 16 | 7ULL << 12 | last_a_, 2ULL << 62 | last_b_);
}

}  // namespace symphony::runtime
