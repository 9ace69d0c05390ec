// The small expression language of data.*, chart.svg and template.render.
//
//   size > 1000 and language == "C"        round(100 * code / lines, 1)
//   path | extension | upper               if(binary, "-", thousands(lines))
//   glob(path, "src/**/*.c")               total.files[0].path
//
// From loosest to tightest: `|` (x | f(a) is f(x, a)), `or`, `and`, `not`, comparison
// (== != < <= > >= in), `+ -`, `* / %`, unary `-`, access (a.b, a[0], a[-1], a["k"]). Literals:
// numbers, "text" or 'text' with \n \t \\ \" \', true, false, null, [lists].
//
// Names are fields of the element at hand, then whatever the scope holds; `it` (or `.`) is the
// element itself. What is absent is null, unless the scope is strict: then it is an error, except
// inside default(x, fallback) and exists(x).
//
// Arithmetic is exact for 64-bit integers and goes over to floating point on overflow and
// division; null in it gives null, as does division by zero; + joins text. Null is never smaller
// or greater than anything; ordering a number against text is an error. False in conditions:
// false, null, 0, "", [] and {}.
//
// Expressions are immutable after parsing and thread-safe. Evaluation has no side effects and
// depends on nothing but its scope.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::extensions {

inline constexpr std::size_t kMaxExpressionBytes = 4096;
inline constexpr std::size_t kMaxExpressionDepth = 64;
inline constexpr std::size_t kMaxTextResultBytes = 16 * 1024 * 1024;  // of one function's result

// A JSON value that is borrowed where it can be: lists are not copied to be looked at.
class Value {
 public:
  Value() = default;
  Value(Json owned) : owned_(std::move(owned)) {}
  // REQUIRES: `borrowed` outlives the value.
  static Value borrow(const Json& borrowed) {
    Value value;
    value.borrowed_ = &borrowed;
    return value;
  }
  const Json& get() const { return borrowed_ ? *borrowed_ : owned_; }
  Json take() && { return borrowed_ ? *borrowed_ : std::move(owned_); }

 private:
  const Json* borrowed_ = nullptr;
  Json owned_ = nullptr;
};

// Where names are looked up.
class Scope {
 public:
  // `element` is what the expression is about, `outer` what else has a name (innermost last).
  // REQUIRES: all outlive the scope.
  explicit Scope(const Json& element, std::span<const Json* const> outer = {}, bool strict = false)
      : element_(&element), outer_(outer), strict_(strict) {}

  const Json& element() const { return *element_; }
  bool strict() const { return strict_; }
  const Json* find(std::string_view name) const;
  Scope lenient() const { return Scope(*element_, outer_, false); }

 private:
  const Json* element_;
  std::span<const Json* const> outer_;
  bool strict_;
};

class Expression {
 public:
  // Errc::INVALID_ARGUMENT with the column of what is wrong.
  static Result<Expression> parse(std::string_view text);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  Result<Value> evaluate(const Scope& scope) const;
  // For a predicate.
  Result<bool> test(const Scope& scope) const;

  struct Node;

 private:
  explicit Expression(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

bool is_true(const Json& value) noexcept;
// Text as it is, numbers in their shortest form, null as nothing, lists and objects as JSON.
std::string as_text(const Json& value);
// A total order over all JSON values: null, booleans, numbers, text (by bytes), lists, objects.
int compare_values(const Json& left, const Json& right);

// A function of the language, for the table in functions.cpp and for help.
struct Function {
  std::string_view name;
  std::size_t min_arguments;
  std::size_t max_arguments;
  Result<Json> (*call)(std::span<const Value> arguments);
  std::string_view summary;
};
std::span<const Function> functions() noexcept;
const Function* find_function(std::string_view name) noexcept;

}  // namespace symphony::extensions
