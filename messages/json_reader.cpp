#include <capnp/dynamic.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "messages/base64.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"
#include "messages/utf8.hpp"

namespace symphony {
namespace {

using capnp::DynamicList;
using capnp::DynamicStruct;
using capnp::schema::Type;

constexpr std::size_t kMostNames = 16;   // of fields or values that an error lists
constexpr std::size_t kMostQuoted = 40;  // bytes of a value that an error repeats

// Builds a Json value from parser events; refuses duplicate keys and what is nested too deeply.
// (The parser's own tree keeps the last of two equal keys and knows no limit.)
class Tree : public nlohmann::json_sax<Json> {
 public:
  explicit Tree(std::size_t max_nesting) : max_nesting_(max_nesting) {}

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return add(value) != nullptr;
  }
  bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(Json::object()); }
  bool start_array(std::size_t) override { return enter(Json::array()); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    auto& level = levels_.back();
    level.key = std::move(name);
    if (!level.value->contains(level.key)) return true;
    error = Error{Errc::INVALID_ARGUMENT, "the key is there twice", path(levels_.size())};
    return false;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    std::string what = exception.what();
    if (const auto at = what.find("] "); at != std::string::npos) what.erase(0, at + 2);
    error = Error{Errc::INVALID_ARGUMENT, "this is not JSON: " + what};
    return false;
  }

  Json root;
  Error error;

 private:
  struct Level {
    Json* value;
    std::string key;
  };

  Json* add(Json value) {
    if (levels_.empty()) return &(root = std::move(value));
    auto& level = levels_.back();
    if (level.value->is_array()) return &level.value->emplace_back(std::move(value));
    return &((*level.value)[level.key] = std::move(value));
  }
  bool enter(Json container) {
    if (levels_.size() >= max_nesting_) {
      error =
          Error{Errc::RESOURCE_EXHAUSTED,
                "objects and arrays are nested more than " + std::to_string(max_nesting_) + " deep",
                path(levels_.size())};
      return false;
    }
    // A parent does not grow while a child is open, so the pointer stays good.
    levels_.push_back({add(std::move(container)), {}});
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return true;
  }
  std::string path(std::size_t levels) const {
    std::string result;
    for (std::size_t i = 0; i < levels; ++i) {
      const auto& level = levels_[i];
      if (level.value->is_array()) {
        // The element that is open is there already, except the innermost one.
        const auto index = level.value->size() - (i + 1 < levels_.size() ? 1 : 0);
        result += "[" + std::to_string(index) + "]";
      } else {
        result += (result.empty() ? "" : ".") + shortened(level.key, kMostQuoted);
      }
    }
    return result;
  }

  std::size_t max_nesting_;
  std::vector<Level> levels_;
};

// Carries the first thing that is wrong out of the recursion; never leaves this file.
struct Wrong {
  Error error;
};

class Reader {
 public:
  explicit Reader(std::size_t max_message_bytes) : words_left_(max_message_bytes / 8) {}

  void structure(DynamicStruct::Builder builder, const Json& json) {
    if (!json.is_object()) expected("an object", json);
    std::string member;
    for (const auto& [key, value] : json.items()) {
      const auto mark = path_.size();
      path_ += (path_.empty() ? "" : ".") + shortened(key, kMostQuoted);
      const auto field = field_of(builder.getSchema(), key);
      if (field.getProto().getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT) {
        if (!member.empty()) wrong("only one of " + member + " and " + key + " can be given");
        member = key;
      }
      set(builder, field, value);
      path_.resize(mark);
    }
  }
  void charge_struct(capnp::StructSchema schema, std::size_t count = 1) {
    const auto proto = schema.getProto().getStruct();
    charge(count * (std::size_t{proto.getDataWordCount()} + proto.getPointerCount()));
  }

 private:
  [[noreturn]] void wrong(std::string message, Errc code = Errc::INVALID_ARGUMENT) const {
    throw Wrong{{code, std::move(message), path_}};
  }
  [[noreturn]] void expected(const std::string& what, const Json& json) const {
    wrong("expected " + what + ", not " + described(json));
  }

  static std::string described(const Json& json) {
    switch (json.type()) {
      case Json::value_t::null:
        return "null";
      case Json::value_t::object:
        return "an object";
      case Json::value_t::array:
        return "an array";
      case Json::value_t::boolean:
        return json.get<bool>() ? "true" : "false";
      case Json::value_t::string:
        return "\"" + shortened(json.get_ref<const std::string&>(), kMostQuoted) + "\"";
      default:
        return json.dump();
    }
  }

  void charge(std::size_t words) {
    if (words > words_left_) wrong("the message would be too large here", Errc::RESOURCE_EXHAUSTED);
    words_left_ -= words;
  }

  template <class Names>
  static std::string listed(const Names& names) {
    std::string result;
    std::size_t count = 0;
    for (const auto& name : names) {
      if (!result.empty()) result += ", ";
      if (count++ == kMostNames) return result + "…";
      result += name.getProto().getName().cStr();
    }
    return result;
  }

  capnp::StructSchema::Field field_of(capnp::StructSchema schema, const std::string& key) const {
    KJ_IF_MAYBE (field, schema.findFieldByName(kj::StringPtr(key.c_str(), key.size()))) {
      return *field;
    }
    if (schema.getFields().size() == 0) wrong("there is no such field; there are none");
    wrong("there is no such field; there are " + listed(schema.getFields()));
  }

  void set(DynamicStruct::Builder builder, capnp::StructSchema::Field field, const Json& json) {
    const auto type = field.getType();
    if (field.getProto().isGroup()) return structure(builder.init(field).as<DynamicStruct>(), json);
    const bool pointer = type.isText() || type.isData() || type.isList() || type.isStruct();
    if (pointer && json.is_null()) return builder.clear(field);
    switch (type.which()) {
      case Type::STRUCT:
        if (!json.is_object()) expected("an object", json);
        charge_struct(type.asStruct());
        return structure(builder.init(field).as<DynamicStruct>(), json);
      case Type::LIST: {
        const auto size = list_size(type.asList(), json);
        return list(builder.init(field, size).as<DynamicList>(), json);
      }
      case Type::TEXT:
        return builder.set(field, text(json));
      case Type::DATA: {
        const auto bytes = data(json);
        return builder.set(field, capnp::Data::Reader(bytes.data(), bytes.size()));
      }
      default:
        return builder.set(field, scalar(type, json));
    }
  }

  unsigned list_size(capnp::ListSchema schema, const Json& json) {
    if (!json.is_array()) expected("an array", json);
    const auto size = json.size();
    // Each element as if it took a word: more than it takes, except for structs.
    charge(size + 1);
    if (schema.getElementType().isStruct()) charge_struct(schema.getElementType().asStruct(), size);
    return static_cast<unsigned>(size);
  }

  void list(DynamicList::Builder builder, const Json& json) {
    const auto type = builder.getSchema().getElementType();
    for (unsigned i = 0; i < builder.size(); ++i) {
      const auto mark = path_.size();
      path_ += "[" + std::to_string(i) + "]";
      element(builder, i, type, json[i]);
      path_.resize(mark);
    }
  }

  void element(DynamicList::Builder builder, unsigned i, capnp::Type type, const Json& json) {
    switch (type.which()) {
      case Type::STRUCT:
        return structure(builder[i].as<DynamicStruct>(), json);
      case Type::LIST: {
        const auto size = list_size(type.asList(), json);
        return list(builder.init(i, size).as<DynamicList>(), json);
      }
      case Type::TEXT:
        return builder.set(i, text(json));
      case Type::DATA: {
        const auto bytes = data(json);
        return builder.set(i, capnp::Data::Reader(bytes.data(), bytes.size()));
      }
      default:
        return builder.set(i, scalar(type, json));
    }
  }

  capnp::Text::Reader text(const Json& json) {
    if (!json.is_string()) expected("a string", json);
    const auto& value = json.get_ref<const std::string&>();
    charge(value.size() / 8 + 1);
    return {value.c_str(), value.size()};
  }

  std::vector<unsigned char> data(const Json& json) {
    if (!json.is_string()) expected("a string in base64", json);
    auto bytes = decode_base64(json.get_ref<const std::string&>());
    if (!bytes) wrong("this is not base64 (with padding, without line breaks)");
    charge(bytes->size() / 8 + 1);
    return *std::move(bytes);
  }

  capnp::DynamicValue::Reader scalar(capnp::Type type, const Json& json) const {
    switch (type.which()) {
      case Type::VOID:
        if (!json.is_null()) expected("null", json);
        return capnp::VOID;
      case Type::BOOL:
        if (!json.is_boolean()) expected("true or false", json);
        return json.get<bool>();
      case Type::INT8:
        return integer<std::int8_t>(json);
      case Type::INT16:
        return integer<std::int16_t>(json);
      case Type::INT32:
        return integer<std::int32_t>(json);
      case Type::INT64:
        return integer<std::int64_t>(json);
      case Type::UINT8:
        return integer<std::uint8_t>(json);
      case Type::UINT16:
        return integer<std::uint16_t>(json);
      case Type::UINT32:
        return integer<std::uint32_t>(json);
      case Type::UINT64:
        return integer<std::uint64_t>(json);
      case Type::FLOAT32:
        return floating<float>(json);
      case Type::FLOAT64:
        return floating<double>(json);
      case Type::ENUM:
        return enumerant(type.asEnum(), json);
      default:
        wrong("a value of this type cannot be given as JSON");
    }
  }

  template <class Integer>
  Integer integer(const Json& json) const {
    using Limits = std::numeric_limits<Integer>;
    const auto out_of_range = [&] {
      expected("a whole number from " + std::to_string(Limits::min()) + " to " +
                   std::to_string(Limits::max()),
               json);
    };
    if (json.is_number_unsigned()) {
      const auto value = json.get<std::uint64_t>();
      if (value > static_cast<std::uint64_t>(Limits::max())) out_of_range();
      return static_cast<Integer>(value);
    }
    if (json.is_number_integer()) {
      const auto value = json.get<std::int64_t>();
      if (value < static_cast<std::int64_t>(Limits::min())) out_of_range();
      return static_cast<Integer>(value);
    }
    Integer value = 0;
    if (json.is_string()) {
      const auto& digits = json.get_ref<const std::string&>();
      const auto* end = digits.data() + digits.size();
      const auto [stop, problem] = std::from_chars(digits.data(), end, value);
      if (problem == std::errc{} && stop == end) return value;
    }
    out_of_range();
    return value;
  }

  template <class Float>
  Float floating(const Json& json) const {
    if (json.is_string()) {
      const auto& name = json.get_ref<const std::string&>();
      if (name == "NaN") return std::numeric_limits<Float>::quiet_NaN();
      if (name == "Infinity") return std::numeric_limits<Float>::infinity();
      if (name == "-Infinity") return -std::numeric_limits<Float>::infinity();
    }
    if (!json.is_number()) expected("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", json);
    const auto value = json.get<double>();
    constexpr auto kMax = static_cast<double>(std::numeric_limits<Float>::max());
    if (std::abs(value) > kMax) {
      // Shortest digits of the largest float lie a little above it.
      if (!(std::abs(value) < kMax * (1 + 0x1p-26))) expected("a number that fits 32 bits", json);
      return std::copysign(std::numeric_limits<Float>::max(),
                           static_cast<Float>(value < 0 ? -1 : 1));
    }
    return static_cast<Float>(value);
  }

  capnp::DynamicEnum enumerant(capnp::EnumSchema schema, const Json& json) const {
    if (json.is_string()) {
      const auto& name = json.get_ref<const std::string&>();
      KJ_IF_MAYBE (found, schema.findEnumerantByName(kj::StringPtr(name.c_str(), name.size()))) {
        return *found;
      }
    }
    expected("one of " + listed(schema.getEnumerants()), json);
  }

  std::size_t words_left_;
  std::string path_;
};

}  // namespace

Result<Words> from_json(capnp::StructSchema schema, std::string_view text,
                        const JsonLimits& limits) {
  if (text.size() > limits.max_text_bytes)
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "the JSON text has more than " + std::to_string(limits.max_text_bytes) + " bytes"};
  Tree tree{std::min<std::size_t>(limits.max_nesting, Words::kMaxNesting)};
  if (!Json::sax_parse(text.begin(), text.end(), &tree)) return std::move(tree.error);
  try {
    return Words::build<DynamicStruct>(schema, [&](DynamicStruct::Builder builder) {
      Reader reader{limits.max_message_bytes};
      reader.charge_struct(schema);
      reader.structure(builder, tree.root);
    });
  } catch (Wrong& wrong) {
    return std::move(wrong.error);
  }
}

}  // namespace symphony
