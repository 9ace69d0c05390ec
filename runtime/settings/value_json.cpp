#include "runtime/settings/value_json.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace symphony::runtime {

Json to_json(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return nullptr;
    case Value::Kind::kBool:
      return value.as_bool();
    case Value::Kind::kInteger:
      return value.as_integer();
    case Value::Kind::kNumber:
      return std::isfinite(value.as_number()) ? Json(value.as_number()) : Json(nullptr);
    case Value::Kind::kString:
      return value.as_string();
    case Value::Kind::kArray: {
      auto json = Json::array();
      for (const auto& item : value.as_array()) json.push_back(to_json(item));
      return json;
    }
    case Value::Kind::kObject: {
      auto json = Json::object();
      for (const auto& member : value.as_object()) json[member.key] = to_json(member.value);
      return json;
    }
  }
  return nullptr;
}

Result<Value> to_value(const Json& json, const SourceMark& mark) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value{json.get<bool>(), mark};
    case Json::value_t::number_integer:
      return Value{json.get<std::int64_t>(), mark};
    case Json::value_t::number_unsigned:
      if (!std::in_range<std::int64_t>(json.get<std::uint64_t>())) {
        return Error{Errc::INVALID_ARGUMENT, json.dump() + " does not fit 64 bits"};
      }
      return Value{json.get<std::int64_t>(), mark};
    case Json::value_t::number_float:
      return Value{json.get<double>(), mark};
    case Json::value_t::string:
      return Value{json.get<std::string>(), mark};
    case Json::value_t::array: {
      Value::Array items;
      for (const auto& item : json) {
        auto converted = to_value(item, mark);
        if (!converted) return converted;
        items.push_back(std::move(*converted));
      }
      return Value{std::move(items), mark};
    }
    case Json::value_t::object: {
      Value::Object object;
      for (const auto& [key, item] : json.items()) {
        auto converted = to_value(item, mark);
        if (!converted) return converted;
        object.set(key, mark, std::move(*converted));
      }
      return Value{std::move(object), mark};
    }
    default:
      return Value{};
  }
}

}  // namespace symphony::runtime
