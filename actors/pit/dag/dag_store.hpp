// The runs on disk: writing what was applied to them, and reading them back.
//
// What a node gave lies beside the journal, by run and node: reading a page of results costs what
// the page shows, and a run is taken up from its inputs alone, whatever its nodes gave.
//
// Everything here blocks on storage: run it on a thread that may. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/dag/dag_records.hpp"
#include "actors/run/run_state.hpp"
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

// A run as it was on disk in one transaction.
struct StoredRun {
  std::string run;
  RunSummary summary;
  Msg<messages::CreateRunRequest> plan;
  RunState state;
  std::uint64_t sequence = 0;  // writes that are in the state

  // "scan", a child "scan[17]".
  std::string node_name(NodeId node) const;
};

class DagStore {
 public:
  struct Databases {
    runtime::Database runs, plans, starts, unfinished, erased, journal, results;
  };
  // Entries of an erased run that go in one transaction.
  static constexpr std::size_t kErasedAtOnce = 2000;
  // Of old results, moved in one transaction.
  static constexpr std::size_t kModerniseBytes = std::size_t{64} << 20;

  // Opens its databases, and makes the index of unfinished runs when an older program left none.
  // `storage` must outlive the store. UNIMPLEMENTED for what a newer program wrote.
  static Result<DagStore> open(runtime::Storage& storage);

  runtime::Storage& storage() const noexcept { return *storage_; }
  const Databases& databases() const noexcept { return databases_; }

  // Inside a StorageWriter's transaction. ALREADY_EXISTS for a new run that is there;
  // FAILED_PRECONDITION when the run's journal does not end right before this write: nothing
  // becomes durable after something that is missing, whoever writes.
  Status write(runtime::WriteTxn& txn, RunWrite& what) const;

  // Inside a transaction: from here on there is no such run. NOT_FOUND.
  Status begin_erase(runtime::WriteTxn& txn, std::string_view run) const;
  // Inside a transaction: lets go of at most kErasedAtOnce entries of a run for which that was
  // called. True when nothing is left.
  Result<bool> erase_some(runtime::WriteTxn& txn, std::string_view run) const;
  // Runs of which something may be left.
  Result<std::vector<std::string>> half_erased() const;

  // NOT_FOUND, DATA_CORRUPT.
  Result<RunSummary> summary(std::string_view run) const;
  // Moves what an older program left of the run's results to where they are looked for, and knows
  // when there is nothing to do. To be called before the run is loaded or its results are read.
  Status modernise(std::string_view run) const;
  // The state is what the journal says in this transaction. NOT_FOUND, DATA_CORRUPT.
  Result<StoredRun> load(const runtime::ReadTxn& txn, std::string_view run) const;
  // Applies what was written since. False when the run is another than the one that was loaded.
  Result<bool> catch_up(const runtime::ReadTxn& txn, StoredRun& stored) const;
  // What is known of a node; nothing when it has not ended. `brief`: without its JSON. Views live
  // as long as the transaction.
  Result<std::optional<NodeResult>> result(const runtime::ReadTxn& txn, std::string_view run,
                                           NodeId node, bool brief) const;
  // The run with this id, or the only one whose id starts so. NOT_FOUND, INVALID_ARGUMENT.
  Result<std::string> find(std::string_view beginning) const;

 private:
  DagStore(runtime::Storage& storage, Databases databases)
      : storage_(&storage), databases_(databases) {}
  Status check_sequence(const runtime::WriteTxn& txn, const RunWrite& what,
                        std::optional<std::string_view> before) const;
  Status index(runtime::WriteTxn& txn, const RunWrite& what) const;
  Result<bool> modernise_some(std::string_view run, std::uint64_t& sequence) const;

  runtime::Storage* storage_;
  Databases databases_;
};

}  // namespace symphony::actors
