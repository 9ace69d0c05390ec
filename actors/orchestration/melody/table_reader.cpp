#include "actors/orchestration/melody/table_reader.hpp"

#include <algorithm>

#include "runtime/text/suggest.hpp"

namespace symphony::actors {

using runtime::join_path;
using runtime::Value;

namespace {

Binding read_text(const Value& value, const std::string& path, runtime::Problems& problems) {
  auto pieces = parse_interpolation(value.as_string());
  if (!pieces) {
    problems.add({value.mark(), path, pieces.error().message});
    return {Json(value.as_string()), value.mark()};
  }
  if (pieces->empty()) return {Json(""), value.mark()};
  if (pieces->size() > 1) return {std::move(pieces).value(), value.mark()};
  if (auto* text = std::get_if<std::string>(&pieces->front())) {
    return {Json(std::move(*text)), value.mark()};
  }
  return {std::get<Reference>(std::move(pieces->front())), value.mark()};
}

Binding read_list(const Value& value, const std::string& path, runtime::Problems& problems) {
  Binding::List items;
  bool literal = true;
  for (const Value& item : value.as_array()) {
    items.push_back(read_binding(item, join_path(path, items.size()), problems));
    literal = literal && items.back().is_literal();
  }
  if (!literal) return {std::move(items), value.mark()};
  Json list = Json::array();
  for (const Binding& item : items) list.push_back(item.literal());
  return {std::move(list), value.mark()};
}

Binding read_table(const Value& value, const std::string& path, runtime::Problems& problems) {
  Binding::Table members;
  bool literal = true;
  for (const auto& [key, mark, member] : value.as_object()) {
    members.emplace_back(key, read_binding(member, join_path(path, key), problems));
    literal = literal && members.back().second.is_literal();
  }
  if (!literal) return {std::move(members), value.mark()};
  Json table = Json::object();
  for (const auto& [key, member] : members) table[key] = member.literal();
  return {std::move(table), value.mark()};
}

}  // namespace

Binding read_binding(const Value& value, const std::string& path, runtime::Problems& problems) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return {Json(nullptr), value.mark()};
    case Value::Kind::kBool:
      return {Json(value.as_bool()), value.mark()};
    case Value::Kind::kInteger:
      return {Json(value.as_integer()), value.mark()};
    case Value::Kind::kNumber:
      // JSON has neither infinity nor NaN.
      if (!(value.as_number() - value.as_number() == 0)) {
        problems.add({value.mark(), path, "infinity and NaN are not allowed in a melody"});
        return {Json(nullptr), value.mark()};
      }
      return {Json(value.as_number()), value.mark()};
    case Value::Kind::kString:
      return read_text(value, path, problems);
    case Value::Kind::kArray:
      return read_list(value, path, problems);
    case Value::Kind::kObject:
      return read_table(value, path, problems);
  }
  return {};
}

TableReader::TableReader(const Value& table, std::string path, runtime::Problems& problems)
    : table_(table), path_(std::move(path)), problems_(problems) {}

const Value* TableReader::value(std::string_view key) {
  known_.emplace_back(key);
  return table_.find(key);
}

std::optional<std::string> TableReader::text(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) return found->as_string();
  problem(key, "should be text in quotes, is " + describe(*found));
  return std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_bool()) return found->as_bool();
  problem(key, "should be true or false, is " + describe(*found));
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t min,
                                                 std::int64_t max) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_integer()) {
    problem(key, "should be an integer, is " + describe(*found));
    return std::nullopt;
  }
  if (found->as_integer() < min || found->as_integer() > max) {
    problem(key, std::to_string(found->as_integer()) + " is out of range: use " +
                     std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return found->as_integer();
}

const runtime::ValueObject* TableReader::table(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return nullptr;
  if (found->is_object()) return &found->as_object();
  problem(key, "should be a table, is " + describe(*found));
  return nullptr;
}

const Value* TableReader::list(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr || found->is_array()) return found;
  problem(key, "should be a list, is " + describe(*found));
  return nullptr;
}

bool TableReader::has(std::string_view key) const { return table_.find(key) != nullptr; }

bool TableReader::is_text(std::string_view key) const {
  return has(key) && table_.find(key)->is_string();
}

runtime::SourceMark TableReader::mark(std::string_view key) const {
  const Value* found = table_.find(key);
  return found == nullptr ? table_.mark() : found->mark();
}

void TableReader::problem(std::string_view key, std::string message) {
  problems_.add({mark(key), join_path(path_, key), std::move(message)});
}

void TableReader::missing(std::string_view key, std::string_view what_to_do) {
  problems_.add({table_.mark(), join_path(path_, key), "is missing: " + std::string(what_to_do)});
}

void TableReader::refuse_unknown_keys() {
  for (const auto& [key, mark, value] : table_.as_object()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    problems_.add(
        {mark, join_path(path_, key), "unknown key", runtime::suggest(key, known_).value_or("")});
  }
}

}  // namespace symphony::actors
