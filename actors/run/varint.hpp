// Integers in as few bytes as they need: LEB128, signed ones zigzag. For the journal and snapshots.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/run/run_state.hpp"

namespace symphony::actors {

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

// Reads what the functions above wrote; the first failure sticks.
class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes) : left_(bytes) {}

  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return left_.empty(); }

  std::uint8_t byte() {
    if (left_.empty()) return fail();
    const auto value = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      if (failed_ || (shift == 63 && part > 1) || (shift > 0 && part == 0)) return fail();
      value |= std::uint64_t{part & 0x7fU} << shift;
      if ((part & 0x80U) == 0) return value;
    }
    return fail();
  }

  std::int64_t signed_varint() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  // A count of items that take at least one byte each.
  std::size_t count() {
    const std::uint64_t value = varint();
    return value > left_.size() ? fail() : value;
  }

  // An id that differs from `before` by a signed varint.
  NodeId id_after(NodeId before) {
    const std::int64_t step = signed_varint();
    if (step < -std::int64_t{kMaxRunNodes} || step > std::int64_t{kMaxRunNodes}) return fail();
    const std::int64_t id = std::int64_t{before} + step;
    return id < 0 || id >= kMaxRunNodes ? fail() : static_cast<NodeId>(id);
  }

  std::uint32_t number_up_to(std::uint32_t max) {
    const std::uint64_t value = varint();
    return value > max ? fail() : static_cast<std::uint32_t>(value);
  }

  std::uint8_t fail() {
    failed_ = true;
    left_ = {};
    return 0;
  }

  // Something that is whole and not known here: a newer program wrote it.
  void meet_newer() {
    newer_ = !failed_;
    fail();
  }
  bool met_newer() const noexcept { return newer_; }

 private:
  std::string_view left_;
  bool failed_ = false;
  bool newer_ = false;
};

}  // namespace symphony::actors
