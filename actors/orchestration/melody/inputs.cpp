#include "actors/orchestration/melody/inputs.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include "messages/utf8.hpp"
#include "runtime/settings/value.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::actors {
namespace {

using runtime::Checked;
using runtime::Problems;
using runtime::SourceMark;

std::string in_quotes(std::string_view text) {
  return "\"" + runtime::printable(text, runtime::kMaxShownValueBytes) + "\"";
}

SourceMark mark_of(std::string_view assignment) {
  return SourceMark::in_option("--input " +
                               runtime::printable(assignment, runtime::kMaxShownValueBytes));
}

const MelodyInput* find_input(std::span<const MelodyInput> inputs, std::string_view name) {
  for (const MelodyInput& input : inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

void add_unknown(std::span<const MelodyInput> inputs, std::string_view name, SourceMark mark,
                 Problems& problems) {
  std::vector<std::string> names;
  std::string known;
  for (const MelodyInput& input : inputs) {
    names.push_back(input.name);
    if (names.size() <= 20) known += (known.empty() ? "" : ", ") + input.name;
  }
  problems.add({std::move(mark), "",
                "the melody has no input " + in_quotes(name) +
                    (known.empty() ? "; it has none" : "; it has " + known),
                runtime::suggest(name.substr(0, kMaxNameBytes), names).value_or("")});
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// JSON nested beyond what the rest of the program expects of a value is no value.
std::optional<Json> json_in(const std::string& text) {
  constexpr int kMaxDepth = 64;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  Json value = Json::parse(text, watch, false);
  if (too_deep || value.is_discarded()) return std::nullopt;
  return value;
}

// The value that `text` spells; nothing when it is not of the type.
std::optional<Json> value_in(const std::string& text, ValueType type) {
  switch (type) {
    case ValueType::text:
    case ValueType::path:
      return Json(text);
    case ValueType::integer:
      if (const auto number = number_in<std::int64_t>(text)) return Json(*number);
      return std::nullopt;
    case ValueType::number:
      if (const auto integer = number_in<std::int64_t>(text)) return Json(*integer);
      if (const auto number = number_in<double>(text); number && std::isfinite(*number)) {
        return Json(*number);
      }
      return std::nullopt;
    case ValueType::boolean:
      if (text == "true") return Json(true);
      if (text == "false") return Json(false);
      return std::nullopt;
    case ValueType::list:
    case ValueType::object: {
      std::optional<Json> value = json_in(text);
      if (!value || !is_of_type(*value, type)) return std::nullopt;
      return value;
    }
    case ValueType::any: {
      std::optional<Json> value = json_in(text);
      return value ? value : Json(text);
    }
  }
  return std::nullopt;
}

std::string_view spelling(ValueType type) {
  switch (type) {
    case ValueType::integer:
      return "an integer like 3";
    case ValueType::number:
      return "a number like 2.5";
    case ValueType::boolean:
      return "true or false";
    case ValueType::list:
      return "a JSON list like [\"a\", \"b\"]";
    case ValueType::object:
      return "a JSON object like {\"a\": 1}";
    default:
      return "text";
  }
}

Checked<Json> fill(std::span<const MelodyInput> inputs, Json given, Problems problems) {
  for (const MelodyInput& input : inputs) {
    if (given.contains(input.name)) continue;
    if (!input.required) {
      given[input.name] = input.default_value;
      continue;
    }
    problems.add(
        {SourceMark::in_option("--input"), "",
         "the input " + in_quotes(input.name) + " is required: give --input " + input.name + "=" +
             std::string(to_string(input.type)) +
             (input.description.empty()
                  ? ""
                  : " (" + runtime::printable(input.description, runtime::kMaxShownPathBytes) +
                        ")")});
  }
  if (!problems.empty()) return {std::nullopt, std::move(problems)};
  return {std::move(given), {}};
}

}  // namespace

Checked<Json> bind_inputs(std::span<const MelodyInput> inputs,
                          std::span<const std::string> assignments) {
  Problems problems;
  Json given = Json::object();
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      problems.add({mark_of(assignment), "", "there is no =; write --input NAME=VALUE"});
      continue;
    }
    const std::string name = assignment.substr(0, equals);
    const std::string text = assignment.substr(equals + 1);
    const MelodyInput* input = find_input(inputs, name);
    if (input == nullptr) {
      add_unknown(inputs, name, mark_of(assignment), problems);
      continue;
    }
    if (given.contains(name)) {
      problems.add({mark_of(assignment), "", "the input is given twice; give it once"});
      continue;
    }
    given[name] = nullptr;  // counts as given, whatever is wrong with it
    if (text.size() > kMaxInputValueBytes || !is_utf8(text)) {
      problems.add({mark_of(assignment), "",
                    text.size() > kMaxInputValueBytes
                        ? "the value is longer than " + std::to_string(kMaxInputValueBytes) +
                              " bytes; put it into a file"
                        : std::string("the value is not UTF-8")});
      continue;
    }
    if (auto value = value_in(text, input->type)) {
      given[name] = std::move(*value);
    } else {
      problems.add({mark_of(assignment), "",
                    in_quotes(text) + " is not " + std::string(spelling(input->type))});
    }
  }
  return fill(inputs, std::move(given), std::move(problems));
}

Checked<Json> bind_input_object(std::span<const MelodyInput> inputs, const Json& given) {
  Problems problems;
  if (!given.is_object()) {
    problems.add(
        {SourceMark::in_option("inputs"), "",
         std::string("should be an object with a key for each input, is ") + given.type_name()});
    return {std::nullopt, std::move(problems)};
  }
  Json bound = Json::object();
  for (const auto& [name, value] : given.items()) {
    const SourceMark mark = SourceMark::in_option("inputs." + name);
    const MelodyInput* input = find_input(inputs, name);
    if (input == nullptr) {
      add_unknown(inputs, name, mark, problems);
      continue;
    }
    // Null is how an optional input is left out.
    if (value.is_null() && !input->required) continue;
    if (!is_of_type(value, input->type)) {
      problems.add({mark, "",
                    "should be of type " + std::string(to_string(input->type)) + ", is " +
                        value.type_name()});
    }
    bound[name] = value;
  }
  return fill(inputs, std::move(bound), std::move(problems));
}

}  // namespace symphony::actors
