// What the engine is made with. The composition root fills it in; the limits have sane defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "actors/orchestration/engine/lane_book.hpp"
#include "actors/orchestration/engine/run_core.hpp"
#include "actors/orchestration/operator.hpp"
#include "messages/ref.hpp"
#include "runtime/blocking/blocking.hpp"

namespace symphony::actors {

struct EngineOptions {
  // All three must outlive the node's actors and the threads of `workers`.
  const OperatorRegistry* operators = nullptr;  // REQUIRES: set
  Asker* asker = nullptr;                       // for threads; REQUIRES: set, thread-safe
  // Threads that execute nodes: as many as the node has cores and `lanes_lost_max` more. Not the
  // pool that other components use, since operators wait for those. Null: the node's pool, which
  // is for tests only.
  runtime::Blocking* workers = nullptr;
  std::string host;          // the value of ${run.host}
  bool take_up_runs = true;  // go on, when starting, with runs that a crash interrupted

  LaneLimits lanes = {};
  RunCoreLimits core = {};
  std::size_t result_bytes_max = std::size_t{256} << 20;  // of one run's results, in memory
  // How often a lane yields its core, waiting for more, before it is given up: some ten
  // microseconds.
  std::uint32_t linger_yields = 100;
  std::size_t runs_max = 64;              // at a time
  std::size_t ended_runs_max = 32;        // still to be asked about
  std::size_t event_waiters_max = 1'000;  // of one run
  // In a row, of a run that crashes keep interrupting before any of its nodes ends.
  std::uint32_t resumptions_max = 5;
  std::size_t lanes_lost_max = 8;                  // threads that may be stuck in operators
  std::chrono::milliseconds timeout_grace{5'000};  // from a node's timeout until it is given up
  std::chrono::milliseconds cancel_grace{10'000};  // from a run's cancellation
};

}  // namespace symphony::actors
