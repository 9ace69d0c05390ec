// A melody as its author wrote it: inputs, nodes and outputs, each with its place in the file.
//
// docs/melody-reference.md describes the format. Reading goes in steps, each pure:
//   parse_melody   text → Melody         syntax, keys, types of keys, references, conditions
//   check          Melody + operators → problems   what the parts say about each other (check.hpp)
//   compile        Melody → Plan         nodes by index (plan.hpp)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/orchestration/melody/binding.hpp"
#include "actors/orchestration/melody/condition.hpp"
#include "actors/orchestration/operator.hpp"
#include "runtime/settings/problems.hpp"
#include "runtime/settings/source_mark.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxMelodyBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxMelodyNodes = 100'000;
inline constexpr std::size_t kMaxMelodyFanOut = 1'000'000;  // children of one mapped node
inline constexpr std::size_t kMaxMelodyInputs = 1'000;
inline constexpr std::size_t kMaxMelodyOutputs = 1'000;
inline constexpr std::size_t kMaxMelodyVariables = 1'000;  // of one `env` or `pass_env`
inline constexpr std::size_t kMaxNameBytes = 128;          // of a melody, input, node or output
inline constexpr std::int64_t kMaxNodeAttempts = 1'000;
inline constexpr std::int64_t kMaxNodeBackoffMs = 86'400'000;   // a day
inline constexpr std::int64_t kMaxNodeTimeoutMs = 604'800'000;  // a week
inline constexpr std::int64_t kMaxNodeCores = 4'096;
inline constexpr std::int64_t kMaxNodeMemoryMb = 16'777'216;
inline constexpr std::int64_t kMaxNodePriority = 100;  // and its negative

struct MelodyInput {
  std::string name;
  ValueType type = ValueType::text;
  bool required = true;
  Json default_value = nullptr;
  std::string description;
  runtime::SourceMark mark;
};

struct NodeRetry {
  std::uint32_t attempts = 1;  // first try included
  std::uint32_t backoff_ms = 0;
  std::uint32_t max_backoff_ms = 60'000;
  friend bool operator==(const NodeRetry&, const NodeRetry&) = default;
};

// How a node is to be run; the same in a melody and in its plan.
struct NodePolicy {
  NodeRetry retry;
  std::uint32_t timeout_ms = 0;  // of one try; 0: none
  std::uint32_t cores = 1;
  std::uint64_t memory_mb = 0;
  std::int32_t priority = 0;  // higher first, among the nodes of one run
  friend bool operator==(const NodePolicy&, const NodePolicy&) = default;
};

struct MelodyArgument {
  std::string name;
  Binding value;
  runtime::SourceMark mark;  // of the name
};

struct MelodyNeed {
  std::string name;
  runtime::SourceMark mark;
};

// What programs are to see beyond what every run takes along (environment.hpp).
struct MelodyEnvironment {
  std::vector<std::pair<std::string, std::string>> set;  // `env`: name and value
  std::vector<MelodyNeed> passed;                        // `pass_env`: names
};

struct MelodyNode {
  std::string name;
  runtime::SourceMark mark;
  std::string use;  // empty when it is missing or no text, which is a problem already
  runtime::SourceMark use_mark;
  std::vector<MelodyArgument> arguments;
  std::vector<MelodyNeed> needs;
  std::optional<Binding> map;
  std::optional<Condition> when;
  runtime::SourceMark when_mark;
  NodePolicy policy;
  MelodyEnvironment environment;
  // Arguments that could not be read; they count as given.
  std::vector<std::string> broken_arguments;
};

struct MelodyOutput {
  std::string name;
  Binding value;
  runtime::SourceMark mark;
};

struct Melody {
  std::string name;
  std::string version;
  std::string description;
  runtime::SourceMark mark;  // of the whole file
  std::vector<MelodyInput> inputs;
  std::vector<MelodyNode> nodes;
  std::vector<MelodyOutput> outputs;
  MelodyEnvironment environment;  // of all nodes
};

// Whatever could be read, and everything that is wrong with the text. With problems the melody
// is only good for finding more of them.
struct ParsedMelody {
  Melody melody;
  runtime::Problems problems;
};

// `file` is what problems call the text.
ParsedMelody parse_melody(std::string_view text, std::string_view file);

// Whether `name` may name a melody, input, node or output: letters, digits, _ and -, first a
// letter or _.
bool is_melody_name(std::string_view name) noexcept;

// "text" → ValueType::text; nothing for an unknown word.
std::optional<ValueType> value_type_named(std::string_view name) noexcept;

}  // namespace symphony::actors
