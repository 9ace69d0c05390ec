// What every built-in operator is made of: terse specs, checked arguments, polling.
//
// An operator is a function from checked arguments to a JSON object; `make_operator` joins it with
// its spec. The reader collects the first complaint instead of returning at each argument:
//
//   Result<Json> chunk(ArgumentReader& args, actors::OperatorContext& context) {
//     const Json& items = args.list("list");
//     const auto size = args.integer("size", 1, kMaxListItems);
//     if (auto status = args.status(); !status) return status.error();
//     ...
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions {

// Limits shared by all operators.
inline constexpr std::int64_t kMaxListItems = 2'000'000;         // of one argument or result
inline constexpr std::int64_t kMaxFileBytes = 64 * 1024 * 1024;  // of a file held in memory at once
inline constexpr std::int64_t kMaxResultBytes = 64 * 1024 * 1024;  // of one text result
inline constexpr std::size_t kMaxSkippedListed = 10'000;           // entries of a `skipped` list

actors::ArgumentSpec required(std::string name, actors::ValueType type, std::string summary);
actors::ArgumentSpec optional(std::string name, actors::ValueType type, Json default_value,
                              std::string summary);
actors::ResultSpec result(std::string name, actors::ValueType type, std::string summary);

// Reads the arguments of one call. What is absent takes the spec's default; a wrong type or range
// is remembered (first one wins) and a harmless value returned: ask status() before using any.
// Relative paths start in `directory`, the run's (empty: in the process's own).
// REQUIRES: `values` is an object and outlives the reader; names asked for are in the spec.
class ArgumentReader {
 public:
  ArgumentReader(const actors::OperatorSpec& spec, const Json& values, std::string directory = {});

  bool has(std::string_view name) const;  // given (or defaulted) and not null
  const Json& any(std::string_view name) const;
  const Json& list(std::string_view name);    // an empty list when absent
  const Json& object(std::string_view name);  // an empty object when absent
  const std::string& text(std::string_view name);
  // One of `choices`.
  const std::string& choice(std::string_view name, std::initializer_list<std::string_view> choices);
  // Raw bytes, decoded from path-text; empty when nothing is given.
  std::string path(std::string_view name);
  // The same, but the run's directory when nothing is given.
  std::string root(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  double number(std::string_view name);
  bool flag(std::string_view name);
  std::vector<std::string> texts(std::string_view name);  // a list of text
  // A list of path-text, or of objects with a `path`, as raw bytes; relative ones as they are.
  std::vector<std::string> paths(std::string_view name);
  // The same, with relative ones in the run's directory.
  std::vector<std::string> full_paths(std::string_view name);

  Status status() const;
  // Remembers a complaint about an argument.
  void fail(std::string_view field, std::string message);

 private:
  const actors::OperatorSpec& spec_;
  const Json& values_;
  const std::string directory_;
  std::optional<Error> error_;
};

using OperatorFunction = Result<Json> (*)(ArgumentReader&, actors::OperatorContext&);

std::unique_ptr<actors::Operator> make_operator(actors::OperatorSpec spec,
                                                OperatorFunction function);

// Asks a context now and then whether to go on: cheap enough for every element of a loop.
class Poller {
 public:
  // Asks the context at every `stride`-th call.
  explicit Poller(actors::OperatorContext& context, std::uint32_t stride = 64)
      : context_(context), stride_(stride) {}
  // Errc::CANCELLED once the run is cancelled or out of time.
  Status check() {
    if (++calls_ % stride_ != 0) return {};
    return check_now();
  }
  Status check_now();

 private:
  actors::OperatorContext& context_;
  std::uint32_t stride_;
  std::uint32_t calls_ = 0;
};

// Files an operator left out, as a result: a list of {path, reason}, at most kMaxSkippedListed
// long; what is beyond is counted.
class SkippedFiles {
 public:
  void add(std::string_view raw_path, std::string reason);
  std::size_t count() const noexcept { return count_; }
  Json take() { return std::move(list_); }

 private:
  Json list_ = Json::array();
  std::size_t count_ = 0;
};

// An error of this operator's making, in one line.
Error invalid(std::string message, std::string field = {});

}  // namespace symphony::extensions
