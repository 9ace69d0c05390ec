#include <capnp/dynamic.h>

#include <charconv>
#include <cmath>
#include <span>

#include "messages/base64.hpp"
#include "messages/json.hpp"
#include "messages/utf8.hpp"

namespace symphony {
namespace {

using capnp::DynamicEnum;
using capnp::DynamicList;
using capnp::DynamicStruct;
using capnp::DynamicValue;

class Writer {
 public:
  explicit Writer(JsonStyle style) : pretty_(style == JsonStyle::pretty) {}

  void structure(DynamicStruct::Reader reader) {
    open('{');
    bool first = true;
    const auto add = [&](capnp::StructSchema::Field field, bool active) {
      const auto type = field.getType();
      if (type.isAnyPointer() || type.isInterface()) return;
      const bool pointer = type.isText() || type.isData() || type.isList() ||
                           (type.isStruct() && !field.getProto().isGroup());
      const bool absent = pointer && !reader.has(field);
      if (absent && !active) return;
      separate(first);
      text(field.getProto().getName());
      out_ += pretty_ ? ": " : ":";
      if (absent)
        out_ += "null";
      else
        value(reader.get(field), type);
    };
    for (const auto field : reader.getSchema().getNonUnionFields()) add(field, false);
    KJ_IF_MAYBE (member, reader.which()) {
      add(*member, true);
    }
    close('}', first);
  }

  std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }
  void separate(bool& first) {
    if (!first) out_ += ',';
    first = false;
    if (pretty_) new_line();
  }
  void close(char bracket, bool empty) {
    --depth_;
    if (pretty_ && !empty) new_line();
    out_ += bracket;
  }
  void new_line() {
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  void list(DynamicList::Reader list) {
    open('[');
    bool first = true;
    const auto type = list.getSchema().getElementType();
    for (const auto element : list) {
      separate(first);
      value(element, type);
    }
    close(']', first);
  }

  void value(const DynamicValue::Reader& value, capnp::Type type) {
    switch (value.getType()) {
      case DynamicValue::BOOL:
        out_ += value.as<bool>() ? "true" : "false";
        break;
      case DynamicValue::INT:
        out_ += std::to_string(value.as<std::int64_t>());
        break;
      case DynamicValue::UINT:
        out_ += std::to_string(value.as<std::uint64_t>());
        break;
      case DynamicValue::FLOAT:
        if (type.isFloat32())
          number(value.as<float>());
        else
          number(value.as<double>());
        break;
      case DynamicValue::TEXT:
        text(value.as<capnp::Text>());
        break;
      case DynamicValue::DATA:
        data(value.as<capnp::Data>());
        break;
      case DynamicValue::LIST:
        list(value.as<DynamicList>());
        break;
      case DynamicValue::STRUCT:
        structure(value.as<DynamicStruct>());
        break;
      case DynamicValue::ENUM:
        enumerant(value.as<DynamicEnum>());
        break;
      default:
        out_ += "null";
    }
  }

  template <class Float>
  void number(Float value) {
    if (std::isnan(value)) {
      out_ += "\"NaN\"";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
      char buffer[40];
      auto* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
      // Readers parse a double first: where rounding twice would miss, say it in full.
      double read = 0;
      std::from_chars(buffer, end, read);
      if (static_cast<Float>(read) != value)
        end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<double>(value)).ptr;
      const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
      out_ += digits;
      // Keeps -0 from being read as an integer, which has no negative zero.
      if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
    }
  }

  void enumerant(DynamicEnum value) {
    KJ_IF_MAYBE (known, value.getEnumerant()) {
      text(known->getProto().getName());
    } else {
      out_ += std::to_string(value.getRaw());
    }
  }

  void data(capnp::Data::Reader bytes) {
    out_ += '"';
    append_base64({bytes.begin(), bytes.size()}, out_);
    out_ += '"';
  }

  void text(capnp::Text::Reader reader) {
    out_ += '"';
    std::string_view rest(reader.begin(), reader.size());
    const bool sound = is_utf8(rest);
    while (!rest.empty()) {
      const auto size = sound ? 1 : utf8_sequence_length(rest);
      if (size == 0)
        out_ += "\xef\xbf\xbd";
      else if (size > 1)
        out_ += rest.substr(0, size);
      else
        character(rest[0]);
      rest.remove_prefix(size == 0 ? 1 : size);
    }
    out_ += '"';
  }

  void character(char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\t':
        out_ += "\\t";
        break;
      case '\r':
        out_ += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out_ += c;
        } else {
          out_ += "\\u00";
          out_ += kHex[(c >> 4) & 15];
          out_ += kHex[c & 15];
        }
    }
  }

  bool pretty_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string to_json(DynamicStruct::Reader reader, JsonStyle style) {
  Writer writer{style};
  writer.structure(reader);
  return writer.take();
}

std::string to_json(const Words& words, capnp::StructSchema schema, JsonStyle style) {
  if (words.empty()) return "{}";
  const auto reader = words.open();
  return to_json(reader->getRoot<DynamicStruct>(schema), style);
}

}  // namespace symphony
