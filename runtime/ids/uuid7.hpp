// UUIDs, version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits. They
// sort by the time they were made, which keeps what is stored under them together.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};  // most significant first

  [[nodiscard]] bool is_nil() const noexcept { return *this == Uuid{}; }
  [[nodiscard]] int version() const noexcept { return bytes[6] >> 4; }
  // Unix time in milliseconds; meaningful for version 7 only.
  [[nodiscard]] std::int64_t unix_ms() const noexcept;
  // The two halves, most significant first, as they travel in a message.
  [[nodiscard]] std::uint64_t high() const noexcept;
  [[nodiscard]] std::uint64_t low() const noexcept;
  static Uuid from_halves(std::uint64_t high, std::uint64_t low) noexcept;

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// "018f3c1e-7b4a-7c3d-9e2f-0123456789ab", always in lower case.
std::string to_string(const Uuid& id);

// Reads what to_string writes, in either case. Fails with invalidArgument.
Result<Uuid> parse_uuid(std::string_view text);

// Makes version 7 UUIDs that grow strictly from call to call, even within a millisecond and when
// the wall clock jumps back: then the last id is incremented by a random step (RFC 9562, 6.2,
// method 2). Thread-safe.
class Uuid7Generator {
 public:
  // Both must outlive the generator.
  Uuid7Generator(const Clocks& clocks, Random& random) noexcept
      : clocks_(clocks), random_(random) {}

  [[nodiscard]] Uuid next();

 private:
  const Clocks& clocks_;
  Random& random_;
  std::mutex mutex_;
  std::uint64_t last_ms_ = 0;
  std::uint64_t last_a_ = 0;  // 12 bits
  std::uint64_t last_b_ = 0;  // 62 bits
};

}  // namespace symphony::runtime

template <>
struct std::hash<symphony::runtime::Uuid> {
  std::size_t operator()(const symphony::runtime::Uuid& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.high() * 0x9e3779b97f4a7c15 ^ id.low());
  }
};
