#include "messages/validate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "messages/protocol.hpp"
#include "messages/utf8.hpp"

namespace symphony {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they are on the wire");

using Kind = Shapes::Kind;

// Lowest two bits of a pointer.
enum WireKind : std::uint8_t { kStruct, kList, kFar, kOther };

std::uint64_t load(const capnp::word* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// What a pointer, after far pointers were followed, points at.
struct Target {
  std::uint64_t pointer = 0;  // kind and sizes
  std::uint32_t segment = 0;
  const capnp::word* object = nullptr;
  std::size_t available = 0;  // words from `object` to the end of its segment

  WireKind kind() const { return static_cast<WireKind>(pointer & 3); }
  std::size_t data_words() const { return (pointer >> 32) & 0xffff; }
  std::size_t pointer_count() const { return pointer >> 48; }
  Shapes::ElementSize element_size() const {
    return static_cast<Shapes::ElementSize>((pointer >> 32) & 7);
  }
  std::size_t list_count() const { return pointer >> 35; }
};

// One struct of the message.
struct Section {
  std::uint32_t segment = 0;
  const capnp::word* data = nullptr;
  std::size_t data_words = 0;
  std::size_t pointer_count = 0;

  const capnp::word* pointer(std::size_t index) const { return data + data_words + index; }
  // Beyond the section, fields have their default: zero on the wire.
  std::uint16_t u16(std::uint32_t offset) const {
    if ((std::size_t{offset} + 1) * 2 > data_words * sizeof(capnp::word)) return 0;
    std::uint16_t value;
    std::memcpy(&value, reinterpret_cast<const char*>(data) + std::size_t{offset} * 2,
                sizeof value);
    return value;
  }
};

// One pass over one message. Every function returns false once something is wrong; `why_` is set
// where it was found, `path_` is put together on the way back.
class Walk {
  static constexpr const char* kNewerEnumerant =
      "has an enum value that only a newer release knows";

 public:
  Walk(const Shapes& shapes, const Words& words, const ValidationLimits& limits)
      : shapes_(shapes),
        segments_(words.segments()),
        limits_(limits),
        words_left_(words.size_bytes() / sizeof(capnp::word)),
        empty_left_(limits.max_empty_elements) {}

  Status run(std::uint32_t root) {
    if (frame() && root_pointer(root)) return {};
    return Error{newer_ ? Errc::UNIMPLEMENTED : Errc::INVALID_ARGUMENT,
                 "the message " + std::string{why_}, path_};
  }

 private:
  bool wrong(const char* why) {
    why_ = why;
    return false;
  }
  // True when it is allowed.
  bool newer(const char* what) {
    if (limits_.newer == NewerValues::allow) return true;
    newer_ = true;
    return wrong(what);
  }
  bool at_field(const std::string& name) {
    path_ = path_.empty() || path_[0] == '[' ? name + path_ : name + "." + path_;
    return false;
  }
  bool at_index(std::size_t index) {
    const auto element = "[" + std::to_string(index) + "]";
    path_ = path_.empty() || path_[0] == '[' ? element + path_ : element + "." + path_;
    return false;
  }

  bool frame() {
    if (segments_.size() == 0 || segments_[0].size() == 0) return wrong("has no root");
    if (segments_.size() > limits_.max_segments) return wrong("has too many segments");
    if (words_left_ * sizeof(capnp::word) > limits_.max_bytes) return wrong("is too large");
    for (const auto& segment : segments_)
      if (segment.size() >= (std::size_t{1} << 29)) return wrong("has a segment that is too large");
    return true;
  }

  bool root_pointer(std::uint32_t root) {
    const int nesting = std::min(limits_.max_nesting, Words::kMaxNesting);
    --words_left_;  // the root pointer itself
    return pointer(0, segments_[0].begin(), {Kind::structure, root}, nesting);
  }

  bool spend(std::size_t words) {
    if (words > words_left_) return wrong("reaches the same words twice");
    words_left_ -= words;
    return true;
  }
  bool spend_empty(std::size_t elements) {
    if (elements > empty_left_) return wrong("has too many elements without content");
    empty_left_ -= elements;
    return true;
  }

  bool resolve(std::uint32_t segment, const capnp::word* at, Target& target) {
    const std::uint64_t pointer = load(at);
    switch (pointer & 3) {
      case kFar:
        return resolve_far(pointer, target);
      case kOther:
        return wrong("holds a capability");
      default:
        return resolve_near(segment, at, target);
    }
  }

  bool resolve_near(std::uint32_t segment, const capnp::word* at, Target& target) {
    target.pointer = load(at);
    const auto offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(target.pointer)) >> 2;
    const auto index = (at - segments_[segment].begin()) + 1 + std::ptrdiff_t{offset};
    if (index < 0) return wrong("has a pointer out of bounds");
    return place(segment, static_cast<std::size_t>(index), target);
  }

  bool resolve_far(std::uint64_t far, Target& target) {
    const auto segment = static_cast<std::uint32_t>(far >> 32);
    const std::size_t index = (far >> 3) & 0x1fffffff;
    const bool two_words = (far & 4) != 0;
    if (segment >= segments_.size() || index + (two_words ? 2 : 1) > segments_[segment].size())
      return wrong("has a far pointer out of bounds");
    if (!spend(two_words ? 2 : 1)) return false;
    const auto* pad = segments_[segment].begin() + index;
    if (!two_words) {
      const auto kind = load(pad) & 3;
      if (kind == kFar || kind == kOther) return wrong("has a far pointer to no object");
      return resolve_near(segment, pad, target);
    }
    const auto landing = load(pad);
    target.pointer = load(pad + 1);
    if ((landing & 3) != kFar || target.kind() == kFar || target.kind() == kOther)
      return wrong("has a far pointer to no object");
    const auto object_segment = static_cast<std::uint32_t>(landing >> 32);
    if (object_segment >= segments_.size()) return wrong("has a far pointer out of bounds");
    return place(object_segment, (landing >> 3) & 0x1fffffff, target);
  }

  bool place(std::uint32_t segment, std::size_t index, Target& target) {
    if (index > segments_[segment].size()) return wrong("has a pointer out of bounds");
    target.segment = segment;
    target.object = segments_[segment].begin() + index;
    target.available = segments_[segment].size() - index;
    return true;
  }

  bool pointer(std::uint32_t segment, const capnp::word* at, Shapes::Pointer expected,
               int nesting) {
    if (load(at) == 0) return true;
    if (nesting <= 0) return wrong("is nested too deeply");
    Target target;
    if (!resolve(segment, at, target)) return false;
    switch (expected.kind) {
      case Kind::structure:
        if (target.kind() != kStruct) return wrong("has something else where a struct belongs");
        return structure(target, &shapes_.structure(expected.index), nesting - 1);
      case Kind::list:
        if (target.kind() != kList) return wrong("has something else where a list belongs");
        return list(target, &shapes_.list(expected.index), nesting - 1);
      case Kind::text:
        return bytes(target, true);
      case Kind::data:
        return bytes(target, false);
      case Kind::capability:
        return wrong("has something else where a capability belongs");
      case Kind::any:
        break;
    }
    return target.kind() == kStruct ? structure(target, nullptr, nesting - 1)
                                    : list(target, nullptr, nesting - 1);
  }

  bool bytes(const Target& target, bool is_text) {
    if (target.kind() != kList || target.element_size() != Shapes::kByte)
      return wrong(is_text ? "has something else where text belongs"
                           : "has something else where data belongs");
    const auto count = target.list_count();
    const auto words = (count + 7) / 8;
    if (words > target.available) return wrong("has a pointer out of bounds");
    if (!spend(words)) return false;
    if (!is_text) return true;
    const auto* text = reinterpret_cast<const char*>(target.object);
    if (count == 0 || text[count - 1] != '\0') return wrong("has text that does not end in NUL");
    return is_utf8({text, count - 1}) || wrong("has text that is not UTF-8");
  }

  // `shape` null: unknown, only the structure is checked.
  bool structure(const Target& target, const Shapes::Struct* shape, int nesting) {
    const auto words = target.data_words() + target.pointer_count();
    if (words > target.available) return wrong("has a pointer out of bounds");
    return spend(words) &&
           section({target.segment, target.object, target.data_words(), target.pointer_count()},
                   shape, nesting);
  }

  bool section(const Section& section, const Shapes::Struct* shape, int nesting) {
    if (shape == nullptr) return any_pointers(section, 0, nesting);
    if (!shape->part.unions.empty()) return section_with_union(section, *shape, nesting);
    return enums(section, shape->part) &&
           slots(section, shape->by_slot.data(), shape->by_slot.size(), nesting);
  }

  // Which members are active decides what a slot holds: collect that first. A member that is
  // unknown here leaves its slots null, which is: anything.
  bool section_with_union(const Section& section, const Shapes::Struct& shape, int nesting) {
    std::array<const Shapes::Slot*, 32> few{};
    std::vector<const Shapes::Slot*> many;
    const Shapes::Slot** active = few.data();
    if (shape.pointers > few.size()) {
      many.resize(shape.pointers);
      active = many.data();
    }
    return collect(section, shape.part, active) && slots(section, active, shape.pointers, nesting);
  }

  bool collect(const Section& section, const Shapes::Part& part, const Shapes::Slot** active) {
    if (!enums(section, part)) return false;
    for (const auto& slot : part.slots) active[slot.slot] = &slot;
    for (const auto& choice : part.unions) {
      const auto discriminant = section.u16(choice.offset);
      if (discriminant >= choice.members.size()) {
        if (newer("has a union member that only a newer release knows")) continue;
        return choice.name.empty() ? false : at_field(choice.name);
      }
      if (!collect(section, choice.members[discriminant], active)) return false;
    }
    return true;
  }

  bool enums(const Section& section, const Shapes::Part& part) {
    for (const auto& field : part.enums)
      if ((section.u16(field.offset) ^ field.default_value) >= field.enumerants &&
          !newer(kNewerEnumerant))
        return at_field(field.name);
    return true;
  }

  bool slots(const Section& section, const Shapes::Slot* const* known, std::size_t known_count,
             int nesting) {
    const auto count = std::min(section.pointer_count, known_count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto* slot = known[i];
      const auto expected = slot == nullptr ? Shapes::Pointer{} : slot->pointer;
      if (!pointer(section.segment, section.pointer(i), expected, nesting))
        return slot == nullptr ? false : at_field(slot->name);
    }
    return any_pointers(section, count, nesting);
  }

  bool any_pointers(const Section& section, std::size_t from, int nesting) {
    for (auto i = from; i < section.pointer_count; ++i)
      if (!pointer(section.segment, section.pointer(i), {}, nesting)) return false;
    return true;
  }

  bool list(const Target& target, const Shapes::List* shape, int nesting) {
    const auto size = target.element_size();
    if (shape != nullptr && size != shape->size)
      return wrong("has a list whose elements have another type");
    if (size == Shapes::kComposite) return composite_list(target, shape, nesting);

    static constexpr std::size_t kBits[] = {0, 1, 8, 16, 32, 64, 64};
    const auto count = target.list_count();
    const auto words = (count * kBits[size] + 63) / 64;
    if (words > target.available) return wrong("has a pointer out of bounds");
    if (!spend(words) || (size == Shapes::kVoid && !spend_empty(count))) return false;
    if (size == Shapes::kPointer) {
      const auto element = shape == nullptr ? Shapes::Pointer{} : shape->element;
      for (std::size_t i = 0; i < count; ++i)
        if (!pointer(target.segment, target.object + i, element, nesting)) return at_index(i);
    }
    return shape == nullptr || shape->enumerants == 0 || enum_list(target, *shape);
  }

  bool enum_list(const Target& target, const Shapes::List& shape) {
    const Section values{target.segment, target.object, target.available, 0};
    for (std::size_t i = 0; i < target.list_count(); ++i)
      if (values.u16(static_cast<std::uint32_t>(i)) >= shape.enumerants && !newer(kNewerEnumerant))
        return at_index(i);
    return true;
  }

  bool composite_list(const Target& target, const Shapes::List* shape, int nesting) {
    const auto words = target.list_count();
    if (words + 1 > target.available) return wrong("has a pointer out of bounds");
    Target tag;
    tag.pointer = load(target.object);
    const std::size_t count = (tag.pointer >> 2) & 0x3fffffff;
    const auto step = tag.data_words() + tag.pointer_count();
    if (tag.kind() != kStruct || count >= (std::size_t{1} << 29) || count * step > words)
      return wrong("has a list of structs that does not fit its place");
    if (!spend(words + 1) || (step == 0 && !spend_empty(count))) return false;
    if (nesting <= 0) return wrong("is nested too deeply");
    const auto* element_shape =
        shape == nullptr ? nullptr : &shapes_.structure(shape->element.index);
    const auto* element = target.object + 1;
    for (std::size_t i = 0; i < count; ++i, element += step)
      if (!section({target.segment, element, tag.data_words(), tag.pointer_count()}, element_shape,
                   nesting - 1))
        return at_index(i);
    return true;
  }

  const Shapes& shapes_;
  kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments_;
  const ValidationLimits& limits_;
  std::size_t words_left_;
  std::uint64_t empty_left_;
  const char* why_ = "";
  bool newer_ = false;
  std::string path_;
};

}  // namespace

Validator Validator::of_protocols() {
  Validator validator;
  validator.add(capnp::Schema::from<messages::Error>());
  for (const auto* protocol : all_protocols())
    for (const auto& method : protocol->methods) {
      validator.add(method.request());
      if (method.response != nullptr) validator.add(method.response());
    }
  return validator;
}

Status Validator::validate(const Words& words, capnp::StructSchema schema,
                           const ValidationLimits& limits) const {
  const auto root = shapes_.find(schema);
  SYMPHONY_ASSERT(root != Shapes::kUnknown);
  return Walk{shapes_, words, limits}.run(root);
}

Status validate(const Words& words, capnp::StructSchema schema, const ValidationLimits& limits) {
  Validator validator;
  validator.add(schema);
  return validator.validate(words, schema, limits);
}

}  // namespace symphony
