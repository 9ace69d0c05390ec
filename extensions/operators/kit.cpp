#include "extensions/operators/kit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

using actors::ArgumentSpec;
using actors::OperatorSpec;
using actors::ResultSpec;
using actors::ValueType;

namespace {

// Immutable constants, so that a reader can hand out references.
const Json kNull = nullptr;
const Json kEmptyList = Json::array();
const Json kEmptyObject = Json::object();
const std::string kEmptyText;

class FunctionOperator final : public actors::Operator {
 public:
  FunctionOperator(OperatorSpec spec, OperatorFunction function)
      : spec_(std::move(spec)), function_(function) {}

  const OperatorSpec& spec() const noexcept override { return spec_; }

  Result<Json> run(const Json& arguments, actors::OperatorContext& context) const override {
    if (!arguments.is_object()) return invalid("the arguments must be an object");
    for (const auto& argument : spec_.arguments) {
      if (argument.required && (!arguments.contains(argument.name)))
        return invalid(spec_.name + " needs the argument " + argument.name, argument.name);
    }
    ArgumentReader reader(spec_, arguments, context.directory());
    return function_(reader, context);
  }

 private:
  OperatorSpec spec_;
  OperatorFunction function_;
};

std::string must_be(std::string_view name, std::string_view what, const Json& value) {
  return std::string(name) + " must be " + std::string(what) + ", not " + value.type_name();
}

}  // namespace

ArgumentSpec required(std::string name, ValueType type, std::string summary) {
  return {std::move(name), type, true, nullptr, std::move(summary)};
}

ArgumentSpec optional(std::string name, ValueType type, Json default_value, std::string summary) {
  return {std::move(name), type, false, std::move(default_value), std::move(summary)};
}

ResultSpec result(std::string name, ValueType type, std::string summary) {
  return {std::move(name), type, std::move(summary)};
}

Error invalid(std::string message, std::string field) {
  return {Errc::INVALID_ARGUMENT, std::move(message), std::move(field)};
}

std::unique_ptr<actors::Operator> make_operator(OperatorSpec spec, OperatorFunction function) {
  return std::make_unique<FunctionOperator>(std::move(spec), function);
}

ArgumentReader::ArgumentReader(const OperatorSpec& spec, const Json& values, std::string directory)
    : spec_(spec), values_(values), directory_(std::move(directory)) {
  SYMPHONY_ASSERT(values.is_object());
}

const Json& ArgumentReader::any(std::string_view name) const {
  const auto given = values_.find(name);
  if (given != values_.end()) return *given;
  const auto known = std::ranges::find(spec_.arguments, name, &ArgumentSpec::name);
  SYMPHONY_ASSERT(known != spec_.arguments.end());
  return known->default_value;
}

bool ArgumentReader::has(std::string_view name) const { return !any(name).is_null(); }

void ArgumentReader::fail(std::string_view field, std::string message) {
  if (!error_) error_ = invalid(std::move(message), std::string(field));
}

Status ArgumentReader::status() const {
  if (error_) return *error_;
  return {};
}

const Json& ArgumentReader::list(std::string_view name) {
  const Json& value = any(name);
  if (value.is_null()) return kEmptyList;
  if (!value.is_array()) {
    fail(name, must_be(name, "a list", value));
    return kEmptyList;
  }
  if (value.size() > static_cast<std::size_t>(kMaxListItems)) {
    fail(name, std::string(name) + " has " + std::to_string(value.size()) + " items, more than " +
                   std::to_string(kMaxListItems) + "; split it");
    return kEmptyList;
  }
  return value;
}

const Json& ArgumentReader::object(std::string_view name) {
  const Json& value = any(name);
  if (value.is_null()) return kEmptyObject;
  if (value.is_object()) return value;
  fail(name, must_be(name, "an object", value));
  return kEmptyObject;
}

const std::string& ArgumentReader::text(std::string_view name) {
  const Json& value = any(name);
  if (value.is_null()) return kEmptyText;
  if (const auto* text = value.get_ptr<const std::string*>()) return *text;
  fail(name, must_be(name, "text", value));
  return kEmptyText;
}

const std::string& ArgumentReader::choice(std::string_view name,
                                          std::initializer_list<std::string_view> choices) {
  const std::string& value = text(name);
  if (std::ranges::find(choices, std::string_view(value)) != choices.end()) return value;
  std::string expected;
  for (const auto one : choices) expected += (expected.empty() ? "" : ", ") + std::string(one);
  fail(name, std::string(name) + " is \"" + value + "\"; it must be one of " + expected);
  return kEmptyText;
}

std::string ArgumentReader::path(std::string_view name) {
  std::string raw = decode_path(text(name));
  if (raw.find('\0') != std::string::npos) {
    fail(name, std::string(name) + " holds a zero byte, which no path can");
    return {};
  }
  return raw.empty() ? raw : join_path(directory_, raw);
}

std::string ArgumentReader::root(std::string_view name) {
  std::string given = path(name);
  return given.empty() ? directory_ : given;
}

std::vector<std::string> ArgumentReader::full_paths(std::string_view name) {
  auto all = paths(name);
  for (std::string& path : all) path = join_path(directory_, path);
  return all;
}

std::int64_t ArgumentReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Json& value = any(name);
  if (!value.is_number_integer()) {
    fail(name, must_be(name, "an integer", value));
    return min;
  }
  const bool too_big =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::max<std::int64_t>(max, 0));
  const auto number = value.get<std::int64_t>();
  if (!too_big && number >= min && number <= max) return number;
  fail(name, std::string(name) + " is " + value.dump() + "; it must be between " +
                 std::to_string(min) + " and " + std::to_string(max));
  return min;
}

double ArgumentReader::number(std::string_view name) {
  const Json& value = any(name);
  if (value.is_number()) return value.get<double>();
  fail(name, must_be(name, "a number", value));
  return 0;
}

bool ArgumentReader::flag(std::string_view name) {
  const Json& value = any(name);
  if (value.is_boolean()) return value.get<bool>();
  fail(name, must_be(name, "true or false", value));
  return false;
}

std::vector<std::string> ArgumentReader::texts(std::string_view name) {
  std::vector<std::string> texts;
  const Json& items = list(name);
  texts.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* text = items[i].get_ptr<const std::string*>();
    if (!text) {
      const std::string field = std::string(name) + "[" + std::to_string(i) + "]";
      fail(field, must_be(field, "text", items[i]));
      return {};
    }
    texts.push_back(*text);
  }
  return texts;
}

std::vector<std::string> ArgumentReader::paths(std::string_view name) {
  std::vector<std::string> paths;
  const Json& items = list(name);
  paths.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json* item = &items[i];
    if (item->is_object()) {
      const auto path = item->find("path");
      item = path == item->end() ? &kNull : &*path;
    }
    const auto* text = item->get_ptr<const std::string*>();
    std::string raw = text ? decode_path(*text) : std::string();
    if (!text || raw.find('\0') != std::string::npos) {
      const std::string field = std::string(name) + "[" + std::to_string(i) + "]";
      fail(field, field + " must be a path or an object with a path");
      return {};
    }
    paths.push_back(std::move(raw));
  }
  return paths;
}

Status Poller::check_now() {
  if (!context_.cancelled()) return {};
  return Error{Errc::CANCELLED, "the run was cancelled or its time is up"};
}

void SkippedFiles::add(std::string_view raw_path, std::string reason) {
  ++count_;
  if (list_.size() >= kMaxSkippedListed) return;
  list_.push_back({{"path", encode_path(raw_path)}, {"reason", std::move(reason)}});
}

}  // namespace symphony::extensions
