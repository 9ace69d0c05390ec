// Schemas, compiled into what a validator needs of them: which pointer slot holds what, which
// sixteen bits are an enum, which member a union's discriminant makes active.
//
// Built once, then immutable and thread-safe. Points into nothing: schemas may go.
#pragma once

#include <capnp/schema.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace symphony {

class Shapes {
 public:
  enum class Kind : std::uint8_t {
    any,         // content unknown: only its structure can be checked
    text,        // NUL-terminated UTF-8
    data,        // bytes
    list,        // `index` names an entry of lists()
    structure,   // `index` names an entry of structs()
    capability,  // nothing but null is acceptable
  };

  struct Pointer {
    Kind kind = Kind::any;
    std::uint32_t index = 0;
  };

  // Element sizes as the wire has them.
  enum ElementSize : std::uint8_t { kVoid, kBit, kByte, kTwo, kFour, kEight, kPointer, kComposite };

  struct List {
    ElementSize size = kVoid;
    Pointer element;               // of kPointer and kComposite (a structure)
    std::uint32_t enumerants = 0;  // of an enum's list: how many values it has; else 0
  };

  struct Slot {
    std::uint32_t slot = 0;  // which pointer of the struct
    Pointer pointer;
    std::string name;  // with the groups it is in: "depth.label"
  };
  struct Enum {
    std::uint32_t offset = 0;  // in units of 16 bits
    std::uint16_t default_value = 0;
    std::uint16_t enumerants = 0;
    std::string name;
  };
  struct Union;
  // What is present together: a struct with its groups, or one member of a union.
  struct Part {
    std::vector<Slot> slots;
    std::vector<Enum> enums;
    std::vector<Union> unions;
  };
  struct Union {
    std::uint32_t offset = 0;   // of the discriminant, in units of 16 bits
    std::string name;           // of the group it is in, empty for the struct's own
    std::vector<Part> members;  // by discriminant
  };
  struct Struct {
    Part part;
    std::uint32_t pointers = 0;        // how many slots the schema knows
    std::vector<const Slot*> by_slot;  // when there is no union: null where nothing is known
  };

  static constexpr std::uint32_t kUnknown = 0xffffffff;

  Shapes() = default;
  Shapes(const Shapes&) = delete;
  Shapes& operator=(const Shapes&) = delete;
  Shapes(Shapes&&) = default;
  Shapes& operator=(Shapes&&) = default;

  // Adds a struct and all it reaches; returns its index.
  std::uint32_t add(capnp::StructSchema schema);
  // The index of a struct that was added, or kUnknown.
  std::uint32_t find(capnp::StructSchema schema) const noexcept;

  const Struct& structure(std::uint32_t index) const noexcept { return structs_[index]; }
  const List& list(std::uint32_t index) const noexcept { return lists_[index]; }

 private:
  struct Hash {
    std::size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };
  Part compile_part(capnp::StructSchema schema, const std::string& prefix);
  void compile_field(capnp::StructSchema::Field field, const std::string& prefix, Part& part);
  Pointer compile_pointer(capnp::Type type);
  List compile_list(capnp::ListSchema schema);

  std::vector<Struct> structs_;
  std::vector<List> lists_;
  std::unordered_map<capnp::Schema, std::uint32_t, Hash> indexes_;
};

}  // namespace symphony
