// Operators that only describe themselves, for melodies to be checked against.
#pragma once

#include <memory>
#include <utility>

#include "actors/orchestration/operator.hpp"

namespace symphony::actors::test {

class DescribedOperator final : public Operator {
 public:
  explicit DescribedOperator(OperatorSpec spec) : spec_(std::move(spec)) {}
  const OperatorSpec& spec() const noexcept override { return spec_; }
  Result<Json> run(const Json&, OperatorContext&) const override {
    return Error{Errc::UNIMPLEMENTED, "this operator only describes itself"};
  }

 private:
  OperatorSpec spec_;
};

inline OperatorRegistry described_operators() {
  OperatorRegistry registry;
  const auto add = [&](OperatorSpec spec) {
    registry.add(std::make_unique<DescribedOperator>(std::move(spec)));
  };
  add({"file.glob",
       "Lists files.",
       {{"root", ValueType::path, true, nullptr, "where to look"},
        {"pattern", ValueType::text, false, "**", "which files"}},
       {{"files", ValueType::list, "paths"}, {"count", ValueType::integer, "how many"}}});
  add({"file.read",
       "Reads a file.",
       {{"path", ValueType::path, true, nullptr, "the file"},
        {"max_bytes", ValueType::integer, false, 1024, "most bytes to read"},
        {"strict", ValueType::boolean, false, false, "fail on bytes that are not UTF-8"}},
       {{"text", ValueType::text, "its content"}, {"bytes", ValueType::integer, "its size"}}});
  add({"text.join",
       "Joins texts.",
       {{"items", ValueType::list, true, nullptr, "the texts"},
        {"separator", ValueType::text, false, "\n", "what goes between"}},
       {{"text", ValueType::text, "the joined text"}}});
  add({"data.pass",
       "Gives back what it gets.",
       {{"value", ValueType::any, true, nullptr, "anything"},
        {"ratio", ValueType::number, false, 1.0, "a factor"},
        {"options", ValueType::object, false, nullptr, "a table"}},
       {{"value", ValueType::any, "the same"}, {"ok", ValueType::boolean, "always true"}}});
  return registry;
}

}  // namespace symphony::actors::test
