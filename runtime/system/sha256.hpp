// SHA-256 digests: the addresses of artifact content, and what two files are compared by.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_st;
struct evp_md_ctx_st;

namespace symphony::runtime {

struct Digest {
  static constexpr std::size_t kBytes = 32;
  std::array<std::uint8_t, kBytes> bytes{};

  // 64 lower-case hex digits.
  std::string hex() const;
  // The 32 bytes as a storage key; valid while this digest is.
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  // From 64 hex digits of either case; nothing when `text` is anything else.
  static std::optional<Digest> from_hex(std::string_view text);
  // From exactly 32 bytes; nothing for another length.
  static std::optional<Digest> from_bytes(std::string_view bytes);

  friend auto operator<=>(const Digest&, const Digest&) = default;
};

struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof(value));
    return value;
  }
};

// Computes digests, many with one object. One thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept = default;
  Sha256& operator=(Sha256&&) noexcept = default;
  ~Sha256() = default;

  void update(std::string_view bytes);
  // The digest of everything since construction or the last `finish`; starts anew.
  Digest finish();
  // REQUIRES: nothing pending from `update`.
  Digest of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_st* algorithm) const;
    void operator()(evp_md_ctx_st* context) const;
  };
  void restart();

  // Fetched once: looking the algorithm up costs more than hashing a small file.
  std::unique_ptr<evp_md_st, Free> algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// The digest of `bytes`. Who needs many keeps a Sha256. Thread-safe.
Digest sha256(std::string_view bytes);

}  // namespace symphony::runtime
