#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "messages/codegen/emit.hpp"

namespace symphony::codegen {
namespace {

namespace schema = capnp::schema;

std::string text(capnp::Text::Reader reader) { return {reader.begin(), reader.size()}; }

// One cell of a table: no line breaks, no bars.
std::string cell(const std::string& content) {
  std::string out;
  for (const char c : content) {
    if (c == '\n')
      out += ' ';
    else if (c == '|')
      out += "\\|";
    else
      out += c;
  }
  return out;
}

std::string anchor(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (c != '.') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string link(const std::string& name) { return "[" + name + "](#" + anchor(name) + ")"; }

std::string flags(const Method& method) {
  std::string out;
  const auto add = [&](bool set, const char* flag) {
    if (!set) return;
    if (!out.empty()) out += ", ";
    out += flag;
  };
  add(method.oneway, "one-way");
  add(method.idempotent, "idempotent");
  add(method.cursor, "cursor");
  add(method.internal, "internal");
  add(method.urgent, "urgent");
  return out;
}

// A type as a link, where it is a struct or enum of ours.
std::string type_link(const Catalogue& catalogue, Catalogue::Type type) {
  if (type.isList()) return "List(" + type_link(catalogue, type.getList().getElementType()) + ")";
  const auto name = catalogue.type_name(type);
  return (type.isStruct() || type.isEnum()) && catalogue.types().count(name) != 0 ? link(name)
                                                                                  : name;
}

void add_protocol(const Catalogue& catalogue, const Protocol& protocol, std::string& out) {
  out += "\n## " + protocol.title + "\n\n";
  if (!protocol.name.empty()) out += "Found as `" + protocol.name + "`. ";
  if (!protocol.doc.empty()) out += protocol.doc;
  out += "\n\n";
  if (protocol.methods.empty()) {
    out += "It has no methods of its own.\n";
    return;
  }
  out += "| method | request | response | | |\n|---|---|---|---|---|\n";
  for (const auto& method : protocol.methods)
    out += "| `" + method.name + "` | " + link(catalogue.local_name(method.request)) + " | " +
           (method.oneway ? std::string{"–"} : link(catalogue.local_name(method.response))) +
           " | " + flags(method) + " | " + cell(method.doc) + " |\n";
}

void add_fields(const Catalogue& catalogue, Catalogue::Node node, const std::string& prefix,
                std::string& out) {
  const auto id = node.getId();
  unsigned index = 0;
  for (const auto field : node.getStruct().getFields()) {
    const auto name = prefix + text(field.getName());
    const bool choice = field.getDiscriminantValue() != schema::Field::NO_DISCRIMINANT;
    const auto type =
        field.isGroup() ? std::string{"group"} : type_link(catalogue, field.getSlot().getType());
    out += "| `" + name + "` | " + type + " | " + (choice ? "one of; " : "") +
           cell(catalogue.member_doc(id, index++)) + " |\n";
    if (!field.isGroup()) continue;
    if (const auto* group = catalogue.find(field.getGroup().getTypeId()))
      add_fields(catalogue, *group, name + ".", out);
  }
}

void add_type(const Catalogue& catalogue, const std::string& name, Catalogue::Node node,
              std::string& out) {
  if (node.isInterface()) return;
  out += "\n### " + name + "\n\n";
  const auto doc = catalogue.doc(node.getId());
  if (!doc.empty()) out += doc + "\n\n";
  if (node.isEnum()) {
    out += "| value | |\n|---|---|\n";
    unsigned index = 0;
    for (const auto enumerant : node.getEnum().getEnumerants())
      out += "| `" + text(enumerant.getName()) + "` | " +
             cell(catalogue.member_doc(node.getId(), index++)) + " |\n";
  } else if (node.getStruct().getFields().size() == 0) {
    out += "It has no fields.\n";
  } else {
    out += "| field | type | |\n|---|---|---|\n";
    add_fields(catalogue, node, "", out);
  }
}

}  // namespace

std::string protocols_page(const Catalogue& catalogue) {
  std::vector<const Protocol*> by_title;
  for (const auto& file : catalogue.files())
    for (const auto& protocol : file.protocols) by_title.push_back(&protocol);
  std::sort(by_title.begin(), by_title.end(),
            [](const auto* a, const auto* b) { return a->title < b->title; });
  std::string out =
      "# Protocols\n\n"
      "What components say to each other, from the schemas in `messages/`. Written by "
      "`make protocols`; do not edit.\n"
      "Every component answers the methods of [Component](#component) beside its own.\n";
  for (const auto* protocol : by_title) add_protocol(catalogue, *protocol, out);
  out += "\n## Structs and enums\n";
  for (const auto& [name, node] : catalogue.types()) add_type(catalogue, name, node, out);
  return out;
}

}  // namespace symphony::codegen
