// Runs an operator the way the engine does: arguments checked, defaults filled in.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/orchestration/operator.hpp"
#include "extensions/operators/operators.hpp"

namespace symphony::extensions {

class PlainContext final : public actors::OperatorContext {
 public:
  explicit PlainContext(int cores = 2) : cores_(cores) {}
  bool cancelled() const noexcept override { return cancelled_; }
  std::chrono::steady_clock::time_point deadline() const noexcept override {
    return std::chrono::steady_clock::time_point::max();
  }
  int cores() const noexcept override { return cores_; }
  void progress(double, double) override {}
  Result<std::vector<std::string>> store(std::span<const actors::ArtifactDraft>) override {
    return Error{Errc::UNAVAILABLE, "There is no artifact store in this test."};
  }
  Result<std::string> load(std::string_view) override {
    return Error{Errc::UNAVAILABLE, "There is no artifact store in this test."};
  }

  void cancel() { cancelled_ = true; }

 private:
  int cores_;
  bool cancelled_ = false;
};

inline Result<Json> try_operator(const actors::OperatorRegistry& registry, std::string_view name,
                                 Json arguments, actors::OperatorContext& context) {
  const actors::Operator* op = registry.find(name);
  if (op == nullptr) return Error{Errc::NOT_FOUND, "No operator " + std::string(name)};
  for (const auto& argument : op->spec().arguments) {
    if (!arguments.contains(argument.name)) {
      EXPECT_FALSE(argument.required) << argument.name;
      arguments[argument.name] = argument.default_value;
    }
  }
  auto result = op->run(arguments, context);
  if (!result) return result;
  for (const auto& described : op->spec().results) {
    EXPECT_TRUE(result->contains(described.name)) << name << " gives no " << described.name;
  }
  return result;
}

inline Json run_operator(const actors::OperatorRegistry& registry, std::string_view name,
                         Json arguments) {
  PlainContext context;
  auto result = try_operator(registry, name, std::move(arguments), context);
  if (!result) {
    ADD_FAILURE() << name << ": " << to_string(result.error());
    return Json::object();
  }
  return std::move(*result);
}

}  // namespace symphony::extensions
