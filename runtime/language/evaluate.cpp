#include "runtime/language/expression.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <ranges>

#include "runtime/language/node.hpp"

namespace symphony::language {

namespace {

using Node = Expression::Node;

Error cannot(std::string_view what, const Json& left, const Json& right) {
  return {Errc::INVALID_ARGUMENT,
          "cannot " + std::string(what) + " " + left.type_name() + " and " + right.type_name()};
}

// Whether both are integers that fit 64 signed bits.
bool both_integers(const Json& a, const Json& b) {
  const auto fits = [](const Json& value) {
    return value.is_number_integer() &&
           !(value.is_number_unsigned() &&
             value.get<std::uint64_t>() >
                 static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  };
  return fits(a) && fits(b);
}

Json real(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json modulo(const Json& left, const Json& right) {
  if (both_integers(left, right)) {
    const auto divisor = right.get<std::int64_t>();
    if (divisor == 0) return nullptr;
    return divisor == -1 ? 0 : left.get<std::int64_t>() % divisor;
  }
  return real(std::fmod(left.get<double>(), right.get<double>()));
}

Json divide(const Json& left, const Json& right) {
  if (both_integers(left, right)) {
    const auto a = left.get<std::int64_t>();
    const auto b = right.get<std::int64_t>();
    if (b == 0) return nullptr;
    if (b != -1 && a % b == 0) return a / b;
  }
  return real(left.get<double>() / right.get<double>());
}

Result<Json> arithmetic(NodeKind kind, const Json& left, const Json& right) {
  if (kind == NodeKind::add && left.is_string() && right.is_string()) {
    std::string joined = left.get<std::string>() + right.get<std::string>();
    if (joined.size() > kMaxTextResultBytes)
      return Error{Errc::RESOURCE_EXHAUSTED, "a text grows beyond its limit"};
    return Json(std::move(joined));
  }
  if (left.is_null() || right.is_null()) return Json(nullptr);
  if (!left.is_number() || !right.is_number()) return cannot("calculate with", left, right);
  if (kind == NodeKind::divide) return divide(left, right);
  if (kind == NodeKind::modulo) return modulo(left, right);
  if (both_integers(left, right)) {
    const auto a = left.get<std::int64_t>();
    const auto b = right.get<std::int64_t>();
    std::int64_t out = 0;
    const bool overflow = kind == NodeKind::add        ? __builtin_add_overflow(a, b, &out)
                          : kind == NodeKind::subtract ? __builtin_sub_overflow(a, b, &out)
                                                       : __builtin_mul_overflow(a, b, &out);
    if (!overflow) return Json(out);
  }
  const double a = left.get<double>();
  const double b = right.get<double>();
  return real(kind == NodeKind::add ? a + b : kind == NodeKind::subtract ? a - b : a * b);
}

Result<Json> order(NodeKind kind, const Json& left, const Json& right) {
  if (left.is_null() || right.is_null()) return Json(false);
  if (!(left.is_number() && right.is_number()) && !(left.is_string() && right.is_string()))
    return cannot("order", left, right);
  const int compared = compare_values(left, right);
  switch (kind) {
    case NodeKind::less:
      return Json(compared < 0);
    case NodeKind::less_equal:
      return Json(compared <= 0);
    case NodeKind::greater:
      return Json(compared > 0);
    default:
      return Json(compared >= 0);
  }
}

Result<Json> is_in(const Json& needle, const Json& hay) {
  if (hay.is_null()) return Json(false);
  if (hay.is_string() && needle.is_string()) {
    return Json(hay.get_ref<const std::string&>().find(needle.get_ref<const std::string&>()) !=
                std::string::npos);
  }
  if (hay.is_object() && needle.is_string()) return Json(hay.contains(needle.get<std::string>()));
  if (!hay.is_array()) return cannot("look for one in the other,", needle, hay);
  for (const auto& item : hay) {
    if (compare_values(item, needle) == 0) return Json(true);
  }
  return Json(false);
}

// A part of a borrowed value stays borrowed, of an owned one it is copied.
Value part_of(const Value& whole, const Json& part, bool borrowed) {
  (void)whole;
  return borrowed ? Value::borrow(part) : Value(Json(part));
}

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope) {}

  Result<Value> run(const Node& node) const {
    switch (node.kind) {
      case NodeKind::literal:
        return Value::borrow(node.literal);
      case NodeKind::element:
        return Value::borrow(scope_.element());
      case NodeKind::name:
        return named(node);
      case NodeKind::reference:
        return referred(node);
      case NodeKind::field:
        return field(node);
      case NodeKind::index:
        return index(node);
      case NodeKind::list:
        return list(node);
      case NodeKind::logical_and:
      case NodeKind::logical_or:
        return logical(node);
      case NodeKind::logical_not: {
        auto inner = run(*node.children[0]);
        if (!inner) return inner;
        return Value(Json(!is_true(inner->get())));
      }
      case NodeKind::negate: {
        auto inner = run(*node.children[0]);
        if (!inner) return inner;
        return own(arithmetic(NodeKind::subtract, Json(0), inner->get()));
      }
      case NodeKind::choose: {
        auto condition = run(*node.children[0]);
        if (!condition) return condition;
        return run(*node.children[is_true(condition->get()) ? 1 : 2]);
      }
      case NodeKind::fallback: {
        auto value = Evaluator(scope_.lenient()).run(*node.children[0]);
        return !value || !value->get().is_null() ? std::move(value) : run(*node.children[1]);
      }
      case NodeKind::exists: {
        auto value = Evaluator(scope_.lenient()).run(*node.children[0]);
        if (!value) return value;
        return Value(Json(!value->get().is_null()));
      }
      case NodeKind::call:
        return call(node);
      default:
        return binary(node);
    }
  }

 private:
  static Result<Value> own(Result<Json> result) {
    if (!result) return result.error();
    return Value(std::move(*result));
  }

  Result<Value> absent(const std::string& name) const {
    if (!scope_.strict()) return Value();
    return Error{Errc::NOT_FOUND, "there is no " + name};
  }

  Result<Value> named(const Node& node) const {
    const Json* found = scope_.find(node.text);
    return found ? Result<Value>(Value::borrow(*found)) : absent(node.text);
  }

  Result<Value> referred(const Node& node) const {
    auto value = scope_.reference(node.number);
    const bool absent = !value && value.error().code == Errc::NOT_FOUND;
    return absent && !scope_.strict() ? Value() : std::move(value);
  }

  Result<Value> field(const Node& node) const {
    auto whole = run(*node.children[0]);
    if (!whole) return whole;
    const Json& object = whole->get();
    if (object.is_null()) return Value();
    const auto found = object.is_object() ? object.find(node.text) : object.end();
    if (!object.is_object() || found == object.end()) return absent("field " + node.text);
    return part_of(*whole, *found, borrows(*node.children[0]));
  }

  Result<Value> index(const Node& node) const {
    auto whole = run(*node.children[0]);
    if (!whole) return whole;
    auto index = run(*node.children[1]);
    if (!index) return index;
    const Json& container = whole->get();
    const Json& key = index->get();
    const bool borrowed = borrows(*node.children[0]);
    if (container.is_object() && key.is_string()) {
      const auto found = container.find(key.get_ref<const std::string&>());
      if (found != container.end()) return part_of(*whole, *found, borrowed);
    } else if (container.is_array() && key.is_number_integer()) {
      auto at = key.get<std::int64_t>();
      const auto size = static_cast<std::int64_t>(container.size());
      if (at < 0) at += size;
      if (at >= 0 && at < size)
        return part_of(*whole, container[static_cast<std::size_t>(at)], borrowed);
    } else if (container.is_null()) {
      return Value();
    } else {
      return cannot("index", container, key);
    }
    return absent("element [" + key.dump(-1, ' ', false, Json::error_handler_t::replace) + "]");
  }

  // Whether what the node evaluates to lives in the scope or the tree.
  static bool borrows(const Node& node) {
    switch (node.kind) {
      case NodeKind::literal:
      case NodeKind::element:
      case NodeKind::name:
        return true;
      case NodeKind::field:
      case NodeKind::index:
        return borrows(*node.children[0]);
      default:
        return false;
    }
  }

  Result<Value> list(const Node& node) const {
    Json items = Json::array();
    for (const auto& child : node.children) {
      auto item = run(*child);
      if (!item) return item;
      items.push_back(std::move(*item).take());
    }
    return Value(std::move(items));
  }

  Result<Value> logical(const Node& node) const {
    auto left = run(*node.children[0]);
    if (!left) return left;
    const bool truth = is_true(left->get());
    if (truth == (node.kind == NodeKind::logical_or)) return Value(Json(truth));
    auto right = run(*node.children[1]);
    if (!right) return right;
    return Value(Json(is_true(right->get())));
  }

  Result<Value> binary(const Node& node) const {
    auto left = run(*node.children[0]);
    if (!left) return left;
    auto right = run(*node.children[1]);
    if (!right) return right;
    const Json& a = left->get();
    const Json& b = right->get();
    switch (node.kind) {
      case NodeKind::equal:
        return Value(Json(compare_values(a, b) == 0));
      case NodeKind::not_equal:
        return Value(Json(compare_values(a, b) != 0));
      case NodeKind::less:
      case NodeKind::less_equal:
      case NodeKind::greater:
      case NodeKind::greater_equal:
        return own(order(node.kind, a, b));
      case NodeKind::in:
        return own(is_in(a, b));
      default:
        return own(arithmetic(node.kind, a, b));
    }
  }

  Result<Value> call(const Node& node) const {
    std::vector<Value> arguments;
    arguments.reserve(node.children.size());
    for (const auto& child : node.children) {
      auto argument = run(*child);
      if (!argument) return argument;
      arguments.push_back(std::move(*argument));
    }
    auto result = node.function->call(arguments);
    if (result) return Value(std::move(*result));
    Error error = result.error();
    error.message = std::string(node.function->name) + ": " + error.message;
    return error;
  }

  Scope scope_;
};

int rank_of(const Json& value) {
  if (value.is_null()) return 0;
  if (value.is_boolean()) return 1;
  if (value.is_number()) return 2;
  if (value.is_string()) return 3;
  return value.is_array() ? 4 : 5;
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_numbers(const Json& left, const Json& right) {
  if (both_integers(left, right))
    return three_way(left.get<std::int64_t>(), right.get<std::int64_t>());
  if (left.is_number_unsigned() && right.is_number_unsigned())
    return three_way(left.get<std::uint64_t>(), right.get<std::uint64_t>());
  return three_way(left.get<double>(), right.get<double>());
}

const Json kNoElement = nullptr;

}  // namespace

Scope::Scope(const References& references)
    : element_(&kNoElement), strict_(true), references_(&references) {}

Scope Scope::lenient() const {
  Scope scope = *this;
  scope.strict_ = false;
  return scope;
}

const Json* Scope::find(std::string_view name) const {
  const auto in = [&](const Json& value) -> const Json* {
    if (!value.is_object()) return nullptr;
    const auto found = value.find(name);
    return found == value.end() ? nullptr : &*found;
  };
  if (const Json* found = in(*element_)) return found;
  for (auto outer = outer_.rbegin(); outer != outer_.rend(); ++outer)
    if (const Json* found = in(**outer)) return found;
  return nullptr;
}

Result<Value> Expression::evaluate(const Scope& scope) const {
  return Evaluator(scope).run(*root_);
}

Result<bool> Expression::test(const Scope& scope) const {
  auto value = evaluate(scope);
  if (!value) return value.error();
  return is_true(value->get());
}

bool is_true(const Json& value) noexcept {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (const auto* text = value.get_ptr<const std::string*>()) return !text->empty();
  return !value.empty();
}

std::string as_text(const Json& value) {
  if (const auto* text = value.get_ptr<const std::string*>()) return *text;
  if (value.is_null()) return {};
  if (value.is_number_float()) {
    // 3.0 reads as 3.
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.get<double>());
    return {buffer, end.ptr};
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int compare_values(const Json& left, const Json& right) {
  const int left_rank = rank_of(left);
  if (left_rank != rank_of(right)) return three_way(left_rank, rank_of(right));
  if (left.is_number()) return compare_numbers(left, right);
  if (left.is_string())
    return three_way(left.get_ref<const std::string&>(), right.get_ref<const std::string&>());
  return three_way(left, right);
}

}  // namespace symphony::language
