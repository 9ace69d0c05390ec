// Executing one node: condition, list or arguments from what came before, then the operator.
//
// Runs on whatever thread has a worker slot. Results that are not in memory are read from the Pit,
// where they are; a result too large to travel in messages is stored before it is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/orchestration/engine/pit_client.hpp"
#include "actors/orchestration/engine/result_store.hpp"
#include "actors/orchestration/engine/work.hpp"
#include "actors/orchestration/melody/environment.hpp"
#include "actors/orchestration/melody/plan.hpp"
#include "actors/orchestration/operator.hpp"

namespace symphony::actors {

inline constexpr std::size_t kInlineResultBytes = std::size_t{64} << 10;

// What all nodes of a run have in common. Immutable once the run has started.
struct RunFacts {
  std::string id;
  Plan plan;
  Json inputs;
  std::string started;  // ISO 8601, UTC
  std::string host;
  std::string directory;    // where relative paths start, as bytes; empty: the process's own
  Environment environment;  // what the run has of its caller's: never journalled
  std::vector<const Operator*> operators;  // of each node of the plan
  std::vector<double> expected_us;         // how long each may take, as far as that is known
};

// "2026-01-31T09:05:00Z".
std::string iso8601_utc(std::int64_t unix_ns);

// The results that evaluation asks for; keeps what it handed out alive.
class ResultReader {
 public:
  ResultReader(ResultStore& store, PitClient& pit, Deadline by)
      : store_(store), pit_(pit), by_(by) {}

  // More than this of all children of a mapped node is refused as one list: RESOURCE_EXHAUSTED.
  static constexpr std::size_t kListBytesMax = std::size_t{256} << 20;

  // Of a node that has ended, as RunScope::results, ::children and ::child have it.
  const Json* of(NodeIndex node);
  std::optional<std::uint64_t> children_of(NodeIndex node) const;
  const Json* of_child(NodeIndex node, std::uint64_t position);
  // Why a result could not be read; evaluation saw null instead.
  const std::optional<Error>& error() const noexcept { return error_; }

 private:
  const Json* keep(ResultStore::Value value);
  ResultStore::Value find_or_load(NodeId node);
  ResultStore::Value load(NodeId node);
  ResultStore::Value take(NodeId node, JournalledResult row);
  ResultStore::Value list_of(NodeIndex node, ResultStore::Children children);

  ResultStore& store_;
  PitClient& pit_;
  const Deadline by_;
  std::vector<ResultStore::Value> kept_;
  std::optional<Error> error_;
};

// The report lacks its times, which are the caller's. Never throws.
NodeReport execute_node(const RunFacts& run, ResultStore& store, PitClient& pit,
                        const WorkItem& item, OperatorContext& context);

// The outputs of a run that succeeded, an object.
Result<Json> outputs_of(const RunFacts& run, ResultStore& store, PitClient& pit);

}  // namespace symphony::actors
