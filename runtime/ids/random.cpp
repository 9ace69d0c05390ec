#include "runtime/ids/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "messages/result.hpp"

namespace symphony::runtime {
namespace {

// The high and the low half of a product of two 64-bit numbers.
struct Product {
  std::uint64_t high;
  std::uint64_t low;
};

Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
}

}  // namespace

std::uint64_t Random::below(std::uint64_t bound) {
  SYMPHONY_ASSERT(bound > 0);
  Product product = multiply(next(), bound);
  if (product.low < bound) {
    const std::uint64_t threshold = -bound % bound;
    while (product.low < threshold) product = multiply(next(), bound);
  }
  return product.high;
}

std::uint64_t SystemRandom::next() {
  std::lock_guard lock(mutex_);
  if (used_ == kBlockWords) {
    auto* bytes = reinterpret_cast<std::byte*>(block_.data());
    std::size_t filled = 0;
    while (filled < sizeof(block_)) {
      const ssize_t got = ::getrandom(bytes + filled, sizeof(block_) - filled, 0);
      // Without randomness ids would repeat: better no process than that.
      SYMPHONY_ASSERT(got > 0 || errno == EINTR);
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    used_ = 0;
  }
  return std::exchange(block_[used_++], 0);
}

std::uint64_t SeededRandom::next() {
  constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;
  std::uint64_t z = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace symphony::runtime
