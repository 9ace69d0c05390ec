// TOML and YAML, by the libraries that read them: libyaml tells of what it meets, the values are
// built here.
#include <yaml.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extensions/operators/data/parse.hpp"
#include "extensions/operators/kit.hpp"
#include "runtime/settings/toml.hpp"
#include "runtime/settings/value_json.hpp"

namespace symphony::extensions {
namespace {

Error refused(std::string message) { return Error{Errc::INVALID_ARGUMENT, std::move(message)}; }

std::string place(const yaml_mark_t& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) +
         ": ";
}

Result<Json> number_of(const std::string& text, const yaml_mark_t& mark) {
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  if (begin == end || ((*begin < '0' || *begin > '9') && *begin != '-' && *begin != '.'))
    return Json(text);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    begin += 2;
  }
  std::int64_t integer = 0;
  const auto read = std::from_chars(begin, end, integer, base);
  if (read.ptr == end && read.ec == std::errc()) return Json(integer);
  if (read.ptr == end && read.ec == std::errc::result_out_of_range)
    return refused(place(mark) + "the integer " + text +
                   " has too many digits: quote it to keep them");
  double number = 0;
  if (base == 10) {
    const auto real = std::from_chars(begin, end, number);
    if (real.ptr == end && real.ec == std::errc() && std::isfinite(number)) return Json(number);
  }
  return Json(text);
}

// A scalar by the core schema of YAML 1.2.
Result<Json> scalar_of(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  if (scalar.style != YAML_PLAIN_SCALAR_STYLE || scalar.tag != nullptr)
    return Json(std::move(text));
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return Json(nullptr);
  if (text == "true" || text == "True" || text == "TRUE") return Json(true);
  if (text == "false" || text == "False" || text == "FALSE") return Json(false);
  return number_of(text, event.start_mark);
}

std::int64_t values_in(const Json& value) {
  std::int64_t count = 1;
  if (value.is_structured())
    for (const Json& child : value) count += values_in(child);
  return count;
}

int levels_of(const Json& value) {
  int deepest = 0;
  if (value.is_structured())
    for (const Json& child : value) deepest = std::max(deepest, levels_of(child));
  return deepest + (value.is_structured() ? 1 : 0);
}

// Builds the value of one document from the events of the parser.
class YamlBuilder {
 public:
  // False when there is an error, or a second document.
  Status take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ > 1)
          return refused("the text holds more than one document: split it at its --- lines");
        return {};
      case YAML_SCALAR_EVENT: {
        if (wants_key())
          return take_key(event.data.scalar.value, event.data.scalar.length, event.start_mark);
        auto value = scalar_of(event);
        if (!value) return value.error();
        return put(std::move(*value), event.data.scalar.anchor, event.start_mark, 1, 0);
      }
      case YAML_SEQUENCE_START_EVENT:
        return open(Json::array(), event.data.sequence_start.anchor, event.start_mark);
      case YAML_MAPPING_START_EVENT:
        return open(Json::object(), event.data.mapping_start.anchor, event.start_mark);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      case YAML_ALIAS_EVENT:
        return take_alias(event);
      default:
        return {};
    }
  }
  Json result() { return std::move(root_); }

 private:
  struct Level {
    Json value;
    std::string anchor;
    std::optional<std::string> key;  // of the value that comes next
    yaml_mark_t mark;
  };
  struct Anchored {
    Json value;
    std::int64_t values;
    int levels;
  };

  bool wants_key() const {
    return !levels_.empty() && levels_.back().value.is_object() && !levels_.back().key;
  }

  Status take_key(const yaml_char_t* text, std::size_t size, const yaml_mark_t& mark) {
    std::string key(reinterpret_cast<const char*>(text), size);
    if (levels_.back().value.contains(key))
      return refused(place(mark) + "the key \"" + key + "\" stands here twice");
    levels_.back().key = std::move(key);
    return {};
  }

  Status take_alias(const yaml_event_t& event) {
    const std::string name(reinterpret_cast<const char*>(event.data.alias.anchor));
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      return refused(place(event.start_mark) + "nothing is called &" + name + " above");
    const Anchored& anchored = found->second;
    if (wants_key()) return refused(place(event.start_mark) + "a key must be text");
    return put(anchored.value, nullptr, event.start_mark, anchored.values, anchored.levels);
  }

  Status open(Json empty, const yaml_char_t* anchor, const yaml_mark_t& mark) {
    if (wants_key()) return refused(place(mark) + "a key must be text");
    if (levels_.size() == kParseDepthMax) return too_deep(mark);
    levels_.push_back({std::move(empty),
                       anchor == nullptr ? "" : reinterpret_cast<const char*>(anchor), std::nullopt,
                       mark});
    return {};
  }

  Status close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    const auto* anchor = reinterpret_cast<const yaml_char_t*>(level.anchor.c_str());
    return put(std::move(level.value), level.anchor.empty() ? nullptr : anchor, level.mark, 1, 0);
  }

  // `values` and `levels` are what the value adds to the limits.
  Status put(Json value, const yaml_char_t* anchor, const yaml_mark_t& mark, std::int64_t values,
             int levels) {
    count_ += values;
    if (count_ > kMaxListItems)
      return refused("the text holds more than " + std::to_string(kMaxListItems) + " values");
    if (static_cast<int>(levels_.size()) + levels > kParseDepthMax) return too_deep(mark);
    if (anchor != nullptr) {
      Anchored kept{value, values_in(value), levels_of(value)};
      anchored_ += kept.values;
      if (anchored_ > kMaxListItems)
        return refused("anchors name more than " + std::to_string(kMaxListItems) + " values");
      anchors_.insert_or_assign(reinterpret_cast<const char*>(anchor), std::move(kept));
    }
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = levels_.back(); level.value.is_array()) {
      level.value.push_back(std::move(value));
    } else {
      level.value[*std::exchange(level.key, std::nullopt)] = std::move(value);
    }
    return {};
  }

  static Error too_deep(const yaml_mark_t& mark) {
    return refused(place(mark) + "nested deeper than " + std::to_string(kParseDepthMax) +
                   " levels");
  }

  Json root_;
  std::vector<Level> levels_;
  std::map<std::string, Anchored, std::less<>> anchors_;
  std::int64_t count_ = 0;
  std::int64_t anchored_ = 0;
  int documents_ = 0;
};

// libyaml's parser and event, which free what they hold.
struct Parser : yaml_parser_t {
  Parser() : yaml_parser_t{} { good = yaml_parser_initialize(this) != 0; }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    if (good) yaml_parser_delete(this);
  }
  bool good;
};
struct Event : yaml_event_t {
  Event() : yaml_event_t{} {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(this); }
};

}  // namespace

Result<Json> parse_toml(std::string_view text) {
  const auto parsed = runtime::parse_toml(text, "the text");
  if (parsed.ok()) return runtime::to_json(*parsed.value);
  std::string message = parsed.problems.text();
  while (message.ends_with('\n')) message.pop_back();
  return refused(std::move(message));
}

Result<Json> parse_yaml(std::string_view text) {
  Parser parser;
  if (!parser.good) return Error{Errc::RESOURCE_EXHAUSTED, "out of memory", "", true};
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  YamlBuilder builder;
  for (;;) {
    Event event;
    if (yaml_parser_parse(&parser, &event) == 0)
      return refused(place(parser.problem_mark) +
                     (parser.problem == nullptr ? "cannot be read" : parser.problem));
    if (event.type == YAML_STREAM_END_EVENT) return builder.result();
    if (auto status = builder.take(event); !status) return status.error();
  }
}

}  // namespace symphony::extensions
