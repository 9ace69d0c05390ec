#include <algorithm>
#include <array>
#include <charconv>

#include "actors/orchestration/melody/binding.hpp"
#include "runtime/settings/value.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::actors {
namespace {

bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string shown(std::string_view inside) {
  return "${" + runtime::printable(inside, runtime::kMaxShownValueBytes) + "}";
}

Error malformed(std::string_view inside, std::string_view why) {
  return Error{Errc::INVALID_ARGUMENT, shown(inside) + " " + std::string(why)};
}

// The word at the front of `rest`, which is shortened by it.
std::string take_word(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && is_word_character(rest[length])) ++length;
  std::string word(rest.substr(0, length));
  rest.remove_prefix(length);
  return word;
}

// ".word"; nothing when it is not there.
std::string take_dotted_word(std::string_view& rest) {
  if (!rest.starts_with('.')) return {};
  rest.remove_prefix(1);
  return take_word(rest);
}

Result<std::vector<PathStep>> parse_path(std::string_view inside, std::string_view rest) {
  std::vector<PathStep> path;
  while (!rest.empty()) {
    PathStep step;
    if (rest.front() == '.') {
      step.key = take_dotted_word(rest);
      if (step.key.empty()) return malformed(inside, "has a dot that no key follows");
    } else if (rest.front() == '[') {
      const auto [end, error] =
          std::from_chars(rest.data() + 1, rest.data() + rest.size(), step.position);
      if (error != std::errc{} || end == rest.data() + rest.size() || *end != ']') {
        return malformed(inside, "wants a position like [0] after a list");
      }
      rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
    } else {
      return malformed(inside, "is not a reference: after a name come .key or [position]");
    }
    path.push_back(std::move(step));
    if (path.size() > kMaxReferencePathSteps) {
      return malformed(
          inside, "has more than " + std::to_string(kMaxReferencePathSteps) + " steps in its path");
    }
  }
  return path;
}

}  // namespace

Result<Reference> parse_reference(std::string_view inside) {
  static const std::array<std::string, 5> kKinds{"inputs", "nodes", "item", "index", "run"};
  static const std::array<std::string, 3> kFacts{"id", "started", "host"};
  std::string_view rest = inside;
  Reference reference;
  const std::string kind = take_word(rest);
  if (kind == "inputs") {
    reference.kind = ReferenceKind::input;
    reference.name = take_dotted_word(rest);
    if (reference.name.empty()) return malformed(inside, "names no input: write ${inputs.NAME}");
  } else if (kind == "nodes") {
    reference.kind = ReferenceKind::node;
    reference.name = take_dotted_word(rest);
    reference.result = take_dotted_word(rest);
    if (reference.name.empty() || reference.result.empty()) {
      return malformed(inside, "names no result of a node: write ${nodes.NODE.RESULT}");
    }
  } else if (kind == "item") {
    reference.kind = ReferenceKind::item;
  } else if (kind == "index") {
    reference.kind = ReferenceKind::index;
  } else if (kind == "run") {
    reference.kind = ReferenceKind::run;
    reference.name = take_dotted_word(rest);
    if (std::find(kFacts.begin(), kFacts.end(), reference.name) == kFacts.end()) {
      return malformed(inside, "is not known: there are ${run.id}, ${run.started} and ${run.host}" +
                                   runtime::suggestion_suffix(reference.name, kFacts));
    }
  } else {
    return malformed(inside,
                     "is not a reference: write ${inputs.NAME}, ${nodes.NODE.RESULT}, ${item}, "
                     "${index} or ${run.id}, and $${ for a literal ${" +
                         runtime::suggestion_suffix(kind, kKinds));
  }
  auto path = parse_path(inside, rest);
  if (!path) return std::move(path).error();
  reference.path = std::move(path).value();
  return reference;
}

std::string to_string(const Reference& reference) {
  std::string text = "${";
  switch (reference.kind) {
    case ReferenceKind::input:
      text += "inputs." + reference.name;
      break;
    case ReferenceKind::node:
      text += "nodes." + reference.name + "." + reference.result;
      break;
    case ReferenceKind::item:
      text += "item";
      break;
    case ReferenceKind::index:
      text += "index";
      break;
    case ReferenceKind::run:
      text += "run." + reference.name;
      break;
  }
  for (const PathStep& step : reference.path) {
    text += step.key.empty() ? "[" + std::to_string(step.position) + "]" : "." + step.key;
  }
  return text + "}";
}

Result<Interpolation> parse_interpolation(std::string_view text) {
  Interpolation pieces;
  std::string literal;
  std::size_t references = 0;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    literal += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      literal += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        return Error{Errc::INVALID_ARGUMENT,
                     runtime::printable(text, runtime::kMaxShownValueBytes) +
                         " is never closed: there is no } after its ${"};
      }
      auto reference = parse_reference(text.substr(2, end - 2));
      if (!reference) return std::move(reference).error();
      if (++references > kMaxReferencesInText) {
        return Error{Errc::INVALID_ARGUMENT, "one text holds more than " +
                                                 std::to_string(kMaxReferencesInText) +
                                                 " references; split it"};
      }
      if (!literal.empty()) pieces.emplace_back(std::exchange(literal, {}));
      pieces.emplace_back(std::move(reference).value());
      text.remove_prefix(end + 1);
    } else {
      literal += '$';
      text.remove_prefix(1);
    }
  }
  if (!literal.empty()) pieces.emplace_back(std::move(literal));
  return pieces;
}

}  // namespace symphony::actors
