#include "messages/codegen/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace symphony::codegen {
namespace {

namespace schema = capnp::schema;

// Ids of the annotations in messages/annotations.capnp and in capnp's own c++.capnp.
constexpr std::uint64_t kName = 0xa2b1c3d4e5f60718;
constexpr std::uint64_t kOneway = 0xa2b1c3d4e5f60719;
constexpr std::uint64_t kIdempotent = 0xa2b1c3d4e5f6071a;
constexpr std::uint64_t kCursor = 0xa2b1c3d4e5f6071b;
constexpr std::uint64_t kInternal = 0xa2b1c3d4e5f6071c;
constexpr std::uint64_t kUrgent = 0xa2b1c3d4e5f6071d;
constexpr std::uint64_t kCxxNamespace = 0xb9c6f99ebf805f2c;
constexpr std::uint64_t kStreamResult = 0x995f9a3377c0b16e;

constexpr auto kKeywords = std::to_array<std::string_view>({
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char8_t",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "concept",
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "const_cast",
    "continue",
    "co_await",
    "co_return",
    "co_yield",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "requires",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    "reinterpret_cast",
});

// What the generated classes call something else.
constexpr auto kReserved = std::to_array<std::string_view>(
    {"asker", "handlers", "name", "protocol", "request", "response"});

std::string text(capnp::Text::Reader reader) { return {reader.begin(), reader.size()}; }

std::string trimmed(std::string doc) {
  while (!doc.empty() && std::isspace(static_cast<unsigned char>(doc.back()))) doc.pop_back();
  return doc;
}

std::string snake_case(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) && !result.empty()) result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

std::string capitalised(std::string name) {
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

bool annotated(capnp::List<schema::Annotation>::Reader annotations, std::uint64_t id) {
  for (const auto annotation : annotations)
    if (annotation.getId() == id) return true;
  return false;
}

std::string annotation_text(capnp::List<schema::Annotation>::Reader annotations, std::uint64_t id) {
  for (const auto annotation : annotations)
    if (annotation.getId() == id && annotation.getValue().isText())
      return text(annotation.getValue().getText());
  return {};
}

// A parameter list written in place, not a struct with a name: capnp leaves it without a scope.
bool implicit(const Catalogue::Node* node) { return node == nullptr || node->getScopeId() == 0; }

std::string short_name(Catalogue::Node node) {
  return text(node.getDisplayName()).substr(node.getDisplayNamePrefixLength());
}

}  // namespace

Catalogue::Catalogue(schema::CodeGeneratorRequest::Reader request) {
  index(request);
  for (const auto requested : request.getRequestedFiles()) {
    add_types(requested.getId());
    File file{text(requested.getFilename()), {}};
    for (const auto nested : find(requested.getId())->getNestedNodes()) {
      const auto* node = find(nested.getId());
      if (node != nullptr && node->isInterface())
        file.protocols.push_back(read_protocol(file.path, *node));
    }
    files_.push_back(std::move(file));
  }
  check_all();
}

void Catalogue::index(schema::CodeGeneratorRequest::Reader request) {
  for (const auto node : request.getNodes()) nodes_.emplace(node.getId(), node);
  for (const auto source : request.getSourceInfo()) sources_.emplace(source.getId(), source);
}

void Catalogue::add_types(std::uint64_t scope) {
  const auto* node = find(scope);
  if (node == nullptr) return;
  for (const auto nested : node->getNestedNodes()) {
    const auto* inner = find(nested.getId());
    if (inner == nullptr) continue;
    if (inner->isStruct() || inner->isEnum() || inner->isInterface()) {
      const bool fresh = types_.emplace(local_name(nested.getId()), *inner).second;
      if (!fresh)
        problem(text(inner->getDisplayName()),
                "another schema file has a type of this name; names must differ, give it another");
    }
    if (inner->isInterface() && !node->isFile())
      problem(text(inner->getDisplayName()), "an interface must stand at the top of its file");
    add_types(nested.getId());
  }
}

Protocol Catalogue::read_protocol(const std::string& file, Node node) {
  Protocol protocol;
  protocol.id = node.getId();
  protocol.title = short_name(node);
  protocol.name = annotation_text(node.getAnnotations(), kName);
  protocol.doc = doc(node.getId());
  const std::string where = file + ": " + protocol.title;
  if (node.getIsGeneric()) problem(where, "a protocol cannot have type parameters");
  if (node.getInterface().getSuperclasses().size() != 0)
    problem(where, "a protocol extends nothing: every component has Component's methods anyway");
  unsigned index = 0;
  for (const auto method : node.getInterface().getMethods()) {
    const auto place = where + "." + text(method.getName());
    protocol.methods.push_back(read_method(place, node.getId(), index++, method));
  }
  check_names(where, protocol);
  return protocol;
}

Method Catalogue::read_method(const std::string& where, std::uint64_t interface, unsigned index,
                              schema::Method::Reader source) {
  Method method;
  method.name = text(source.getName());
  method.function = snake_case(method.name);
  method.tag = capitalised(method.name);
  method.doc = member_doc(interface, index);
  method.ordinal = static_cast<std::uint16_t>(index);
  const auto annotations = source.getAnnotations();
  method.oneway = annotated(annotations, kOneway);
  method.idempotent = annotated(annotations, kIdempotent);
  method.cursor = annotated(annotations, kCursor);
  method.internal = annotated(annotations, kInternal);
  method.urgent = annotated(annotations, kUrgent);
  if (source.getImplicitParameters().size() != 0)
    problem(where, "a method cannot have type parameters");
  read_shapes(where, source, method);
  if (method.cursor) check_cursor(where, method);
  return method;
}

void Catalogue::read_shapes(const std::string& where, schema::Method::Reader source,
                            Method& method) {
  method.request = source.getParamStructType();
  method.response = source.getResultStructType();
  const auto* request = find(method.request);
  const auto* response = find(method.response);
  if (implicit(request))
    problem(where,
            "takes a list of parameters; name a struct for them and take that: "
            "`" +
                method.name + " @" + std::to_string(method.ordinal) + " " + method.tag +
                "Request -> …`");
  else if (request->getIsGeneric())
    problem(where, "the request struct cannot have type parameters");
  if (method.response == kStreamResult)
    return problem(where, "`-> stream` is not used here; make it a $cursor method");

  const bool none =
      implicit(response) && response != nullptr && response->getStruct().getFields().size() == 0;
  if (method.oneway) {
    if (!none) problem(where, "is $oneway, so nothing comes back; remove its results");
    if (method.cursor || method.idempotent)
      problem(where, "is $oneway; $cursor and $idempotent are for methods with an answer");
    method.response = 0;
  } else if (none) {
    problem(where, "has no results; name a response struct (it may be empty) or add $oneway");
  } else if (implicit(response)) {
    problem(where, "returns a list of results; name a struct for them and return that");
  } else if (response->getIsGeneric()) {
    problem(where, "the response struct cannot have type parameters");
  }
}

void Catalogue::check_cursor(const std::string& where, const Method& method) {
  if (implicit(find(method.request)) || implicit(find(method.response))) return;
  const auto need = [&](std::uint64_t type, const char* field, unsigned bits) {
    if (!has_uint(type, field, bits))
      problem(where, "is a $cursor method, so " + local_name(type) + " needs `" + field + " :UInt" +
                         std::to_string(bits) + "`");
  };
  need(method.request, "cursor", 64);
  need(method.request, "max", 32);
  need(method.response, "next", 64);
  need(method.response, "missed", 64);
}

bool Catalogue::has_uint(std::uint64_t type, std::string_view name, unsigned bits) const {
  const auto* node = find(type);
  if (node == nullptr || !node->isStruct()) return false;
  for (const auto field : node->getStruct().getFields()) {
    if (text(field.getName()) != name || !field.isSlot()) continue;
    if (field.getDiscriminantValue() != schema::Field::NO_DISCRIMINANT) return false;
    return bits == 64 ? field.getSlot().getType().isUint64() : field.getSlot().getType().isUint32();
  }
  return false;
}

void Catalogue::check_names(const std::string& where, const Protocol& protocol) {
  std::map<std::uint64_t, std::string> requests;
  for (const auto& method : protocol.methods) {
    const auto place = where + "." + method.name;
    const auto [first, fresh] = requests.emplace(method.request, method.name);
    if (!fresh && !implicit(find(method.request)))
      problem(place, "takes " + local_name(method.request) + " as `" + first->second +
                         "` does; give each method a request struct of its own");
    const auto is = [&](std::string_view name) { return name == method.function; };
    if (std::any_of(kKeywords.begin(), kKeywords.end(), is))
      problem(place, "is a C++ keyword; choose another name");
    if (std::any_of(kReserved.begin(), kReserved.end(), is))
      problem(place, "is a name that generated code uses itself; choose another");
    if (method.tag == protocol.title)
      problem(place, "has the name of its interface; choose another");
  }
}

void Catalogue::check_all() {
  const Protocol* component = nullptr;
  std::map<std::string, std::string> names;
  for (const auto& file : files_)
    for (const auto& protocol : file.protocols) {
      if (protocol.title == kComponentTitle) component = &protocol;
      const auto where = file.path + ": " + protocol.title;
      const auto [first, fresh] = names.emplace(protocol.name, where);
      if (!fresh && !protocol.name.empty())
        problem(where, "its $name(\"" + protocol.name + "\") is taken by " + first->second);
    }
  for (const auto& file : files_)
    for (const auto& protocol : file.protocols) {
      const auto where = file.path + ": " + protocol.title;
      if (component == nullptr) {
        problem(where, "the interface Component is needed too; compile component.capnp with it");
        return;
      }
      if (&protocol == component) continue;
      for (const auto& method : protocol.methods)
        for (const auto& taken : component->methods)
          if (method.function == taken.function)
            problem(where + "." + method.name,
                    "every component already has Component's method of this name; choose another");
    }
}

const Catalogue::Node* Catalogue::find(std::uint64_t id) const noexcept {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::uint64_t Catalogue::file_of(std::uint64_t id) const {
  const auto* node = find(id);
  while (node != nullptr && !node->isFile()) {
    id = node->getScopeId();
    node = find(id);
  }
  return node == nullptr ? 0 : id;
}

std::string Catalogue::local_name(std::uint64_t id) const {
  const auto* node = find(id);
  if (node == nullptr) return "?";
  const auto* scope = find(node->getScopeId());
  if (scope == nullptr || scope->isFile()) return short_name(*node);
  return local_name(node->getScopeId()) + "." + short_name(*node);
}

std::string Catalogue::cxx_name(std::uint64_t id) const {
  std::string result;
  if (const auto* file = find(file_of(id))) {
    const auto space = annotation_text(file->getAnnotations(), kCxxNamespace);
    if (!space.empty()) result = "::" + space;
  }
  result += "::";
  for (const char c : local_name(id)) {
    if (c == '.')
      result += "::";
    else
      result += c;
  }
  return result;
}

std::string Catalogue::type_name(Type type) const {
  switch (type.which()) {
    case schema::Type::VOID:
      return "Void";
    case schema::Type::BOOL:
      return "Bool";
    case schema::Type::INT8:
      return "Int8";
    case schema::Type::INT16:
      return "Int16";
    case schema::Type::INT32:
      return "Int32";
    case schema::Type::INT64:
      return "Int64";
    case schema::Type::UINT8:
      return "UInt8";
    case schema::Type::UINT16:
      return "UInt16";
    case schema::Type::UINT32:
      return "UInt32";
    case schema::Type::UINT64:
      return "UInt64";
    case schema::Type::FLOAT32:
      return "Float32";
    case schema::Type::FLOAT64:
      return "Float64";
    case schema::Type::TEXT:
      return "Text";
    case schema::Type::DATA:
      return "Data";
    case schema::Type::LIST:
      return "List(" + type_name(type.getList().getElementType()) + ")";
    case schema::Type::ENUM:
      return local_name(type.getEnum().getTypeId());
    case schema::Type::STRUCT:
      return local_name(type.getStruct().getTypeId());
    case schema::Type::INTERFACE:
      return local_name(type.getInterface().getTypeId());
    case schema::Type::ANY_POINTER:
      return "AnyPointer";
  }
  return "?";
}

std::string Catalogue::doc(std::uint64_t id) const {
  const auto found = sources_.find(id);
  return found == sources_.end() ? std::string{} : trimmed(text(found->second.getDocComment()));
}

std::string Catalogue::member_doc(std::uint64_t id, unsigned index) const {
  const auto found = sources_.find(id);
  if (found == sources_.end() || index >= found->second.getMembers().size()) return {};
  return trimmed(text(found->second.getMembers()[index].getDocComment()));
}

void Catalogue::problem(const std::string& where, const std::string& what) {
  problems_.push_back(where + ": " + what);
}

}  // namespace symphony::codegen
