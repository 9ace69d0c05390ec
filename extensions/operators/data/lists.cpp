#include "extensions/operators/data/lists.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "extensions/operators/kit.hpp"

namespace symphony::extensions {

namespace {

struct JsonLess {
  bool operator()(const Json& a, const Json& b) const { return language::compare_values(a, b) < 0; }
};
struct RowLess {
  bool operator()(const std::vector<Json>& a, const std::vector<Json>& b) const {
    return std::ranges::lexicographical_compare(a, b, JsonLess());
  }
};

Error at_element(Error error, std::size_t index) {
  error.message = "element " + std::to_string(index) + ": " + error.message;
  return error;
}

struct AggregateName {
  std::string_view name;
  Aggregate::Kind kind;
};
constexpr AggregateName kAggregates[] = {
    {"count", Aggregate::Kind::count}, {"sum", Aggregate::Kind::sum},
    {"mean", Aggregate::Kind::mean},   {"median", Aggregate::Kind::median},
    {"min", Aggregate::Kind::min},     {"max", Aggregate::Kind::max},
    {"first", Aggregate::Kind::first}, {"last", Aggregate::Kind::last},
    {"list", Aggregate::Kind::list},   {"distinct", Aggregate::Kind::distinct},
};

Result<Json> sum_of(const std::vector<Json>& values) {
  std::int64_t whole = 0;
  double real = 0;
  bool exact = true;
  for (const auto& value : values) {
    if (!value.is_number()) return invalid(std::string("cannot add up ") + value.type_name());
    real += value.get<double>();
    exact = exact && value.is_number_integer() &&
            !__builtin_add_overflow(whole, value.get<std::int64_t>(), &whole);
  }
  return exact ? Json(whole) : Json(real);
}

Json median_of(std::vector<Json>& values) {
  if (values.empty()) return nullptr;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end(), JsonLess());
  if (values.size() % 2 == 1 || !middle->is_number()) return *middle;
  const Json& below = *std::max_element(values.begin(), middle, JsonLess());
  if (!below.is_number()) return *middle;
  return (below.get<double>() + middle->get<double>()) / 2;
}

// `values` are the non-null ones, in order.
Result<Json> aggregate_of(Aggregate::Kind kind, std::vector<Json>& values) {
  using enum Aggregate::Kind;
  switch (kind) {
    case count:
      return Json(values.size());
    case sum:
      return sum_of(values);
    case mean: {
      const auto total = sum_of(values);
      if (!total) return total;
      return values.empty() ? Json(nullptr)
                            : Json(total->get<double>() / static_cast<double>(values.size()));
    }
    case median:
      return median_of(values);
    case min:
    case max: {
      if (values.empty()) return Json(nullptr);
      const auto [low, high] = std::minmax_element(values.begin(), values.end(), JsonLess());
      return Json(kind == min ? *low : *high);
    }
    case first:
      return values.empty() ? Json(nullptr) : values.front();
    case last:
      return values.empty() ? Json(nullptr) : values.back();
    case list:
      return Json(std::move(values));
    case distinct:
      return Json(std::set<Json, JsonLess>(values.begin(), values.end()).size());
  }
  return Json(nullptr);
}

using Members = std::vector<std::size_t>;

Result<Json> aggregate(const Aggregate& aggregate, const Json& list, const Members& members) {
  std::vector<Json> values;
  values.reserve(members.size());
  for (const std::size_t i : members) {
    auto value = aggregate.expression.evaluate(language::Scope(list[i]));
    if (!value) return at_element(value.error(), i);
    if (!value->get().is_null()) values.push_back(std::move(*value).take());
  }
  auto result = aggregate_of(aggregate.kind, values);
  if (!result) return invalid(aggregate.name + ": " + result.error().message);
  return result;
}

}  // namespace

Result<SortKey> SortKey::parse(std::string_view text) {
  bool descending = false;
  if (text.ends_with(" desc")) {
    descending = true;
    text.remove_suffix(5);
  } else if (text.ends_with(" asc")) {
    text.remove_suffix(4);
  }
  auto expression = language::Expression::parse(text);
  if (!expression) return expression.error();
  return SortKey{std::move(*expression), descending};
}

Result<Aggregate> Aggregate::parse(std::string name, std::string_view text) {
  const auto open = text.find('(');
  const auto word = text.substr(0, open);
  const auto known = std::ranges::find(kAggregates, word, &AggregateName::name);
  if (known == std::end(kAggregates) || (open != std::string_view::npos && !text.ends_with(')'))) {
    return invalid("'" + std::string(text) +
                   "' is no aggregate; write count(), or sum, mean, median, min, max, first, last, "
                   "list or distinct with an expression in parentheses");
  }
  std::string_view inner =
      open == std::string_view::npos ? "" : text.substr(open + 1, text.size() - open - 2);
  if (inner.empty() && known->kind != Kind::count && known->kind != Kind::list)
    return invalid("'" + std::string(text) + "' needs an expression in parentheses");
  auto expression = language::Expression::parse(inner.empty() ? "it" : inner);
  if (!expression) return expression.error();
  return Aggregate{std::move(name), known->kind, std::move(*expression)};
}

Result<Json> group(const Json& list, const std::vector<NamedExpression>& keys,
                   const std::vector<Aggregate>& aggregates) {
  std::map<std::vector<Json>, Members, RowLess> groups;
  if (keys.empty()) groups[{}];  // the totals of nothing are totals too
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::vector<Json> row;
    for (const auto& key : keys) {
      auto value = key.expression.evaluate(language::Scope(list[i]));
      if (!value) return at_element(value.error(), i);
      row.push_back(std::move(*value).take());
    }
    groups[std::move(row)].push_back(i);
  }
  Json result = Json::array();
  for (const auto& [row, members] : groups) {
    Json entry = Json::object();
    for (std::size_t k = 0; k < keys.size(); ++k) entry[keys[k].name] = row[k];
    for (const auto& one : aggregates) {
      auto value = aggregate(one, list, members);
      if (!value) return value.error();
      entry[one.name] = std::move(*value);
    }
    result.push_back(std::move(entry));
  }
  return result;
}

Result<std::vector<std::size_t>> sorted_order(const Json& list, const std::vector<SortKey>& keys) {
  std::vector<std::vector<Json>> rows(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (const auto& key : keys) {
      auto value = key.expression.evaluate(language::Scope(list[i]));
      if (!value) return at_element(value.error(), i);
      rows[i].push_back(std::move(*value).take());
    }
  }
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const int compared = language::compare_values(rows[a][k], rows[b][k]);
      if (compared != 0) return keys[k].descending ? compared > 0 : compared < 0;
    }
    return false;
  });
  return order;
}

}  // namespace symphony::extensions
