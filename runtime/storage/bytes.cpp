#include "runtime/storage/bytes.hpp"

#include "messages/result.hpp"

namespace symphony::runtime {

namespace {

template <class T>
void append_big_endian(std::string& out, T value) {
  for (int shift = (sizeof(T) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

template <class T>
T read_big_endian(std::string_view bytes) {
  SYMPHONY_ASSERT(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[i]));
  }
  return value;
}

}  // namespace

void append_be64(std::string& out, std::uint64_t value) { append_big_endian(out, value); }
void append_be32(std::string& out, std::uint32_t value) { append_big_endian(out, value); }

std::string be64_key(std::uint64_t value) {
  std::string key;
  append_be64(key, value);
  return key;
}

std::uint64_t read_be64(std::string_view bytes) { return read_big_endian<std::uint64_t>(bytes); }
std::uint32_t read_be32(std::string_view bytes) { return read_big_endian<std::uint32_t>(bytes); }

std::string after_prefix(std::string_view prefix) {
  std::string key(prefix);
  while (!key.empty() && static_cast<unsigned char>(key.back()) == 0xff) key.pop_back();
  if (!key.empty()) ++key.back();
  return key;
}

RecordWriter& RecordWriter::u8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
  return *this;
}

RecordWriter& RecordWriter::u32(std::uint32_t value) {
  append_be32(out_, value);
  return *this;
}

RecordWriter& RecordWriter::u64(std::uint64_t value) {
  append_be64(out_, value);
  return *this;
}

RecordWriter& RecordWriter::text(std::string_view value) {
  SYMPHONY_ASSERT(value.size() <= UINT32_MAX);
  return u32(static_cast<std::uint32_t>(value.size())).bytes(value);
}

RecordWriter& RecordWriter::bytes(std::string_view value) {
  out_.append(value);
  return *this;
}

std::string_view RecordReader::bytes(std::size_t size) {
  if (size > rest_.size()) {
    ok_ = false;
    rest_ = {};
  }
  if (!ok_) return {};
  const auto taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t RecordReader::u8() {
  const auto taken = bytes(1);
  return taken.empty() ? 0 : static_cast<std::uint8_t>(taken.front());
}

std::uint32_t RecordReader::u32() {
  const auto taken = bytes(4);
  return taken.empty() ? 0 : read_be32(taken);
}

std::uint64_t RecordReader::u64() {
  const auto taken = bytes(8);
  return taken.empty() ? 0 : read_be64(taken);
}

std::string_view RecordReader::text() { return bytes(u32()); }

}  // namespace symphony::runtime
