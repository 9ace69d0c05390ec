// An approximation of McCabe's cyclomatic complexity ("A complexity measure", IEEE TSE 1976) that
// works on tokens, without parsing: one path per function and one more for each decision.
//
// A decision is a branching or looping keyword of the language, a case, a handler of exceptions,
// a short-circuit operator (?? too), a conditional operator; preprocessor conditions do not count.
// What is approximate: functions of C-like languages are recognised by the shape `name(...) {`, so
// that macros and constructors with brace initialisers may count once more or less; nesting is that
// of braced or indented control blocks, single statements without braces do not deepen it; in Rust
// `?` and the arms of a match do not count.
#pragma once

#include <cstdint>
#include <string_view>

#include "extensions/operators/text/languages.hpp"

namespace symphony::extensions::code {

struct Complexity {
  std::int64_t decisions = 0;
  std::int64_t functions = 0;
  std::int64_t max_nesting = 0;  // control blocks inside each other
  // decisions + functions; code outside functions counts as one where there is none.
  std::int64_t total = 0;
};

// Whether the language's control flow is known; other files have no complexity.
bool has_complexity(const Language& language);

// `code` is the source with every byte of a comment or string replaced by a space, newlines kept.
Complexity measure_complexity(std::string_view code, const Language& language);

}  // namespace symphony::extensions::code
