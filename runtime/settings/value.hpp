// A tree of values in which every value and every key knows where it was written.
//
// Settings and melodies are read into it (runtime/settings/toml.hpp) and checked on it, because
// libraries for TOML and JSON Schema forget the place in the source that a person has to correct.
// A `Value` is a plain value: copies are deep, reading from several threads is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "runtime/settings/source_mark.hpp"

namespace symphony::runtime {

class Value;

// Keys and values in the order in which they were written. Looking up a key takes constant time.
class ValueObject {
 public:
  struct Member;

  ValueObject();
  ValueObject(const ValueObject&);
  ValueObject(ValueObject&&) noexcept;
  ValueObject& operator=(const ValueObject&);
  ValueObject& operator=(ValueObject&&) noexcept;
  ~ValueObject();

  std::size_t size() const noexcept;
  bool empty() const noexcept;
  const Member* begin() const noexcept;
  const Member* end() const noexcept;
  const Member* find(std::string_view key) const;
  // Replaces the value and the mark of a key that is there, appends one that is not.
  Value& set(std::string key, SourceMark key_mark, Value value);
  std::vector<std::string> keys() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };

  std::vector<Member> members_;
  // Position of each key; only kept for objects too big to search from end to end.
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> index_;
};

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kInteger, kNumber, kString, kArray, kObject };
  using Array = std::vector<Value>;
  using Object = ValueObject;

  Value() = default;
  explicit Value(bool value, SourceMark mark = {}) : data_(value), mark_(std::move(mark)) {}
  explicit Value(std::int64_t value, SourceMark mark = {}) : data_(value), mark_(std::move(mark)) {}
  explicit Value(double value, SourceMark mark = {}) : data_(value), mark_(std::move(mark)) {}
  explicit Value(std::string value, SourceMark mark = {})
      : data_(std::move(value)), mark_(std::move(mark)) {}
  explicit Value(const char* value, SourceMark mark = {})
      : data_(std::string{value}), mark_(std::move(mark)) {}
  explicit Value(Array value, SourceMark mark = {})
      : data_(std::move(value)), mark_(std::move(mark)) {}
  explicit Value(Object value, SourceMark mark = {})
      : data_(std::move(value)), mark_(std::move(mark)) {}

  Kind kind() const noexcept { return static_cast<Kind>(data_.index()); }
  bool is_null() const noexcept { return kind() == Kind::kNull; }
  bool is_bool() const noexcept { return kind() == Kind::kBool; }
  bool is_integer() const noexcept { return kind() == Kind::kInteger; }
  bool is_number() const noexcept { return kind() == Kind::kNumber || is_integer(); }
  bool is_string() const noexcept { return kind() == Kind::kString; }
  bool is_array() const noexcept { return kind() == Kind::kArray; }
  bool is_object() const noexcept { return kind() == Kind::kObject; }

  // REQUIRES: the value is of that kind (a number may be an integer).
  bool as_bool() const;
  std::int64_t as_integer() const;
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  Array& as_array();
  const Object& as_object() const;
  Object& as_object();

  // The value of `key`, or nullptr where there is none or this is not an object.
  const Value* find(std::string_view key) const;

  const SourceMark& mark() const noexcept { return mark_; }

  // Compares what is said, not where: marks and the order of keys do not count. An integer and
  // a floating-point number differ; two NaNs are equal.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
  SourceMark mark_;
};

struct ValueObject::Member {
  std::string key;
  SourceMark key_mark;
  Value value;
};

// ---- words for people -------------------------------------------------------------------------

inline constexpr std::size_t kMaxShownValueBytes = 60;
inline constexpr std::size_t kMaxShownPathBytes = 240;

// `text` on one line: control characters and bytes that are not UTF-8 are escaped (\n, \x1b), and
// what goes beyond `max_bytes` is cut, marked by "…".
std::string printable(std::string_view text, std::size_t max_bytes);

// The value as a person would write it, shortened: 5, "abc", [3 items], {2 keys}.
std::string describe(const Value& value);

// "text", "an integer", "a list", …
std::string_view describe(Value::Kind kind) noexcept;

// "a" + "b" is "a.b"; a key that is not a plain word is quoted: a."b c".
std::string join_path(std::string_view path, std::string_view key);
// "a" + 3 is "a[3]".
std::string join_path(std::string_view path, std::size_t position);

}  // namespace symphony::runtime
