// What a melody's node runs: the interface between the engine and every operator.
//
// An operator is a pure description (`OperatorSpec`, from which melodies are checked and help is
// printed) and a blocking function over JSON values. The engine calls `run` on a thread of the
// blocking pool, several at once on the same object: operators hold no mutable state.
// Implementations live in extensions/operators/ and reach the engine through an
// `OperatorRegistry` that the composition root fills.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::runtime {
class ForkServer;
enum class OutputStream : std::uint8_t;
}  // namespace symphony::runtime

namespace symphony::actors {

// The type of an argument or a result. `path` is text that names a file: bytes that are not
// UTF-8 travel escaped (runtime/text/path_text.hpp). `list` and `object` hold anything.
enum class ValueType { any, text, path, integer, number, boolean, list, object };

std::string_view to_string(ValueType type) noexcept;

// Whether `value` may stand where `type` is asked for (an integer is a number; a path is text).
bool is_of_type(const Json& value, ValueType type) noexcept;

struct ArgumentSpec {
  std::string name;
  ValueType type = ValueType::any;
  bool required = false;
  Json default_value = nullptr;  // what `run` sees when a melody leaves it out (null: absent)
  std::string summary;           // one line, with units
};

struct ResultSpec {
  std::string name;
  ValueType type = ValueType::any;
  std::string summary;
};

struct OperatorSpec {
  std::string name;     // "file.glob": family, dot, verb
  std::string summary;  // one line
  std::vector<ArgumentSpec> arguments;
  std::vector<ResultSpec> results;  // the keys of the object that `run` returns
  // Whether equal arguments always give an equal result and nothing else happens.
  bool pure = false;
};

// Bytes to be kept in the artifact store.
struct ArtifactDraft {
  std::string content;
  std::string name = {};        // versioned name; empty: content only
  std::string media_type = {};  // empty: application/octet-stream
};

// What a running operator may ask of its surroundings. Thread-safe.
class OperatorContext {
 public:
  virtual ~OperatorContext() = default;

  // True once the run was cancelled or the node's deadline has passed: return
  // Errc::CANCELLED soon (poll at least every 50 ms of work).
  virtual bool cancelled() const noexcept = 0;
  virtual std::chrono::steady_clock::time_point deadline() const noexcept = 0;
  // Cores granted to this node by arbitration, at least 1.
  virtual int cores() const noexcept = 0;
  // Where relative paths of the run start: the directory of whoever started it, absolute, as bytes.
  // Empty: the process's own (in tests).
  virtual const std::string& directory() const noexcept = 0;
  // All that programs started for this node see, as NAME=value, sorted. It holds secrets: for no
  // log, error or result.
  virtual std::vector<std::string> environment() const = 0;
  // cancelled(), and nobody waits for an orderly end: kill what was started at once.
  virtual bool hurried() const noexcept = 0;
  // How far this node is, for the progress display. `total` 0: unknown. From any thread.
  virtual void progress(double done, double total) = 0;
  // Which node of which run this is: equal for each of its attempts, and for nothing else.
  virtual std::string name() const = 0;
  // Starts programs (runtime/process/process.hpp).
  virtual runtime::ForkServer& fork_server() = 0;
  // What a program prints that runs for this node, as it comes. One thread at a time.
  virtual void output(runtime::OutputStream stream, std::string_view bytes) = 0;
  // Stores all drafts in one durable transaction; their SHA-256 digests (lower-case hex) in order.
  virtual Result<std::vector<std::string>> store(std::span<const ArtifactDraft> drafts) = 0;
  // The content of a stored artifact by digest.
  virtual Result<std::string> load(std::string_view digest) = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;
  virtual const OperatorSpec& spec() const noexcept = 0;
  // `arguments` is an object that was checked against spec() and holds every default.
  // Returns an object with the keys that spec().results names.
  virtual Result<Json> run(const Json& arguments, OperatorContext& context) const = 0;
};

// All operators a node knows, by name. Filled once by the composition root, then read-only.
class OperatorRegistry {
 public:
  // REQUIRES: no operator of that name was added before.
  void add(std::unique_ptr<Operator> op);
  const Operator* find(std::string_view name) const;
  std::vector<std::string> names() const;  // sorted

 private:
  std::map<std::string, std::unique_ptr<Operator>, std::less<>> operators_;
};

}  // namespace symphony::actors
