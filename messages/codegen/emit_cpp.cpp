#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "messages/codegen/emit.hpp"

namespace symphony::codegen {
namespace {

std::string hex(std::uint64_t value) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "0x%016llx", static_cast<unsigned long long>(value));
  return buffer;
}

std::string truth(bool value) { return value ? "true" : "false"; }

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7f || c == '?') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\%03o", byte);
      result += escape;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string comment(const std::string& doc, const std::string& indent) {
  std::string result;
  std::size_t at = 0;
  while (at < doc.size()) {
    auto end = doc.find('\n', at);
    if (end == std::string::npos) end = doc.size();
    // A backslash at the end of a line comment would swallow the next line.
    auto line = doc.substr(at, end - at);
    if (!line.empty() && line.back() == '\\') line += '.';
    result += indent + "// " + line + "\n";
    at = end + 1;
  }
  return result;
}

const char* const kPreamble = "// Generated from ";

std::string method_tag(const Catalogue& catalogue, const Protocol& protocol, const Method& method) {
  std::string out = comment(method.doc, "  ");
  out += "  struct " + method.tag + " {\n";
  out += "    using Protocol = " + protocol.title + ";\n";
  out += "    using Request = " + catalogue.cxx_name(method.request) + ";\n";
  if (!method.oneway) out += "    using Response = " + catalogue.cxx_name(method.response) + ";\n";
  out += "    static constexpr std::uint16_t kOrdinal = " + std::to_string(method.ordinal) + ";\n";
  out += "    static constexpr std::string_view kTitle = " + quoted(method.name) + ";\n";
  out += "    static constexpr bool kOneway = " + truth(method.oneway) + ";\n";
  out += "    static constexpr bool kIdempotent = " + truth(method.idempotent) + ";\n";
  out += "    static constexpr bool kCursor = " + truth(method.cursor) + ";\n";
  out += "    static constexpr bool kInternal = " + truth(method.internal) + ";\n";
  out += "    static constexpr bool kUrgent = " + truth(method.urgent) + ";\n";
  out += "  };\n";
  return out;
}

std::string argument_type(const Method& method) {
  return (method.oneway ? "::symphony::Notice<" : "::symphony::Call<") + method.tag + ">";
}

std::string protocol_tag(const Catalogue& catalogue, const Protocol& protocol) {
  std::string out = comment(protocol.doc, "");
  out += "struct " + protocol.title + " {\n";
  out += "  static constexpr std::uint64_t kId = " + hex(protocol.id) + ";\n";
  out += "  static constexpr std::string_view kTitle = " + quoted(protocol.title) + ";\n";
  out += "  static constexpr std::string_view kName = " + quoted(protocol.name) + ";\n\n";
  for (const auto& method : protocol.methods) out += method_tag(catalogue, protocol, method) + "\n";
  out += "  // The handler table: what implements this protocol implements all of these.\n";
  out += "  class Handlers {\n   public:\n    virtual ~Handlers() = default;\n";
  for (const auto& method : protocol.methods)
    out += "    virtual void " + method.function + "(" + argument_type(method) +
           (method.oneway ? " notice" : " call") + ") = 0;\n";
  out += "  };\n\n";
  out +=
      "  // Calls the handler that `incoming` is for. False, and `incoming` is left alone, when\n";
  out += "  // it is for another protocol, there is no such method, or its kind does not fit.\n";
  out += "  static bool dispatch(Handlers& handlers, ::symphony::Incoming&& incoming);\n";
  out += "  static const ::symphony::ProtocolInfo& info() noexcept;\n";
  out += "};\n";
  return out;
}

std::string ref_function(const Protocol& protocol, const Method& method) {
  const auto tag = "::symphony::protocol::" + protocol.title + "::" + method.tag;
  const auto result = method.oneway ? std::string{"::symphony::Status"} : "Ask<" + tag + ", A>";
  const auto* const make = method.oneway ? "this->template make_tell<" : "this->template make_ask<";
  std::string out = comment(method.doc, "  ");
  out += "  template <std::invocable<" + tag + "::Request::Builder> Fill>\n";
  out += "  " + result + " " + method.function + "(Fill&& fill) const {\n";
  out += "    return " + std::string{make} + tag + ">(std::forward<Fill>(fill));\n  }\n";
  out += "  " + result + " " + method.function + "() const {\n";
  out +=
      "    return " + std::string{make} + tag + ">([](" + tag + "::Request::Builder) {});\n  }\n";
  return out;
}

std::string ref_class(const Protocol& protocol) {
  const bool root = protocol.title == kComponentTitle;
  const auto tag = "protocol::" + protocol.title;
  const std::string base =
      root ? "RefBase<A>" : "Ref<protocol::" + std::string{kComponentTitle} + ", A>";
  std::string out =
      "template <class A>\nclass Ref<" + tag + ", A> : public " + base + " {\n public:\n";
  out += "  explicit Ref(A& asker, std::string_view name = " + tag + "::kName)\n";
  out += "      : " + base + "(asker, name) {}\n";
  // A supervisor asks one very incarnation of its child, whatever the name means.
  out += "  Ref(A& asker, std::unique_ptr<Target> target)\n";
  out += "      : " + base + "(asker, std::move(target)) {}\n";
  // A method called `cancel` hides the cancellation of asks without this.
  if (std::any_of(protocol.methods.begin(), protocol.methods.end(),
                  [](const Method& method) { return method.function == "cancel"; }))
    out += "  using RefBase<A>::cancel;\n";
  for (const auto& method : protocol.methods) out += "\n" + ref_function(protocol, method);
  out += "};\n";
  return out;
}

std::string dispatch_function(const Protocol& protocol) {
  std::string out = "bool " + protocol.title +
                    "::dispatch(Handlers& handlers, ::symphony::Incoming&& incoming) {\n";
  out += "  const auto& header = incoming.envelope.header;\n";
  out += "  if (header.protocol != kId) return false;\n";
  out += "  switch (header.method) {\n";
  for (const auto& method : protocol.methods) {
    const std::string kind = method.oneway ? "notice" : "request";
    out += "    case " + method.tag + "::kOrdinal:\n";
    out += "      if (header.kind != ::symphony::Kind::" + kind + ") return false;\n";
    out += "      handlers." + method.function + "(" + argument_type(method) +
           "{std::move(incoming)});\n";
    out += "      return true;\n";
  }
  out += "    default:\n      return false;\n  }\n}\n";
  if (protocol.methods.empty())
    out = "bool " + protocol.title +
          "::dispatch(Handlers&, ::symphony::Incoming&&) {\n  return false;\n}\n";
  return out;
}

std::string schema_function(const Catalogue& catalogue, std::uint64_t id) {
  if (id == 0) return "nullptr";
  return "[]() -> capnp::StructSchema { return capnp::Schema::from<" + catalogue.cxx_name(id) +
         ">(); }";
}

std::string info_function(const Catalogue& catalogue, const Protocol& protocol) {
  const auto table = "k" + protocol.title + "Methods";
  std::string out = "namespace {\n";
  if (!protocol.methods.empty()) {
    out += "constexpr ::symphony::MethodInfo " + table + "[] = {\n";
    for (const auto& method : protocol.methods)
      out += "    {" + quoted(method.name) + ", " + std::to_string(method.ordinal) + ", " +
             truth(method.oneway) + ", " + truth(method.idempotent) + ", " + truth(method.cursor) +
             ", " + truth(method.internal) + ", " + truth(method.urgent) + ",\n     " +
             schema_function(catalogue, method.request) + ",\n     " +
             schema_function(catalogue, method.response) + "},\n";
    out += "};\n";
  }
  out += "constexpr ::symphony::ProtocolInfo k" + protocol.title + "Info{\n    " +
         hex(protocol.id) + ", " + quoted(protocol.title) + ", " + quoted(protocol.name) +
         ",\n    " + quoted(protocol.doc) + ",\n    " +
         (protocol.methods.empty() ? std::string{"{}"} : table) + "};\n}  // namespace\n\n";
  out += "const ::symphony::ProtocolInfo& " + protocol.title + "::info() noexcept { return k" +
         protocol.title + "Info; }\n";
  return out;
}

std::string with_suffix(const std::string& schema_path, const std::string& suffix) {
  return schema_path.substr(0, schema_path.rfind(".capnp")) + suffix;
}

}  // namespace

std::string header_path(const std::string& schema_path) {
  return with_suffix(schema_path, ".protocol.hpp");
}
std::string source_path(const std::string& schema_path) {
  return with_suffix(schema_path, ".protocol.cpp");
}

std::string protocol_header(const Catalogue& catalogue, const File& file,
                            const std::string& component_header) {
  std::string out = kPreamble + file.path + ". Do not edit.\n#pragma once\n";
  if (file.protocols.empty()) return out + "// It has no interfaces.\n";
  out +=
      "\n#include <concepts>\n#include <cstdint>\n#include <memory>\n#include "
      "<string_view>\n#include <utility>\n\n";
  out +=
      "#include \"messages/call.hpp\"\n#include \"messages/protocol.hpp\"\n"
      "#include \"messages/ref.hpp\"\n";
  out += "#include \"" + file.path + ".h\"\n";
  if (component_header != header_path(file.path)) out += "#include \"" + component_header + "\"\n";
  out += "\nnamespace symphony::protocol {\n\n";
  for (const auto& protocol : file.protocols) out += protocol_tag(catalogue, protocol) + "\n";
  out += "}  // namespace symphony::protocol\n\nnamespace symphony {\n\n";
  for (const auto& protocol : file.protocols) out += ref_class(protocol) + "\n";
  out += "}  // namespace symphony\n";
  return out;
}

std::string protocol_source(const Catalogue& catalogue, const File& file) {
  std::string out = kPreamble + file.path + ". Do not edit.\n";
  out += "#include \"" + header_path(file.path) + "\"\n";
  if (file.protocols.empty()) return out;
  out += "\nnamespace symphony::protocol {\n";
  for (const auto& protocol : file.protocols)
    out += "\n" + dispatch_function(protocol) + "\n" + info_function(catalogue, protocol);
  return out + "\n}  // namespace symphony::protocol\n";
}

std::string protocols_source(const Catalogue& catalogue) {
  std::vector<const Protocol*> by_title;
  std::string out = kPreamble + std::string{"all schema files. Do not edit.\n"};
  out += "#include \"messages/protocol.hpp\"\n\n";
  for (const auto& file : catalogue.files()) {
    if (file.protocols.empty()) continue;
    out += "#include \"" + header_path(file.path) + "\"\n";
    for (const auto& protocol : file.protocols) by_title.push_back(&protocol);
  }
  std::sort(by_title.begin(), by_title.end(),
            [](const auto* a, const auto* b) { return a->title < b->title; });
  out += "\nnamespace symphony {\n\n";
  out += "std::span<const ProtocolInfo* const> all_protocols() noexcept {\n";
  out += "  static const ProtocolInfo* const all[] = {\n";
  for (const auto* protocol : by_title)
    out += "      &protocol::" + protocol->title + "::info(),\n";
  out += "  };\n  return all;\n}\n\n";
  out += "const ProtocolInfo* find_protocol(std::uint64_t id) noexcept {\n  switch (id) {\n";
  for (const auto* protocol : by_title)
    out += "    case protocol::" + protocol->title +
           "::kId:\n      return &protocol::" + protocol->title + "::info();\n";
  out += "    default:\n      return nullptr;\n  }\n}\n\n}  // namespace symphony\n";
  return out;
}

}  // namespace symphony::codegen
