// The one expression language: of `when` in melodies, data.*, chart.svg and template.render.
//
//   size > 1000 and language == "C"        round(100 * code / lines, 1)
//   path | extension | upper               if(binary, "-", thousands(lines))
//   glob(path, "src/**/*.c")               total.files[0].path
//   ${inputs.deep} and ${nodes.count.files} > 10
//
// From loosest to tightest: `|` (x | f(a) is f(x, a)), `or`, `and`, `not`, comparison
// (== != < <= > >= in), `+ -`, `* / %`, unary `-`, access (a.b, a[0], a[-1], a["k"]). Literals:
// numbers, "text" or 'text' with \n \t \\ \" \', true, false, null, [lists].
//
// Names are fields of the element at hand, then whatever the scope holds; `it` (or `.`) is the
// element itself. What is absent is null, unless the scope is strict: then it is an error, except
// inside default(x, fallback) and exists(x). What is looked for in null is null.
//
// In a melody there is no element: names stand in references, ${...}, whose inside is not this
// language's business. A scope gives their values.
//
// Arithmetic is exact for 64-bit integers and goes over to floating point on overflow and
// division; null in it gives null, as does division by zero; + joins text. == and != compare any
// two values, an integer equal to a number of the same size. Two numbers or two texts (byte by
// byte) have an order, anything else ordered is an error; null is never smaller or greater than
// anything. False in conditions: false, null, 0, "", [] and {}. `and` and `or` give true or false
// and stop at the side that settles them.
//
// Expressions are immutable after parsing, cheap to copy, and thread-safe. Evaluation has no side
// effects and depends on nothing but its scope.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::language {

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

  // What the n-th reference of an expression stands for (n as in Expression::references()).
  // NOT_FOUND when it leads nowhere.
  using References = std::function<Result<Value>(std::size_t)>;
  // Strict, without an element.
  explicit Scope(const References& references);

  const Json& element() const { return *element_; }
  bool strict() const { return strict_; }
  const Json* find(std::string_view name) const;
  // REQUIRES: the scope was made from references.
  Result<Value> reference(std::size_t number) const { return (*references_)(number); }
  Scope lenient() const;

 private:
  const Json* element_;
  std::span<const Json* const> outer_;
  bool strict_;
  const References* references_ = nullptr;
};

// What stands for values in an expression: names, or references.
enum class Operands : unsigned char { names, references };

class Expression {
 public:
  // Errc::INVALID_ARGUMENT with the column of what is wrong.
  static Result<Expression> parse(std::string_view text, Operands operands = Operands::names);

  Result<Value> evaluate(const Scope& scope) const;
  // For a predicate.
  Result<bool> test(const Scope& scope) const;

  // The insides of its ${...}, in the order of writing.
  const std::vector<std::string>& references() const noexcept { return references_; }

  // For node.hpp.
  struct Node;
  const Node& root() const noexcept { return *root_; }

 private:
  Expression(std::unique_ptr<const Node> root, std::vector<std::string> references);
  std::shared_ptr<const Node> root_;
  std::vector<std::string> references_;
};

// Every group in parentheses. It parses to the same expression, unless its parentheses are more
// than kMaxExpressionDepth.
std::string to_string(const Expression& expression);

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

}  // namespace symphony::language
