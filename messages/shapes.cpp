#include "messages/shapes.hpp"

#include <algorithm>

namespace symphony {
namespace {

namespace schema = capnp::schema;

std::string name_of(capnp::StructSchema::Field field) {
  const auto name = field.getProto().getName();
  return {name.begin(), name.size()};
}

Shapes::ElementSize size_of(schema::Type::Which which) {
  switch (which) {
    case schema::Type::VOID:
      return Shapes::kVoid;
    case schema::Type::BOOL:
      return Shapes::kBit;
    case schema::Type::INT8:
    case schema::Type::UINT8:
      return Shapes::kByte;
    case schema::Type::INT16:
    case schema::Type::UINT16:
    case schema::Type::ENUM:
      return Shapes::kTwo;
    case schema::Type::INT32:
    case schema::Type::UINT32:
    case schema::Type::FLOAT32:
      return Shapes::kFour;
    case schema::Type::INT64:
    case schema::Type::UINT64:
    case schema::Type::FLOAT64:
      return Shapes::kEight;
    case schema::Type::STRUCT:
      return Shapes::kComposite;
    default:
      return Shapes::kPointer;
  }
}

}  // namespace

std::uint32_t Shapes::find(capnp::StructSchema schema) const noexcept {
  const auto found = indexes_.find(schema);
  return found == indexes_.end() ? kUnknown : found->second;
}

std::uint32_t Shapes::add(capnp::StructSchema schema) {
  const auto index = static_cast<std::uint32_t>(structs_.size());
  const auto [known, fresh] = indexes_.emplace(schema, index);
  if (!fresh) return known->second;
  structs_.emplace_back();
  auto part = compile_part(schema, "");
  auto& shape = structs_[index];
  shape.part = std::move(part);
  shape.pointers = schema.getProto().getStruct().getPointerCount();
  if (shape.part.unions.empty()) {
    shape.by_slot.resize(shape.pointers);
    for (const auto& slot : shape.part.slots) shape.by_slot[slot.slot] = &slot;
  }
  return index;
}

Shapes::Part Shapes::compile_part(capnp::StructSchema schema, const std::string& prefix) {
  Part part;
  for (const auto field : schema.getNonUnionFields()) compile_field(field, prefix, part);
  const auto members = schema.getUnionFields();
  if (members.size() == 0) return part;
  Union choice;
  choice.offset = schema.getProto().getStruct().getDiscriminantOffset();
  choice.name = prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
  choice.members.resize(members.size());
  for (const auto field : members)
    compile_field(field, prefix, choice.members[field.getProto().getDiscriminantValue()]);
  part.unions.push_back(std::move(choice));
  return part;
}

void Shapes::compile_field(capnp::StructSchema::Field field, const std::string& prefix,
                           Part& part) {
  const auto proto = field.getProto();
  const auto name = prefix + name_of(field);
  if (proto.isGroup()) {
    auto group = compile_part(field.getType().asStruct(), name + ".");
    std::move(group.slots.begin(), group.slots.end(), std::back_inserter(part.slots));
    std::move(group.enums.begin(), group.enums.end(), std::back_inserter(part.enums));
    std::move(group.unions.begin(), group.unions.end(), std::back_inserter(part.unions));
    return;
  }
  const auto type = field.getType();
  const auto offset = proto.getSlot().getOffset();
  if (type.isEnum()) {
    const auto enumerants = type.asEnum().getEnumerants().size();
    part.enums.push_back({offset, proto.getSlot().getDefaultValue().getEnum(),
                          static_cast<std::uint16_t>(enumerants), name});
  } else if (const auto size = size_of(type.which()); size == kPointer || size == kComposite) {
    part.slots.push_back({offset, compile_pointer(type), name});
  }
}

Shapes::Pointer Shapes::compile_pointer(capnp::Type type) {
  switch (type.which()) {
    case schema::Type::TEXT:
      return {Kind::text, 0};
    case schema::Type::DATA:
      return {Kind::data, 0};
    case schema::Type::STRUCT:
      return {Kind::structure, add(type.asStruct())};
    case schema::Type::INTERFACE:
      return {Kind::capability, 0};
    case schema::Type::LIST: {
      const auto list = compile_list(type.asList());
      lists_.push_back(list);
      return {Kind::list, static_cast<std::uint32_t>(lists_.size() - 1)};
    }
    default:
      return {Kind::any, 0};
  }
}

Shapes::List Shapes::compile_list(capnp::ListSchema schema) {
  List list;
  const auto element = schema.getElementType();
  list.size = size_of(element.which());
  if (list.size == kPointer || list.size == kComposite) list.element = compile_pointer(element);
  if (element.isEnum()) list.enumerants = element.asEnum().getEnumerants().size();
  return list;
}

}  // namespace symphony
