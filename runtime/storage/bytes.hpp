// Bytes of keys and records: big-endian integers, so that byte order is number order, and a
// bounds-checked reader that never trusts what it finds on disk.
// Thread-safe as values are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace symphony::runtime {

// Appends `value` as 8 (4) bytes, most significant first: memcmp orders them as numbers.
void append_be64(std::string& out, std::uint64_t value);
void append_be32(std::string& out, std::uint32_t value);

// `value` alone as a key.
std::string be64_key(std::uint64_t value);

// The number in the first 8 (4) bytes. REQUIRES: bytes.size() >= 8 (4).
std::uint64_t read_be64(std::string_view bytes);
std::uint32_t read_be32(std::string_view bytes);

// The smallest key greater than every key that starts with `prefix`; empty when there is none
// (prefix empty or all 0xff).
std::string after_prefix(std::string_view prefix);

// Builds a record field by field. Text has a 4-byte length in front of it.
class RecordWriter {
 public:
  RecordWriter& u8(std::uint8_t value);
  RecordWriter& u32(std::uint32_t value);
  RecordWriter& u64(std::uint64_t value);
  RecordWriter& text(std::string_view value);   // REQUIRES: shorter than 4 GiB
  RecordWriter& bytes(std::string_view value);  // without a length

  const std::string& str() const& { return out_; }
  std::string&& str() && { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what RecordWriter wrote. After the first read beyond the end `ok()` is false for good and
// every read gives zero or empty; views point into the bytes given to the constructor.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::string_view text();
  std::string_view bytes(std::size_t size);
  std::string_view rest() const { return rest_; }

  bool ok() const { return ok_; }
  // Everything was there and nothing is left over.
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace symphony::runtime
