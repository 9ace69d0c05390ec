#include "runtime/settings/value.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "messages/result.hpp"
#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

constexpr std::size_t kSmallObject = 16;

bool is_plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '/';
  });
}

// Bytes of the UTF-8 sequence at the start of `text`, 0 when there is none that may be shown.
std::size_t printable_bytes(std::string_view text) {
  const auto size = utf8_sequence_length(text);
  // C1 control characters (U+0080 to U+009F) would reach the terminal.
  const bool control = size == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
  return control ? 0 : size;
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\x");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
  }
}

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string text{buffer, end};
  if (text.find_first_of(".e") == std::string::npos) text.append(".0");
  return text;
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same_members(const ValueObject& a, const ValueObject& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& member) {
           const auto* other = b.find(member.key);
           return other != nullptr && member.value == other->value;
         });
}

}  // namespace

ValueObject::ValueObject() = default;
ValueObject::ValueObject(const ValueObject&) = default;
ValueObject::ValueObject(ValueObject&&) noexcept = default;
ValueObject& ValueObject::operator=(const ValueObject&) = default;
ValueObject& ValueObject::operator=(ValueObject&&) noexcept = default;
ValueObject::~ValueObject() = default;

std::size_t ValueObject::size() const noexcept { return members_.size(); }
bool ValueObject::empty() const noexcept { return members_.empty(); }
const ValueObject::Member* ValueObject::begin() const noexcept { return members_.data(); }
const ValueObject::Member* ValueObject::end() const noexcept {
  return members_.data() + members_.size();
}

const ValueObject::Member* ValueObject::find(std::string_view key) const {
  if (members_.size() > kSmallObject) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &members_[found->second];
  }
  const auto found =
      std::find_if(begin(), end(), [key](const Member& member) { return member.key == key; });
  return found == end() ? nullptr : found;
}

Value& ValueObject::set(std::string key, SourceMark key_mark, Value value) {
  if (const auto* there = find(key)) {
    auto& member = members_[static_cast<std::size_t>(there - begin())];
    member.key_mark = std::move(key_mark);
    member.value = std::move(value);
    return member.value;
  }
  members_.push_back({std::move(key), std::move(key_mark), std::move(value)});
  if (members_.size() > kSmallObject) {
    for (auto at = index_.size(); at < members_.size(); ++at) index_.emplace(members_[at].key, at);
  }
  return members_.back().value;
}

std::vector<std::string> ValueObject::keys() const {
  std::vector<std::string> keys;
  keys.reserve(members_.size());
  for (const auto& member : members_) keys.push_back(member.key);
  return keys;
}

bool Value::as_bool() const {
  SYMPHONY_ASSERT(is_bool());
  return std::get<bool>(data_);
}

std::int64_t Value::as_integer() const {
  SYMPHONY_ASSERT(is_integer());
  return std::get<std::int64_t>(data_);
}

double Value::as_number() const {
  SYMPHONY_ASSERT(is_number());
  return is_integer() ? static_cast<double>(std::get<std::int64_t>(data_))
                      : std::get<double>(data_);
}

const std::string& Value::as_string() const {
  SYMPHONY_ASSERT(is_string());
  return std::get<std::string>(data_);
}

const Value::Array& Value::as_array() const {
  SYMPHONY_ASSERT(is_array());
  return std::get<Array>(data_);
}

Value::Array& Value::as_array() {
  SYMPHONY_ASSERT(is_array());
  return std::get<Array>(data_);
}

const Value::Object& Value::as_object() const {
  SYMPHONY_ASSERT(is_object());
  return std::get<Object>(data_);
}

Value::Object& Value::as_object() {
  SYMPHONY_ASSERT(is_object());
  return std::get<Object>(data_);
}

const Value* Value::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const auto* member = as_object().find(key);
  return member == nullptr ? nullptr : &member->value;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Value::Kind::kInteger:
      return a.as_integer() == b.as_integer();
    case Value::Kind::kNumber:
      return same_number(a.as_number(), b.as_number());
    case Value::Kind::kString:
      return a.as_string() == b.as_string();
    case Value::Kind::kArray:
      return a.as_array() == b.as_array();
    case Value::Kind::kObject:
      return same_members(a.as_object(), b.as_object());
  }
  return false;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= max_bytes) return out + "…";
    const auto byte = static_cast<unsigned char>(text[0]);
    const auto size = byte < 0x20 || byte == 0x7f ? 0 : printable_bytes(text);
    if (size == 0) {
      append_escaped(out, byte);
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, size));
      text.remove_prefix(size);
    }
  }
  return out;
}

std::string describe(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "nothing";
    case Value::Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Value::Kind::kInteger:
      return std::to_string(value.as_integer());
    case Value::Kind::kNumber:
      return number_text(value.as_number());
    case Value::Kind::kString:
      return '"' + printable(value.as_string(), kMaxShownValueBytes) + '"';
    case Value::Kind::kArray:
      return "[" + std::to_string(value.as_array().size()) + " items]";
    case Value::Kind::kObject:
      return "{" + std::to_string(value.as_object().size()) + " keys}";
  }
  return {};
}

std::string_view describe(Value::Kind kind) noexcept {
  switch (kind) {
    case Value::Kind::kNull:
      return "nothing";
    case Value::Kind::kBool:
      return "true or false";
    case Value::Kind::kInteger:
      return "an integer";
    case Value::Kind::kNumber:
      return "a number";
    case Value::Kind::kString:
      return "text";
    case Value::Kind::kArray:
      return "a list";
    case Value::Kind::kObject:
      return "a table";
  }
  return {};
}

std::string join_path(std::string_view path, std::string_view key) {
  std::string joined{path};
  if (!joined.empty()) joined.push_back('.');
  if (is_plain_key(key)) return joined.append(printable(key, kMaxShownPathBytes));
  return joined.append("\"").append(printable(key, kMaxShownPathBytes)).append("\"");
}

std::string join_path(std::string_view path, std::size_t position) {
  return std::string{path}.append("[").append(std::to_string(position)).append("]");
}

}  // namespace symphony::runtime
