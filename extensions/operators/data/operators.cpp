// data.select, map, filter, group, sort, join, concat, merge, chunk.
#include "extensions/operators/operators.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "extensions/operators/chart/operator.hpp"
#include "extensions/operators/data/lists.hpp"
#include "extensions/operators/data/parse_operator.hpp"
#include "extensions/operators/data/template_operator.hpp"
#include "extensions/operators/kit.hpp"
#include "runtime/language/expression.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;
using Outer = std::vector<const Json*>;

Error at_element(Error error, std::size_t index) {
  error.message = "element " + std::to_string(index) + ": " + error.message;
  return error;
}

std::vector<NamedExpression> named_expressions(ArgumentReader& args, std::string_view name) {
  std::vector<NamedExpression> fields;
  const Json& object = args.object(name);
  if (object.size() > kMaxFields) args.fail(name, "more than 256 fields");
  for (const auto& [key, text] : object.items()) {
    const std::string field = std::string(name) + "." + key;
    if (!text.is_string()) {
      args.fail(field, field + " must be an expression");
      continue;
    }
    auto expression = language::Expression::parse(text.get_ref<const std::string&>());
    if (expression) {
      fields.push_back({key, std::move(*expression)});
    } else {
      args.fail(field, expression.error().message);
    }
  }
  return fields;
}

// An expression given as text; empty: absent.
std::optional<language::Expression> expression(ArgumentReader& args, std::string_view name) {
  const std::string& text = args.text(name);
  if (text.empty()) return std::nullopt;
  auto parsed = language::Expression::parse(text);
  if (parsed) return std::move(*parsed);
  args.fail(name, parsed.error().message);
  return std::nullopt;
}

Result<Json> build(const language::Scope& scope, const std::optional<language::Expression>& whole,
                   const std::vector<NamedExpression>& fields, bool keep) {
  if (whole) {
    auto value = whole->evaluate(scope);
    if (!value) return value.error();
    return std::move(*value).take();
  }
  Json object = keep && scope.element().is_object() ? scope.element() : Json::object();
  for (const auto& field : fields) {
    auto value = field.expression.evaluate(scope);
    if (!value) {
      Error error = value.error();
      error.message = field.name + ": " + error.message;
      return error;
    }
    object[field.name] = std::move(*value).take();
  }
  return object;
}

void need_one(ArgumentReader& args, const std::optional<language::Expression>& whole,
              const std::vector<NamedExpression>& fields) {
  if (whole.has_value() == fields.empty()) return;
  if (args.status().ok()) args.fail("fields", "give either fields or expression");
}

Result<Json> select(ArgumentReader& args, OperatorContext&) {
  const Json& from = args.any("from");
  const auto whole = expression(args, "expression");
  const auto fields = named_expressions(args, "fields");
  const bool strict = args.flag("strict");
  need_one(args, whole, fields);
  if (auto status = args.status(); !status) return status.error();
  auto value = build(language::Scope(from, {}, strict), whole, fields, false);
  if (!value) return value;
  return Json{{"value", std::move(*value)}};
}

Result<Json> map(ArgumentReader& args, OperatorContext& context) {
  const Json& list = args.list("list");
  const auto whole = expression(args, "expression");
  const auto fields = named_expressions(args, "fields");
  const bool keep = args.flag("keep");
  const bool strict = args.flag("strict");
  const Json& vars = args.object("vars");
  need_one(args, whole, fields);
  if (auto status = args.status(); !status) return status.error();

  Json result = Json::array();
  Json place = {{"index", 0}};
  const Outer outer = {&place, &vars};
  Poller poller(context);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    place["index"] = i;
    auto value = build(language::Scope(list[i], outer, strict), whole, fields, keep);
    if (!value) return at_element(value.error(), i);
    result.push_back(std::move(*value));
  }
  return Json{{"list", std::move(result)}};
}

Result<Json> filter(ArgumentReader& args, OperatorContext& context) {
  const Json& list = args.list("list");
  const auto where = expression(args, "where");
  const Json& vars = args.object("vars");
  if (!where) args.fail("where", "where must be an expression, such as size > 1000");
  if (auto status = args.status(); !status) return status.error();

  Json result = Json::array();
  const Outer outer = {&vars};
  Poller poller(context);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    const auto wanted = where->test(language::Scope(list[i], outer));
    if (!wanted) return at_element(wanted.error(), i);
    if (*wanted) result.push_back(list[i]);
  }
  const std::size_t count = result.size();
  return Json{{"list", std::move(result)}, {"count", count}};
}

Result<Json> group_by(ArgumentReader& args, OperatorContext& context) {
  const Json& list = args.list("list");
  std::vector<NamedExpression> keys;
  if (args.any("by").is_object()) {
    keys = named_expressions(args, "by");
  } else {
    for (auto& text : args.texts("by")) {
      auto key = language::Expression::parse(text);
      if (key) {
        keys.push_back({text, std::move(*key)});
      } else {
        args.fail("by", key.error().message);
      }
    }
  }
  if (keys.size() > kMaxKeys) args.fail("by", "more than 32 keys");
  std::vector<Aggregate> aggregates;
  for (const auto& [name, text] : args.object("aggregates").items()) {
    auto one = text.is_string() ? Aggregate::parse(name, text.get_ref<const std::string&>())
                                : Result<Aggregate>(invalid("an aggregate must be text"));
    if (one) {
      aggregates.push_back(std::move(*one));
    } else {
      args.fail("aggregates." + name, one.error().message);
    }
  }
  if (auto status = args.status(); !status) return status.error();
  if (auto going = Poller(context, 1).check(); !going) return going.error();
  auto groups = group(list, keys, aggregates);
  if (!groups) return groups;
  const std::size_t count = groups->size();
  return Json{{"list", std::move(*groups)}, {"count", count}};
}

Result<Json> sort(ArgumentReader& args, OperatorContext& context) {
  const Json& list = args.list("list");
  const auto limit = static_cast<std::size_t>(args.integer("limit", 0, kMaxListItems));
  std::vector<SortKey> keys;
  for (const auto& text : args.texts("by")) {
    auto key = SortKey::parse(text);
    if (key) {
      keys.push_back(std::move(*key));
    } else {
      args.fail("by", key.error().message);
    }
  }
  if (keys.size() > kMaxKeys) args.fail("by", "more than 32 keys");
  if (auto status = args.status(); !status) return status.error();
  if (auto going = Poller(context, 1).check(); !going) return going.error();
  const auto order = sorted_order(list, keys);
  if (!order) return order.error();
  Json result = Json::array();
  for (const std::size_t i : *order) {
    if (limit > 0 && result.size() == limit) break;
    result.push_back(list[i]);
  }
  return Json{{"list", std::move(result)}};
}

struct JsonLess {
  bool operator()(const Json& a, const Json& b) const { return language::compare_values(a, b) < 0; }
};

Result<Json> key_of(const language::Expression& expression, const Json& element,
                    std::size_t index) {
  auto value = expression.evaluate(language::Scope(element));
  if (!value) return at_element(value.error(), index);
  return std::move(*value).take();
}

// The left element with the right one's fields where it has none itself, or under a name.
Json joined(const Json& left, const Json* right, const std::string& as) {
  Json row = left.is_object() ? left : Json{{"it", left}};
  if (!as.empty()) {
    row[as] = right ? *right : Json(nullptr);
  } else if (right && right->is_object()) {
    for (const auto& [name, value] : right->items()) row.emplace(name, value);
  }
  return row;
}

Result<Json> join(ArgumentReader& args, OperatorContext& context) {
  const Json& left = args.list("left");
  const Json& right = args.list("right");
  const auto on = expression(args, "on");
  const auto right_on = expression(args, "right_on");
  const bool keep_all = args.choice("kind", {"inner", "left"}) == "left";
  const std::string& as = args.text("as");
  if (!on) args.fail("on", "on must be an expression that gives the key");
  if (auto status = args.status(); !status) return status.error();

  std::multimap<Json, const Json*, JsonLess> by_key;
  for (std::size_t i = 0; i < right.size(); ++i) {
    auto key = key_of(right_on ? *right_on : *on, right[i], i);
    if (!key) return key;
    if (!key->is_null()) by_key.emplace(std::move(*key), &right[i]);
  }
  Json result = Json::array();
  Poller poller(context);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    const auto key = key_of(*on, left[i], i);
    if (!key) return key;
    const auto [begin, end] = by_key.equal_range(*key);
    if (begin == end && keep_all) result.push_back(joined(left[i], nullptr, as));
    for (auto match = begin; match != end; ++match) {
      if (result.size() >= static_cast<std::size_t>(kMaxListItems))
        return Error{Errc::RESOURCE_EXHAUSTED, "the join gives more than 2,000,000 rows"};
      result.push_back(joined(left[i], match->second, as));
    }
  }
  const std::size_t count = result.size();
  return Json{{"list", std::move(result)}, {"count", count}};
}

Result<Json> concat(ArgumentReader& args, OperatorContext& context) {
  const Json& lists = args.list("lists");
  const auto field = expression(args, "field");
  if (auto status = args.status(); !status) return status.error();
  Json result = Json::array();
  Poller poller(context, 1);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    auto value = field ? field->evaluate(language::Scope(lists[i]))
                       : Result<language::Value>(language::Value::borrow(lists[i]));
    if (!value) return at_element(value.error(), i);
    const Json& part = value->get();
    if (part.is_null()) continue;
    if (!part.is_array()) {
      return invalid("element " + std::to_string(i) + " of lists gives no list but " +
                         part.type_name() + "; name the list in it with field",
                     "lists[" + std::to_string(i) + "]");
    }
    if (result.size() + part.size() > static_cast<std::size_t>(kMaxListItems))
      return Error{Errc::RESOURCE_EXHAUSTED, "together they have more than 2,000,000 elements"};
    for (const auto& item : part) result.push_back(item);
  }
  const std::size_t count = result.size();
  return Json{{"list", std::move(result)}, {"count", count}};
}

Result<Json> merge(ArgumentReader& args, OperatorContext&) {
  const Json& objects = args.list("objects");
  if (auto status = args.status(); !status) return status.error();
  Json merged = Json::object();
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (objects[i].is_null()) continue;
    const std::string field = "objects[" + std::to_string(i) + "]";
    if (!objects[i].is_object()) return invalid(field + " is no object", field);
    merged.update(objects[i]);
  }
  return Json{{"value", std::move(merged)}};
}

Result<Json> chunk(ArgumentReader& args, OperatorContext&) {
  const Json& list = args.list("list");
  const auto size = static_cast<std::size_t>(args.integer("size", 1, kMaxListItems));
  if (auto status = args.status(); !status) return status.error();
  Json chunks = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i % size == 0) chunks.push_back(Json::array());
    chunks.back().push_back(list[i]);
  }
  const std::size_t count = chunks.size();
  return Json{{"chunks", std::move(chunks)}, {"count", count}};
}

actors::ArgumentSpec list_argument() {
  return required("list", ValueType::list, "the elements, at most 2,000,000");
}
actors::ArgumentSpec fields_argument() {
  return optional("fields", ValueType::object, nullptr,
                  "what to build: an expression for each field's name");
}
actors::ArgumentSpec expression_argument() {
  return optional("expression", ValueType::text, "",
                  "what to give instead of an object of fields: one expression");
}
actors::ArgumentSpec strict_argument() {
  return optional("strict", ValueType::boolean, false, "a field that is absent is an error");
}
actors::ArgumentSpec vars_argument() {
  return optional("vars", ValueType::object, nullptr,
                  "further names that expressions may use; fields of the element come first");
}
actors::ResultSpec list_result(std::string summary) {
  return result("list", ValueType::list, std::move(summary));
}
actors::ResultSpec count_result() {
  return result("count", ValueType::integer, "how many elements the list has");
}

void add_list_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "data.filter",
       .summary = "Keeps the elements for which an expression holds",
       .arguments = {list_argument(),
                     required("where", ValueType::text, "expression, such as size > 1000"),
                     vars_argument()},
       .results = {list_result("what was kept, in order"), count_result()},
       .pure = true},
      filter));
  registry.add(make_operator(
      {.name = "data.group",
       .summary = "Groups elements by keys and sums up each group",
       .arguments =
           {list_argument(),
            optional("by", ValueType::any, Json::array(),
                     "list of expressions, or object of name and expression; empty: one group"),
            optional("aggregates", ValueType::object, Json{{"count", "count()"}},
                     "for each name: count(), or sum, mean, median, min, max, first, last, list, "
                     "distinct of an expression, null left out")},
       .results = {list_result("an object a group, with keys and aggregates, ordered by key"),
                   count_result()},
       .pure = true},
      group_by));
  registry.add(make_operator(
      {.name = "data.sort",
       .summary = "Sorts elements, equal ones staying in order",
       .arguments = {list_argument(),
                     required("by", ValueType::list,
                              "expressions, most important first; \"size desc\" for the reverse"),
                     optional("limit", ValueType::integer, 0, "keep so many; 0: all")},
       .results = {list_result("the elements in order")},
       .pure = true},
      sort));
  registry.add(make_operator(
      {.name = "data.concat",
       .summary = "Joins lists into one, also those inside the results of a mapped node",
       .arguments = {required("lists", ValueType::list,
                              "lists, or objects that hold one; null is left out"),
                     optional("field", ValueType::text, "",
                              "expression that finds the list in each element")},
       .results = {list_result("all elements in order"), count_result()},
       .pure = true},
      concat));
  registry.add(make_operator(
      {.name = "data.chunk",
       .summary = "Cuts a list into pieces, to map a node over batches",
       .arguments = {list_argument(), required("size", ValueType::integer, "elements a piece")},
       .results = {result("chunks", ValueType::list, "lists of at most size elements"),
                   result("count", ValueType::integer, "how many pieces")},
       .pure = true},
      chunk));
}

void add_object_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "data.select",
       .summary = "Takes parts of a value, renamed or calculated",
       .arguments = {required("from", ValueType::any, "the value"), expression_argument(),
                     fields_argument(), strict_argument()},
       .results = {result("value", ValueType::any, "what the expression or the fields give")},
       .pure = true},
      select));
  registry.add(make_operator(
      {.name = "data.map",
       .summary = "Builds a new element from each element; `index` is its place from 0",
       .arguments = {list_argument(), expression_argument(), fields_argument(),
                     optional("keep", ValueType::boolean, false,
                              "start from the element's own fields"),
                     vars_argument(), strict_argument()},
       .results = {list_result("the new elements in order")},
       .pure = true},
      map));
  registry.add(make_operator(
      {.name = "data.join",
       .summary = "Pairs the elements of two lists that have equal keys",
       .arguments =
           {required("left", ValueType::list, "elements, in whose order the result is"),
            required("right", ValueType::list, "elements to find"),
            required("on", ValueType::text, "expression of the key; null matches nothing"),
            optional("right_on", ValueType::text, "", "the same for right, where it differs"),
            optional("kind", ValueType::text, "inner",
                     "inner (only pairs) or left (left elements without a partner too)"),
            optional("as", ValueType::text, "",
                     "put the right element under this name; empty: add the fields that the left "
                     "one does not have")},
       .results = {list_result("an object a pair"), count_result()},
       .pure = true},
      join));
  registry.add(make_operator(
      {.name = "data.merge",
       .summary = "Merges objects into one; later fields replace earlier ones",
       .arguments = {required("objects", ValueType::list, "objects; null is left out")},
       .results = {result("value", ValueType::object, "the merged object")},
       .pure = true},
      merge));
}

}  // namespace

void add_data_operators(actors::OperatorRegistry& registry) {
  add_list_operators(registry);
  add_object_operators(registry);
  add_parse_operator(registry);
  add_template_operator(registry);
  add_chart_operator(registry);
}

}  // namespace symphony::extensions
