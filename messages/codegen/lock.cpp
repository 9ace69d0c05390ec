#include "messages/codegen/lock.hpp"

#include <capnp/any.h>
#include <capnp/message.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>

namespace symphony::codegen {
namespace {

namespace schema = capnp::schema;

std::string hex(std::uint64_t value) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "@0x%016llx", static_cast<unsigned long long>(value));
  return buffer;
}

std::string text(capnp::Text::Reader reader) { return {reader.begin(), reader.size()}; }

template <class Number>
std::string unless_zero(Number value) {
  if (value == Number{} && !std::signbit(static_cast<double>(value))) return {};
  if constexpr (std::is_floating_point_v<Number>) {
    // The shortest text that reads back as this very value: no two defaults look alike.
    char digits[64];
    return " = " + std::string{digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
  } else {
    return " = " + std::to_string(value);
  }
}

std::string in_hex(kj::ArrayPtr<const kj::byte> bytes) {
  std::string digits = "0x";
  for (const auto byte : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x", byte);
    digits += two;
  }
  return digits;
}

// On one line, whatever it holds.
std::string in_quotes(const std::string& content) {
  std::string out = "\"";
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// A list or struct, in canonical form: a struct that grows later leaves its defaults as they are.
std::string canonical(capnp::AnyPointer::Reader pointer) {
  capnp::MallocMessageBuilder message;
  auto holder = message.initRoot<capnp::AnyPointer>().initAsAnyStruct(0, 1);
  holder.getPointerSection()[0].set(pointer);
  return in_hex(holder.asReader().canonicalize().asBytes());
}

std::string default_of(schema::Field::Slot::Reader slot) {
  const auto value = slot.getDefaultValue();
  switch (value.which()) {
    case schema::Value::BOOL:
      return value.getBool() ? " = true" : "";
    case schema::Value::INT8:
      return unless_zero(int{value.getInt8()});
    case schema::Value::INT16:
      return unless_zero(int{value.getInt16()});
    case schema::Value::INT32:
      return unless_zero(value.getInt32());
    case schema::Value::INT64:
      return unless_zero(value.getInt64());
    case schema::Value::UINT8:
      return unless_zero(unsigned{value.getUint8()});
    case schema::Value::UINT16:
      return unless_zero(unsigned{value.getUint16()});
    case schema::Value::UINT32:
      return unless_zero(value.getUint32());
    case schema::Value::UINT64:
      return unless_zero(value.getUint64());
    case schema::Value::FLOAT32:
      return unless_zero(value.getFloat32());
    case schema::Value::FLOAT64:
      return unless_zero(value.getFloat64());
    case schema::Value::ENUM:
      return unless_zero(unsigned{value.getEnum()});
    case schema::Value::TEXT:
      return value.getText().size() == 0 ? "" : " = " + in_quotes(text(value.getText()));
    case schema::Value::DATA:
      return value.getData().size() == 0 ? "" : " = " + in_hex(value.getData());
    case schema::Value::LIST:
      return slot.getHadExplicitDefault() ? " = " + canonical(value.getList()) : "";
    case schema::Value::STRUCT:
      return slot.getHadExplicitDefault() ? " = " + canonical(value.getStruct()) : "";
    default:  // void, interfaces and AnyPointer have none
      return "";
  }
}

// Members of groups and unions stand in their struct's section, with their path.
void add_fields(const Catalogue& catalogue, Catalogue::Node node, const std::string& prefix,
                std::string& out) {
  for (const auto field : node.getStruct().getFields()) {
    std::string line = prefix + text(field.getName());
    std::string choice;
    if (field.getDiscriminantValue() != schema::Field::NO_DISCRIMINANT)
      choice = " union " + std::to_string(field.getDiscriminantValue()) + " at " +
               std::to_string(node.getStruct().getDiscriminantOffset());
    if (field.isGroup()) {
      out += "  " + line + " :group" + choice + "\n";
      if (const auto* group = catalogue.find(field.getGroup().getTypeId()))
        add_fields(catalogue, *group, line + ".", out);
      continue;
    }
    const auto slot = field.getSlot();
    if (field.getOrdinal().isExplicit())
      line += " @" + std::to_string(field.getOrdinal().getExplicit());
    out += "  " + line + " :" + catalogue.type_name(slot.getType()) + " at " +
           std::to_string(slot.getOffset()) + choice + default_of(slot) + "\n";
  }
}

void add_enumerants(Catalogue::Node node, std::string& out) {
  unsigned ordinal = 0;
  for (const auto enumerant : node.getEnum().getEnumerants())
    out += "  " + text(enumerant.getName()) + " @" + std::to_string(ordinal++) + "\n";
}

void add_methods(const Catalogue& catalogue, std::uint64_t id, std::string& out) {
  for (const auto& file : catalogue.files())
    for (const auto& protocol : file.protocols) {
      if (protocol.id != id) continue;
      if (!protocol.name.empty()) out += "  $name(\"" + protocol.name + "\")\n";
      for (const auto& method : protocol.methods) {
        out += "  " + method.name + " @" + std::to_string(method.ordinal) + " " +
               catalogue.local_name(method.request);
        if (!method.oneway) out += " -> " + catalogue.local_name(method.response);
        if (method.oneway) out += " $oneway";
        if (method.idempotent) out += " $idempotent";
        if (method.cursor) out += " $cursor";
        if (method.internal) out += " $internal";
        out += "\n";
      }
    }
}

// Section header -> its lines.
using Sections = std::map<std::string, std::vector<std::string>>;

Sections parse(const std::string& lock) {
  Sections sections;
  std::istringstream in(lock);
  std::vector<std::string>* section = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ')
      section = &sections[line];
    else if (section != nullptr)
      section->push_back(line.substr(2));
  }
  return sections;
}

// "struct CreateRequest @0x…" -> "struct CreateRequest".
std::string title(const std::string& header) { return header.substr(0, header.rfind(" @")); }
std::string member(const std::string& line) { return line.substr(0, line.find(' ')); }

std::string now_reads(const std::vector<std::string>& lines, const std::string& wanted) {
  for (const auto& line : lines)
    if (member(line) == member(wanted)) return "is now `" + line + "`";
  return "is gone";
}

}  // namespace

std::string schema_lock(const Catalogue& catalogue) {
  std::string out =
      "# What every message looks like. `make protocols` writes this file; a test compares.\n"
      "# Lines may be added; a line that is here stays as it is.\n";
  for (const auto& [name, node] : catalogue.types()) {
    out += "\n";
    const auto end = " " + name + " " + hex(node.getId()) + "\n";
    if (node.isStruct()) {
      out += "struct" + end;
      add_fields(catalogue, node, "", out);
    } else if (node.isEnum()) {
      out += "enum" + end;
      add_enumerants(node, out);
    } else {
      out += "interface" + end;
      add_methods(catalogue, node.getId(), out);
    }
  }
  return out;
}

std::vector<std::string> lock_breaches(const std::string& committed, const std::string& current) {
  std::vector<std::string> breaches;
  const auto now = parse(current);
  std::map<std::string, std::string> headers;
  for (const auto& [header, lines] : now) headers.emplace(title(header), header);
  for (const auto& [header, lines] : parse(committed)) {
    const auto found = now.find(header);
    if (found == now.end()) {
      const auto renumbered = headers.find(title(header));
      breaches.push_back(title(header) + (renumbered == headers.end()
                                              ? " is gone"
                                              : " has another id: `" + header + "` is now `" +
                                                    renumbered->second + "`"));
      continue;
    }
    for (const auto& line : lines) {
      bool kept = false;
      for (const auto& candidate : found->second) kept |= candidate == line;
      if (!kept)
        breaches.push_back(title(header) + ": `" + line + "` " + now_reads(found->second, line));
    }
  }
  return breaches;
}

}  // namespace symphony::codegen
