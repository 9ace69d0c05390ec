// What operator tests share: a context that remembers, a directory that cleans up, one-line runs.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/operator.hpp"
#include "extensions/operators/operators.hpp"

namespace symphony::extensions::testing {

class MemoryContext final : public actors::OperatorContext {
 public:
  bool cancelled() const noexcept override {
    return cancelled_.load() || polls_left_.fetch_sub(1) <= 0;
  }
  std::chrono::steady_clock::time_point deadline() const noexcept override { return deadline_; }
  int cores() const noexcept override { return 2; }
  void progress(double done, double total) override {
    const std::lock_guard lock(mutex_);
    last_done_ = done;
    last_total_ = total;
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

  std::vector<actors::ArtifactDraft> stored;
  int batches = 0;

 private:
  std::mutex mutex_;
  std::atomic<bool> cancelled_ = false;
  mutable std::atomic<int> polls_left_ = 1'000'000'000;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  double last_done_ = 0;
  double last_total_ = 0;
};

class TempDir {
 public:
  TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "symphony-test-XXXXXX";
    if (!::mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
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
  std::string path_;
};

using AddOperators = void (*)(actors::OperatorRegistry&);

// Runs one operator of a family as the engine would: with every default filled in.
inline Result<Json> run(AddOperators add, std::string_view name, Json arguments,
                        actors::OperatorContext& context) {
  actors::OperatorRegistry registry;
  add(registry);
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

inline Result<Json> run(AddOperators add, std::string_view name, Json arguments) {
  MemoryContext context;
  return run(add, name, std::move(arguments), context);
}

// The result, or null and a failed test.
inline Json must(Result<Json> result) {
  if (result) return std::move(*result);
  ADD_FAILURE() << to_string(result.error());
  return nullptr;
}

}  // namespace symphony::extensions::testing
