#include "tests/samples/random_message.hpp"

#include <capnp/any.h>

#include <cstring>
#include <string>

namespace symphony::testing {
namespace {

using capnp::DynamicList;
using capnp::DynamicStruct;
using capnp::DynamicValue;
using capnp::schema::Type;

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

std::string random_text(Random& random) {
  static constexpr const char* kPieces[] = {
      "a", "\"", "\\", "\n",   "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb5",
      "/", "\t", "z",  "\x01", " "};
  std::string text;
  for (auto n = below(random, 12); n > 0; --n) text += kPieces[below(random, std::size(kPieces))];
  return text;
}

double random_number(Random& random) {
  const auto mantissa = static_cast<double>(static_cast<std::int64_t>(random()));
  return below(random, 4) == 0 ? mantissa : mantissa * 1e-12;
}

DynamicValue::Reader random_scalar(capnp::Type type, Random& random) {
  switch (type.which()) {
    case Type::BOOL:
      return random() % 2 == 0;
    case Type::INT8:
      return static_cast<std::int8_t>(random());
    case Type::INT16:
      return static_cast<std::int16_t>(random());
    case Type::INT32:
      return static_cast<std::int32_t>(random());
    case Type::INT64:
      return static_cast<std::int64_t>(random());
    case Type::UINT8:
      return static_cast<std::uint8_t>(random());
    case Type::UINT16:
      return static_cast<std::uint16_t>(random());
    case Type::UINT32:
      return static_cast<std::uint32_t>(random());
    case Type::UINT64:
      return static_cast<std::uint64_t>(random());
    case Type::FLOAT32:
      return static_cast<float>(random_number(random));
    case Type::FLOAT64:
      return random_number(random);
    case Type::ENUM: {
      const auto enumerants = type.asEnum().getEnumerants();
      return capnp::DynamicEnum(enumerants[below(random, enumerants.size())]);
    }
    default:
      return capnp::VOID;
  }
}

void fill(DynamicStruct::Builder builder, Random& random, int depth);

bool pointer_type(capnp::Type type) {
  return type.isText() || type.isData() || type.isList() || type.isStruct();
}

void fill_list(DynamicList::Builder list, Random& random, int depth) {
  const auto type = list.getSchema().getElementType();
  for (unsigned i = 0; i < list.size(); ++i) {
    if (type.isStruct()) {
      fill(list[i].as<DynamicStruct>(), random, depth - 1);
    } else if (type.isList()) {
      fill_list(list.init(i, below(random, 3)).as<DynamicList>(), random, depth - 1);
    } else if (type.isText()) {
      list.set(i, capnp::Text::Reader(random_text(random).c_str()));
    } else if (type.isData()) {
      const auto bytes = random_text(random);
      list.set(i,
               capnp::Data::Reader(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()));
    } else {
      list.set(i, random_scalar(type, random));
    }
  }
}

void fill_field(DynamicStruct::Builder builder, capnp::StructSchema::Field field, Random& random,
                int depth) {
  const auto type = field.getType();
  if (field.getProto().isGroup()) {
    fill(builder.init(field).as<DynamicStruct>(), random, depth);
  } else if (type.isText()) {
    const auto text = random_text(random);
    builder.set(field, capnp::Text::Reader(text.c_str(), text.size()));
  } else if (type.isData()) {
    const auto bytes = random_text(random);
    builder.set(field,
                capnp::Data::Reader(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()));
  } else if (type.isStruct()) {
    fill(builder.init(field).as<DynamicStruct>(), random, depth - 1);
  } else if (type.isList()) {
    fill_list(builder.init(field, below(random, 4)).as<DynamicList>(), random, depth - 1);
  } else if (!type.isAnyPointer() && !type.isInterface()) {
    builder.set(field, random_scalar(type, random));
  }
}

void fill(DynamicStruct::Builder builder, Random& random, int depth) {
  const auto maybe_fill = [&](capnp::StructSchema::Field field, bool always) {
    if (!always && below(random, 3) == 0) return;
    if (depth <= 0 && pointer_type(field.getType()) && !field.getProto().isGroup() &&
        (field.getType().isStruct() || field.getType().isList()) && !always)
      return;
    fill_field(builder, field, random, depth);
  };
  for (const auto field : builder.getSchema().getNonUnionFields()) maybe_fill(field, false);
  const auto members = builder.getSchema().getUnionFields();
  if (members.size() != 0 && depth > 0) maybe_fill(members[below(random, members.size())], true);
}

std::uint64_t read_list(DynamicList::Reader list);

std::uint64_t read_value(DynamicValue::Reader value) {
  switch (value.getType()) {
    case DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      std::uint64_t sum = 1;
      for (const char c : text) sum += c == '\0';
      return sum;
    }
    case DynamicValue::DATA: {
      std::uint64_t sum = 1;
      for (const auto byte : value.as<capnp::Data>()) sum += byte == 1;
      return sum;
    }
    case DynamicValue::LIST:
      return 1 + read_list(value.as<DynamicList>());
    case DynamicValue::STRUCT:
      return 1 + read_everything(value.as<DynamicStruct>());
    default:
      return 1;
  }
}

std::uint64_t read_list(DynamicList::Reader list) {
  std::uint64_t sum = 0;
  for (const auto element : list) sum += read_value(element);
  return sum;
}

}  // namespace

Words random_message(capnp::StructSchema schema, Random& random, int depth) {
  capnp::MallocMessageBuilder builder(1 + below(random, 200),
                                      capnp::AllocationStrategy::FIXED_SIZE);
  fill(builder.initRoot<DynamicStruct>(schema), random, depth);
  const auto segments = builder.getSegmentsForOutput();
  std::vector<std::uint32_t> sizes;
  std::size_t total = 0;
  for (const auto& segment : segments) {
    sizes.push_back(static_cast<std::uint32_t>(segment.size()));
    total += segment.size();
  }
  auto buffer = kj::heapArray<capnp::word>(total);
  auto* at = buffer.asBytes().begin();
  for (const auto& segment : segments) {
    std::memcpy(at, segment.begin(), segment.size() * sizeof(capnp::word));
    at += segment.size() * sizeof(capnp::word);
  }
  return Words::adopt(kj::mv(buffer), sizes);
}

std::uint64_t read_everything(DynamicStruct::Reader reader) {
  std::uint64_t sum = 0;
  const auto read = [&](capnp::StructSchema::Field field) {
    const auto type = field.getType();
    if (type.isAnyPointer() || type.isInterface()) return;
    // A struct that is absent reads as an empty one, in which the next is absent: without end.
    if (type.isStruct() && !reader.has(field)) return;
    sum += read_value(reader.get(field));
  };
  for (const auto field : reader.getSchema().getNonUnionFields()) read(field);
  KJ_IF_MAYBE (field, reader.which()) {
    read(*field);
  }
  return sum;
}

std::uint64_t read_everything(const Words& words, capnp::StructSchema schema) {
  const auto reader = words.open();
  const auto root = reader->getRoot<DynamicStruct>(schema);
  (void)root.totalSize();
  capnp::MallocMessageBuilder copy;
  copy.setRoot(root);
  return read_everything(root);
}

}  // namespace symphony::testing
