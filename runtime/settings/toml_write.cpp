#include "runtime/settings/toml_write.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "messages/result.hpp"

namespace symphony::runtime {
namespace {

std::string toml_quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  return out.append("\"");
}

std::string number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  std::string text{buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
  if (text.find_first_of(".e") == std::string::npos) text.append(".0");
  return text;
}

}  // namespace

std::string toml_key(std::string_view key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-');
  });
  return plain ? std::string{key} : toml_quoted(key);
}

std::string to_toml(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      break;
    case Value::Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Value::Kind::kInteger:
      return std::to_string(value.as_integer());
    case Value::Kind::kNumber:
      return number(value.as_number());
    case Value::Kind::kString:
      return toml_quoted(value.as_string());
    case Value::Kind::kArray: {
      std::string text = "[";
      for (const auto& item : value.as_array()) {
        text.append(text.size() > 1 ? ", " : "").append(to_toml(item));
      }
      return text.append("]");
    }
    case Value::Kind::kObject: {
      std::string text = "{";
      for (const auto& member : value.as_object()) {
        text.append(text.size() > 1 ? ", " : "").append(toml_key(member.key));
        text.append(" = ").append(to_toml(member.value));
      }
      return text.append("}");
    }
  }
  SYMPHONY_ASSERT(!value.is_null());
  return {};
}

std::string to_toml_document(const ValueObject& object) {
  std::string text;
  for (const auto& member : object) {
    text.append(toml_key(member.key)).append(" = ").append(to_toml(member.value)).append("\n");
  }
  return text;
}

}  // namespace symphony::runtime
