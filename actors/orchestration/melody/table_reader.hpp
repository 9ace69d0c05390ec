// Reads the keys of one TOML table and notes what is wrong with them, each problem with its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/melody/binding.hpp"
#include "runtime/settings/problems.hpp"
#include "runtime/settings/value.hpp"

namespace symphony::actors {

// A value with references. What cannot be read is a problem each, and literal in the result.
Binding read_binding(const runtime::Value& value, const std::string& path,
                     runtime::Problems& problems);

// REQUIRES: `table` and `problems` live as long as the reader. Not thread-safe.
class TableReader {
 public:
  // `table` must be an object; `path` is empty for the whole file.
  TableReader(const runtime::Value& table, std::string path, runtime::Problems& problems);

  // Each returns nothing when the key is absent, or, after noting a problem, of another type.
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  const runtime::ValueObject* table(std::string_view key);
  const runtime::Value* list(std::string_view key);
  const runtime::Value* value(std::string_view key);

  bool has(std::string_view key) const;
  bool is_text(std::string_view key) const;
  // Of the value, or of the table when the key is absent.
  runtime::SourceMark mark(std::string_view key) const;

  void problem(std::string_view key, std::string message);
  void missing(std::string_view key, std::string_view what_to_do);
  // Every key that none of the calls above asked for.
  void refuse_unknown_keys();

 private:
  const runtime::Value& table_;
  std::string path_;
  runtime::Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace symphony::actors
