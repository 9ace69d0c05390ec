// What the engine is made with. The composition root fills it in; the limits have sane defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "actors/orchestration/engine/run_core.hpp"
#include "actors/orchestration/engine/worker_slots.hpp"
#include "actors/orchestration/melody/environment.hpp"
#include "actors/orchestration/operator.hpp"
#include "messages/ref.hpp"
#include "runtime/blocking/blocking.hpp"

namespace symphony::actors {

struct EngineOptions {
  // All three must outlive the node's actors and the threads of `workers`.
  const OperatorRegistry* operators = nullptr;  // REQUIRES: set
  WaitingAsker* asker = nullptr;                // for threads; REQUIRES: set, thread-safe
  // Threads that execute nodes: as many as the node has cores and `slots_lost_max` more. Not the
  // pool that other components use, since operators wait for those. Null: the node's pool, which
  // is for tests only.
  runtime::Blocking* workers = nullptr;
  // Starts programs for operators; outlives the threads of `workers`. Null: none of them does.
  runtime::ForkServer* fork_server = nullptr;
  std::string host;         // the value of ${run.host}
  Environment environment;  // the node's own, for runs that have no caller
  bool resume_runs = true;  // go on, when starting, with runs that a crash interrupted

  SlotLimits slots = {};
  RunCoreLimits core = {};
  std::size_t result_bytes_max = std::size_t{64} << 20;  // of one run's results, in memory
  // Reports that the DAG tracker has not taken: with more, no node is started.
  std::size_t unreported_bytes_max = std::size_t{16} << 20;
  // How often a worker yields its core, waiting for more, before its slot goes back: some ten
  // microseconds.
  std::uint32_t linger_yields = 100;
  std::size_t runs_max = 64;              // at a time
  std::size_t ended_runs_max = 32;        // still to be asked about
  std::size_t attachments_max = 10'000;   // clients that wait for the end of what they started
  std::size_t feed_changes_max = 1'000;   // of the feed of runs, held for readers
  std::size_t feed_readers_max = 1'000;   // that wait for the next one
  std::size_t event_waiters_max = 1'000;  // of one run
  // In a row, of a run that crashes keep interrupting before any of its nodes ends.
  std::uint32_t resumptions_max = 5;
  std::size_t slots_lost_max = 8;                  // threads that may be stuck in operators
  std::chrono::milliseconds timeout_grace{5'000};  // from a node's timeout until it is abandoned
  std::chrono::milliseconds cancel_grace{10'000};  // from a run's cancellation
};

}  // namespace symphony::actors
