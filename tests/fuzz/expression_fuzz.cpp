// Any text is either an expression, which can be evaluated and written out, or an error.
#include <cstdint>
#include <string_view>

#include "runtime/language/expression.hpp"

using namespace symphony;

namespace {

void evaluate(const language::Expression& expression) {
  const Json element{{"a", {1, 2.5, "x", nullptr}}, {"n", -3}, {"t", "text/with.dot"}};
  const Json outer{{"total", {{"files", {{{"path", "a/b.c"}}}}}}};
  const Json* const around[] = {&outer};
  (void)expression.evaluate(language::Scope(element, around));
  (void)expression.test(language::Scope(element, around, true));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto named = language::Expression::parse(text);
  if (named) {
    evaluate(*named);
    const auto written = language::to_string(*named);
    const auto again = language::Expression::parse(written);
    SYMPHONY_ASSERT(!again || language::to_string(*again) == written);
  }
  const auto referring = language::Expression::parse(text, language::Operands::references);
  if (referring) {
    const language::Scope::References values = [](std::size_t number) -> Result<language::Value> {
      if (number % 3 == 2) return Error{Errc::NOT_FOUND, "nothing there"};
      return language::Value(number % 3 == 0 ? Json(7) : Json("seven"));
    };
    (void)referring->evaluate(language::Scope(values));
  }
  return 0;
}
