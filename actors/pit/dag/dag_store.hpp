// The runs on disk: writing what was applied to them, and reading them back.
//
// Everything here blocks on storage: run it on a thread that may. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/dag/dag_records.hpp"
#include "actors/pit/dag/run_state.hpp"
#include "messages/result.hpp"
#include "runtime/storage/storage.hpp"

namespace symphony::actors {

// One write of one run.
struct RunWrite {
  std::string run;
  std::string plan = {};  // of a new run: what encode_plan gave
  RunSummary summary;     // as it is after this write
  JournalWrite journal;
};

// A run as it is on disk, in one transaction: results are views that live as long as this.
struct StoredRun {
  std::string run;
  RunSummary summary;
  Msg<messages::CreateRunRequest> plan;
  RunState state;
  std::vector<std::optional<NodeResult>> results;  // by node, when asked for
  runtime::ReadTxn txn;

  // "scan", a child "scan[17]".
  std::string node_name(NodeId node) const;
};

class DagStore {
 public:
  struct Databases {
    runtime::Database runs, plans, starts, journal;
  };

  // Opens its databases. `storage` must outlive the store.
  static Result<DagStore> open(runtime::Storage& storage);

  runtime::Storage& storage() const noexcept { return *storage_; }
  const Databases& databases() const noexcept { return databases_; }

  // Inside a StorageWriter's transaction. ALREADY_EXISTS for a new run that is there;
  // FAILED_PRECONDITION when the run's journal does not end right before this write: nothing
  // becomes durable after something that is missing, whoever writes.
  Status write(runtime::WriteTxn& txn, RunWrite& what) const;

  // NOT_FOUND, DATA_CORRUPT.
  Result<RunSummary> summary(std::string_view run) const;
  // The state is what the journal says. NOT_FOUND, DATA_CORRUPT.
  Result<StoredRun> load(std::string_view run, bool with_results) const;
  // The run with this id, or the only one whose id starts so. NOT_FOUND, INVALID_ARGUMENT.
  Result<std::string> find(std::string_view beginning) const;

 private:
  DagStore(runtime::Storage& storage, Databases databases)
      : storage_(&storage), databases_(databases) {}
  Status replay(StoredRun& stored, bool with_results) const;

  runtime::Storage* storage_;
  Databases databases_;
};

// The longest path through a run by the durations known so far. A mapped node takes its own time
// and that of its longest child, which follows it in `nodes`. REQUIRES: loaded with results.
CriticalPath measured_critical_path(const StoredRun& run);

}  // namespace symphony::actors
