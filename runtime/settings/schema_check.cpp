// The half of Schema that walks a tree.
#include <algorithm>
#include <cmath>
#include <regex>

#include "runtime/settings/schema.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {
namespace {

using Type = SchemaNode::Type;

bool is_of_type(const Value& value, Type type) {
  switch (type) {
    case Type::kBoolean:
      return value.is_bool();
    case Type::kInteger:
      return value.is_integer();
    case Type::kNumber:
      return value.is_number() && std::isfinite(value.as_number());
    case Type::kString:
      return value.is_string();
    case Type::kArray:
      return value.is_array();
    case Type::kObject:
      return value.is_object();
  }
  return false;
}

bool is_less(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) return a.as_integer() < b.as_integer();
  return a.as_number() < b.as_number();
}

std::string with_unit(const Value& value, const SchemaNode& node) {
  return node.unit.empty() ? describe(value) : describe(value) + " " + node.unit;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool matches(const std::string& text, const std::string& pattern) {
  return text.size() <= kMaxPatternTextBytes &&
         std::regex_search(text, std::regex{pattern, std::regex::ECMAScript});
}

std::string one_of(const std::vector<std::string>& words) {
  std::string text = "must be ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text.append(i + 1 == words.size() ? " or " : ", ");
    text.append("\"").append(words[i]).append("\"");
  }
  return text;
}

class Checker {
 public:
  explicit Checker(const Schema* schema) : schema_(schema) {}

  void check(const SchemaNode& node, const Value& value, const std::string& path) {
    if (!is_of_type(value, node.type)) {
      const bool composite = value.is_array() || value.is_object();
      std::string message{"must be "};
      message.append(describe(node.type)).append(", not ");
      message.append(composite ? std::string{describe(value.kind())} : describe(value));
      problems_.add({value.mark(), path, std::move(message)});
      return;
    }
    switch (node.type) {
      case Type::kBoolean:
        break;
      case Type::kInteger:
      case Type::kNumber:
        check_bounds(node, value, path);
        break;
      case Type::kString:
        check_text(node, value, path);
        break;
      case Type::kArray:
        check_array(node, value, path);
        break;
      case Type::kObject:
        check_object(node, value, path);
        break;
    }
  }

  Problems take_problems() { return std::move(problems_); }

 private:
  void check_bounds(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto refuse = [&](std::string_view what, const Value& bound) {
      std::string message{"must be "};
      message.append(what).append(with_unit(bound, node)).append(", not ").append(describe(value));
      problems_.add({value.mark(), path, std::move(message)});
    };
    if (node.minimum && is_less(value, *node.minimum)) refuse("at least ", *node.minimum);
    if (node.maximum && is_less(*node.maximum, value)) refuse("at most ", *node.maximum);
  }

  void check_text(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto& text = value.as_string();
    const auto refuse = [&](std::string message, std::string suggestion = {}) {
      problems_.add(
          {value.mark(), path, message + ", not " + describe(value), std::move(suggestion)});
    };
    const auto length = code_points(text);
    if (text.size() > kMaxTextBytes || (node.max_length && length > *node.max_length)) {
      const auto limit = node.max_length.value_or(kMaxTextBytes);
      return refuse("must be at most " + std::to_string(limit) + " characters long");
    }
    if (node.min_length && length < *node.min_length) {
      return refuse("must be at least " + std::to_string(*node.min_length) + " characters long");
    }
    const auto& allowed = node.allowed;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
      return refuse(one_of(allowed), suggest(text, allowed).value_or(""));
    }
    if (!node.pattern.empty() && !matches(text, node.pattern)) {
      refuse(node.form.empty() ? "must match " + node.pattern : "must be " + node.form);
    }
  }

  void check_array(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto& items = value.as_array();
    if (node.max_items && items.size() > *node.max_items) {
      problems_.add({value.mark(), path,
                     "must have at most " + std::to_string(*node.max_items) + " items, not " +
                         std::to_string(items.size())});
      return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) check(*node.items, items[i], join_path(path, i));
  }

  void check_object(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto& object = value.as_object();
    if (node.max_properties && object.size() > *node.max_properties) {
      problems_.add({value.mark(), path,
                     "must have at most " + std::to_string(*node.max_properties) + " keys, not " +
                         std::to_string(object.size())});
      return;
    }
    for (const auto& member : object) {
      const auto* below = node.additional ? node.additional.get() : node.find(member.key);
      if (below != nullptr) {
        check(*below, member.value, join_path(path, member.key));
      } else if (schema_ != nullptr) {
        problems_.add(schema_->unknown_key(member.key_mark, path, member.key));
      } else {
        problems_.add({member.key_mark, join_path(path, member.key), "unknown key"});
      }
    }
  }

  const Schema* schema_;
  Problems problems_;
};

}  // namespace

Problems Schema::check(const Value& tree) const {
  Checker checker{this};
  checker.check(*root_, tree, {});
  return checker.take_problems();
}

Problems Schema::check(const SchemaNode& node, const Value& value, const std::string& path) {
  Checker checker{nullptr};
  checker.check(node, value, path);
  return checker.take_problems();
}

Problem Schema::unknown_key(const SourceMark& mark, std::string_view section_path,
                            std::string_view key) const {
  Problem problem{mark, join_path(section_path, key), "unknown key"};
  const auto* section = root_.get();
  for (auto rest = section_path; section != nullptr && !rest.empty();) {
    const auto dot = std::min(rest.find('.'), rest.size());
    section = section->find(rest.substr(0, dot));
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  std::vector<std::string> siblings;
  if (section != nullptr) {
    for (const auto& property : section->properties) siblings.push_back(property.name);
  }
  if (auto nearest = suggest(key, siblings)) {
    problem.suggestion = std::move(*nearest);
    return problem;
  }
  // Forgetting the unit is a common slip: "drain" for "drain_ms".
  for (const auto& sibling : siblings) {
    if (sibling.starts_with(std::string{key} + "_")) {
      problem.suggestion = sibling;
      return problem;
    }
  }
  // A key in the wrong section is as common as a misspelt one.
  for (const auto& leaf : leaves_) {
    const auto name = std::string_view{leaf.path}.substr(leaf.path.rfind('.') + 1);
    if (name == key) {
      problem.suggestion = leaf.path;
      break;
    }
  }
  return problem;
}

}  // namespace symphony::runtime
