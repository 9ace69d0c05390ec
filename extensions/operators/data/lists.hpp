// Grouping and sorting of JSON lists by expressions: the cores of data.group and data.sort.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/language/expression.hpp"

namespace symphony::extensions {

inline constexpr std::size_t kMaxKeys = 32;     // of one sort, group or join
inline constexpr std::size_t kMaxFields = 256;  // of one constructed object

struct NamedExpression {
  std::string name;
  language::Expression expression;
};

// "size desc": an expression and its direction.
struct SortKey {
  language::Expression expression;
  bool descending = false;
  static Result<SortKey> parse(std::string_view text);
};

// "sum(size)", "count()", "list(path)": what is made of the elements of a group.
struct Aggregate {
  enum class Kind { count, sum, mean, median, min, max, first, last, list, distinct };
  std::string name;
  Kind kind = Kind::count;
  language::Expression expression;  // `it` for count()
  static Result<Aggregate> parse(std::string name, std::string_view text);
};

// One object a group: the keys' values by name and the aggregates; groups ordered by key.
Result<Json> group(const Json& list, const std::vector<NamedExpression>& keys,
                   const std::vector<Aggregate>& aggregates);

// The elements' indices, stably sorted by the keys (compare_values).
Result<std::vector<std::size_t>> sorted_order(const Json& list, const std::vector<SortKey>& keys);

}  // namespace symphony::extensions
