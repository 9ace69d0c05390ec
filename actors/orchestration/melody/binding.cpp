#include "actors/orchestration/melody/binding.hpp"

#include <span>

#include "runtime/language/expression.hpp"

namespace symphony::actors {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) out += '$';
    out += text[i];
  }
  return out;
}

Json escaped_literal(const Json& value) {
  if (value.is_string()) return escaped(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  Json copy = value;
  for (Json& child : copy) child = escaped_literal(child);
  return copy;
}

Error beyond_the_end(const Reference& reference, std::uint64_t size) {
  return Error{Errc::NOT_FOUND, to_string(reference) + " leads nowhere: the list has " +
                                    std::to_string(size) + " items"};
}

// Follows the path of the reference from step `first` on.
Result<Json> follow(const Reference& reference, const Json& root, std::size_t first = 0) {
  const Json* at = &root;
  for (const PathStep& step : std::span(reference.path).subspan(first)) {
    if (at->is_null()) return Json(nullptr);
    if (!step.key.empty()) {
      if (!at->is_object()) {
        return Error{Errc::INVALID_ARGUMENT, to_string(reference) + " asks for the key \"" +
                                                 step.key + "\" of something that is no table"};
      }
      const auto found = at->find(step.key);
      if (found == at->end()) {
        return Error{Errc::NOT_FOUND,
                     to_string(reference) + " leads nowhere: there is no key \"" + step.key + "\""};
      }
      at = &*found;
      continue;
    }
    if (!at->is_array()) {
      return Error{Errc::INVALID_ARGUMENT, to_string(reference) + " asks for position " +
                                               std::to_string(step.position) +
                                               " of something that is no list"};
    }
    if (step.position >= at->size()) return beyond_the_end(reference, at->size());
    at = &(*at)[step.position];
  }
  return *at;
}

Error lacking(const Reference& reference) {
  return Error{Errc::FAILED_PRECONDITION, to_string(reference) + " has no value here"};
}

// The result that the reference names; nullptr when it is not among them.
const Json* pick(const Reference& reference, const Json* results) {
  if (results == nullptr || !results->is_object()) return nullptr;
  const auto found = results->find(reference.result);
  return found == results->end() ? nullptr : &*found;
}

Result<Evaluated> evaluated(Result<Json> value) {
  if (!value) return std::move(value).error();
  return Evaluated{std::move(value).value(), false};
}

// One result of a node; of a mapped node the list of that result of all children.
Result<Evaluated> node_result(const Reference& reference, const RunScope& scope) {
  if (!scope.results || reference.node == kUnknownNode) return lacking(reference);
  const auto children = scope.children ? scope.children(reference.node) : std::nullopt;
  const bool selects = !reference.path.empty() && reference.path.front().key.empty();
  if (children && selects) {
    const std::uint64_t position = reference.path.front().position;
    if (position >= *children) return beyond_the_end(reference, *children);
    const Json* one = pick(reference, scope.child(reference.node, position));
    return evaluated(one == nullptr ? Result<Json>(nullptr) : follow(reference, *one, 1));
  }
  const Json* results = scope.results(reference.node);
  if (results == nullptr) return Evaluated{nullptr, true};
  if (results->is_array()) {
    Json all = Json::array();
    for (const Json& child : *results) {
      const Json* one = pick(reference, &child);
      all.push_back(one == nullptr ? Json(nullptr) : *one);
    }
    return evaluated(reference.path.empty() ? Result<Json>(std::move(all))
                                            : follow(reference, all));
  }
  const Json* one = pick(reference, results);
  if (one == nullptr) return lacking(reference);
  return evaluated(follow(reference, *one));
}

Result<Evaluated> interpolate(const Interpolation& pieces, const RunScope& scope) {
  std::string text;
  bool from_skipped = false;
  for (const Piece& piece : pieces) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      text += *literal;
    } else {
      auto part = evaluate_reference(std::get<Reference>(piece), scope);
      if (!part) return part;
      from_skipped |= part->from_skipped;
      text += language::as_text(part->value);
    }
    if (text.size() > kMaxRenderedBytes) {
      return Error{Errc::RESOURCE_EXHAUSTED, "a text with references would be longer than " +
                                                 std::to_string(kMaxRenderedBytes) + " bytes"};
    }
  }
  return Evaluated{std::move(text), from_skipped};
}

}  // namespace

void Binding::visit(const Visitor& visitor) const {
  switch (kind()) {
    case Kind::literal:
      return;
    case Kind::reference:
      visitor(reference(), mark_);
      return;
    case Kind::interpolation:
      for (const Piece& piece : pieces()) {
        if (const auto* reference = std::get_if<Reference>(&piece)) visitor(*reference, mark_);
      }
      return;
    case Kind::list:
      for (const Binding& item : items()) item.visit(visitor);
      return;
    case Kind::table:
      for (const auto& [key, member] : members()) member.visit(visitor);
      return;
  }
}

void Binding::resolve(const std::function<void(Reference&)>& resolver) {
  if (auto* reference = std::get_if<Reference>(&body_)) {
    resolver(*reference);
  } else if (auto* pieces = std::get_if<Interpolation>(&body_)) {
    for (Piece& piece : *pieces) {
      if (auto* inner = std::get_if<Reference>(&piece)) resolver(*inner);
    }
  } else if (auto* items = std::get_if<List>(&body_)) {
    for (Binding& item : *items) item.resolve(resolver);
  } else if (auto* members = std::get_if<Table>(&body_)) {
    for (auto& [key, member] : *members) member.resolve(resolver);
  }
}

Json to_json(const Binding& value) {
  switch (value.kind()) {
    case Binding::Kind::literal:
      return escaped_literal(value.literal());
    case Binding::Kind::reference:
      return to_string(value.reference());
    case Binding::Kind::interpolation: {
      std::string text;
      for (const Piece& piece : value.pieces()) {
        const auto* literal = std::get_if<std::string>(&piece);
        text += literal != nullptr ? escaped(*literal) : to_string(std::get<Reference>(piece));
      }
      return text;
    }
    case Binding::Kind::list: {
      Json list = Json::array();
      for (const Binding& item : value.items()) list.push_back(to_json(item));
      return list;
    }
    case Binding::Kind::table: {
      Json table = Json::object();
      for (const auto& [key, member] : value.members()) table[key] = to_json(member);
      return table;
    }
  }
  return nullptr;
}

Result<Evaluated> evaluate_reference(const Reference& reference, const RunScope& scope) {
  if (reference.kind == ReferenceKind::node) return node_result(reference, scope);
  Json fact;
  const Json* root = &fact;
  switch (reference.kind) {
    case ReferenceKind::input: {
      if (scope.inputs == nullptr) return lacking(reference);
      const auto found = scope.inputs->find(reference.name);
      if (found == scope.inputs->end()) return lacking(reference);
      root = &*found;
      break;
    }
    case ReferenceKind::item:
      if (scope.item == nullptr) return lacking(reference);
      root = scope.item;
      break;
    case ReferenceKind::index:
      if (!scope.index) return lacking(reference);
      fact = *scope.index;
      break;
    case ReferenceKind::run:
      fact = reference.name == "id"        ? scope.run_id
             : reference.name == "started" ? scope.run_started
                                           : scope.run_host;
      break;
    case ReferenceKind::node:
      break;
  }
  auto value = follow(reference, *root);
  if (!value) return std::move(value).error();
  return Evaluated{std::move(value).value(), false};
}

Result<Evaluated> evaluate_fully(const Binding& value, const RunScope& scope) {
  Evaluated out;
  switch (value.kind()) {
    case Binding::Kind::literal:
      return Evaluated{value.literal(), false};
    case Binding::Kind::reference:
      return evaluate_reference(value.reference(), scope);
    case Binding::Kind::interpolation:
      return interpolate(value.pieces(), scope);
    case Binding::Kind::list:
      out.value = Json::array();
      for (const Binding& item : value.items()) {
        auto one = evaluate_fully(item, scope);
        if (!one) return one;
        out.from_skipped |= one->from_skipped;
        out.value.push_back(std::move(one->value));
      }
      return out;
    case Binding::Kind::table:
      out.value = Json::object();
      for (const auto& [key, member] : value.members()) {
        auto one = evaluate_fully(member, scope);
        if (!one) return one;
        out.from_skipped |= one->from_skipped;
        out.value[key] = std::move(one->value);
      }
      return out;
  }
  return out;
}

Result<Json> evaluate(const Binding& value, const RunScope& scope) {
  auto evaluated = evaluate_fully(value, scope);
  if (!evaluated) return std::move(evaluated).error();
  return std::move(evaluated->value);
}

}  // namespace symphony::actors
