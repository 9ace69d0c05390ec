// What the generator knows of the schemas it was given: names, types, comments and protocols.
//
// The generator is a capnp plugin: `capnp compile -o<path to capnpc-symphony>:<directory> …`
// runs it with a CodeGeneratorRequest on its standard input. Everything here points into that
// request, which must outlive it. Not thread-safe; used once, by one thread.
#pragma once

#include <capnp/schema.capnp.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace symphony::codegen {

struct Method {
  std::string name;      // as in the schema: "nodeDone"
  std::string function;  // handler and Ref function: "node_done"
  std::string tag;       // method tag in the protocol tag: "NodeDone"
  std::string doc;
  std::uint16_t ordinal = 0;
  std::uint64_t request = 0;   // node id of the request struct
  std::uint64_t response = 0;  // node id of the response struct; 0 when oneway
  bool oneway = false;
  bool idempotent = false;
  bool cursor = false;
  bool internal = false;
  bool urgent = false;
};

struct Protocol {
  std::uint64_t id = 0;
  std::string title;  // "Dag"
  std::string name;   // "/pit/dag", or empty
  std::string doc;
  std::vector<Method> methods;  // by ordinal
};

struct File {
  std::string path;  // as given to capnp, without the source prefix: "messages/dag.capnp"
  std::vector<Protocol> protocols;
};

class Catalogue {
 public:
  using Node = capnp::schema::Node::Reader;
  using Type = capnp::schema::Type::Reader;

  // Collects every protocol of the requested files. Whatever breaks a rule becomes a problem.
  explicit Catalogue(capnp::schema::CodeGeneratorRequest::Reader request);

  const std::vector<File>& files() const noexcept { return files_; }
  // One sentence each, "file: Interface.method: what is wrong and what to do".
  const std::vector<std::string>& problems() const noexcept { return problems_; }

  const Node* find(std::uint64_t id) const noexcept;
  // Every struct (groups left out), enum and interface of the requested files, sorted by name.
  const std::map<std::string, Node>& types() const noexcept { return types_; }

  // "CreateRequest", "Outer.Inner".
  std::string local_name(std::uint64_t id) const;
  // "::symphony::messages::CreateRequest".
  std::string cxx_name(std::uint64_t id) const;
  // As it reads in a schema: "List(UInt8)".
  std::string type_name(Type type) const;
  std::string doc(std::uint64_t id) const;
  std::string member_doc(std::uint64_t id, unsigned index) const;

 private:
  void index(capnp::schema::CodeGeneratorRequest::Reader request);
  void add_types(std::uint64_t scope);
  Protocol read_protocol(const std::string& file, Node node);
  Method read_method(const std::string& where, std::uint64_t interface, unsigned index,
                     capnp::schema::Method::Reader method);
  void read_shapes(const std::string& where, capnp::schema::Method::Reader source, Method& method);
  void check_cursor(const std::string& where, const Method& method);
  void check_names(const std::string& where, const Protocol& protocol);
  void check_all();
  bool has_uint(std::uint64_t type, std::string_view field, unsigned bits) const;
  std::uint64_t file_of(std::uint64_t id) const;
  void problem(const std::string& where, const std::string& what);

  std::unordered_map<std::uint64_t, Node> nodes_;
  std::unordered_map<std::uint64_t, capnp::schema::Node::SourceInfo::Reader> sources_;
  std::map<std::string, Node> types_;
  std::vector<File> files_;
  std::vector<std::string> problems_;
};

// The protocol whose methods every component answers; its Ref is the base of all others.
inline constexpr std::string_view kComponentTitle = "Component";

}  // namespace symphony::codegen
