// What tests of operators and melodies share: a context that remembers, a directory that cleans up,
// one-line runs.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/orchestration/operator.hpp"
#include "extensions/operators/operators.hpp"
#include "runtime/process/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::extensions::testing {

class MemoryContext : public actors::OperatorContext {
 public:
  explicit MemoryContext(int cores = 2) : cores_(cores) {}
  bool cancelled() const noexcept override {
    return cancelled_.load() || polls_left_.fetch_sub(1) <= 0;
  }
  std::chrono::steady_clock::time_point deadline() const noexcept override { return deadline_; }
  int cores() const noexcept override { return cores_; }
  const std::string& directory() const noexcept override { return run_directory; }
  std::vector<std::string> environment() const override { return run_environment; }
  bool hurried() const noexcept override { return false; }
  void progress(double done, double total) override {
    if (total > 0) fraction = done / total;
  }
  std::string name() const override { return {}; }
  runtime::ForkServer& fork_server() override {
    static runtime::ForkServer server;
    return own_fork_server != nullptr ? *own_fork_server : server;
  }
  void output(runtime::OutputStream stream, std::string_view bytes) override {
    printed[stream].append(bytes);
  }
  Result<std::vector<std::string>> store(std::span<const actors::ArtifactDraft> drafts) override {
    const std::lock_guard lock(mutex_);
    ++batches;
    std::vector<std::string> digests;
    for (const auto& draft : drafts) {
      digests.push_back("digest" + std::to_string(stored.size()));
      stored.push_back(draft);
    }
    return digests;
  }
  Result<std::string> load(std::string_view digest) override {
    return Error{Errc::NOT_FOUND, "no artifact " + std::string(digest)};
  }

  void cancel() { cancelled_ = true; }
  void cancel_after_polls(int polls) { polls_left_ = polls; }
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }

  runtime::ForkServer* own_fork_server = nullptr;
  std::string run_directory;
  std::vector<std::string> run_environment{std::string("PATH=") + std::getenv("PATH")};
  std::vector<actors::ArtifactDraft> stored;
  int batches = 0;
  std::map<runtime::OutputStream, std::string> printed;
  std::atomic<double> fraction = 0;  // what was last told of the progress

 private:
  const int cores_;
  std::mutex mutex_;
  std::atomic<bool> cancelled_ = false;
  mutable std::atomic<int> polls_left_ = 1'000'000'000;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

// With names and contents as operators have them: text.
class TempDir {
 public:
  std::string path() const { return directory_.path().string(); }
  std::string operator/(std::string_view name) const { return path() + "/" + std::string(name); }
  void write(std::string_view name, std::string_view content) const {
    const std::filesystem::path file = *this / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }
  std::string read(std::string_view name) const {
    std::ifstream file(*this / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  test::TempDir directory_;
};

// Runs one operator as the engine would: with every default filled in.
inline Result<Json> run(const actors::OperatorRegistry& registry, std::string_view name,
                        Json arguments, actors::OperatorContext& context) {
  const actors::Operator* op = registry.find(name);
  SYMPHONY_ASSERT(op != nullptr);
  for (const auto& argument : op->spec().arguments) {
    if (!arguments.contains(argument.name)) {
      if (!argument.required) arguments[argument.name] = argument.default_value;
    } else if (!arguments[argument.name].is_null()) {
      EXPECT_TRUE(actors::is_of_type(arguments[argument.name], argument.type)) << argument.name;
    }
  }
  auto result = op->run(arguments, context);
  if (result) {
    EXPECT_EQ(result->size(), op->spec().results.size());
    for (const auto& declared : op->spec().results) {
      EXPECT_TRUE(result->contains(declared.name)) << declared.name;
      if (!result->contains(declared.name)) continue;
      const Json& value = (*result)[declared.name];
      EXPECT_TRUE(value.is_null() || actors::is_of_type(value, declared.type)) << declared.name;
    }
    // Results travel as JSON text: everything in them is valid UTF-8.
    EXPECT_NO_THROW((void)result->dump());
  }
  return result;
}

inline Result<Json> run(const actors::OperatorRegistry& registry, std::string_view name,
                        Json arguments) {
  MemoryContext context;
  return run(registry, name, std::move(arguments), context);
}

// The same for an operator of a family.
using AddOperators = void (*)(actors::OperatorRegistry&);

inline Result<Json> run(AddOperators add, std::string_view name, Json arguments,
                        actors::OperatorContext& context) {
  actors::OperatorRegistry registry;
  add(registry);
  return run(registry, name, std::move(arguments), context);
}

inline Result<Json> run(AddOperators add, std::string_view name, Json arguments) {
  MemoryContext context;
  return run(add, name, std::move(arguments), context);
}

// The result, or an empty object and a failed test.
inline Json must(Result<Json> result) {
  if (result) return std::move(*result);
  ADD_FAILURE() << to_string(result.error());
  return Json::object();
}

}  // namespace symphony::extensions::testing
