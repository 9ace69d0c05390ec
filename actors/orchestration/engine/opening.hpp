// Melodies on their way to become runs: new ones, and those from the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/orchestration/engine/engine.hpp"

namespace symphony::actors {

inline unsigned count_of(const runtime::Problems& problems) {
  return static_cast<unsigned>(problems.end() - problems.begin());
}

inline std::string text_of(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

// A melody on its way to become a run.
struct Engine::Prepared {
  RunHeader header;
  std::vector<std::string> assignments;  // of a new run
  Environment caller;                    // what whoever starts or resumes it lends
  std::shared_ptr<RunFacts> facts;       // null when there are problems
  runtime::Problems problems;

  // Reads and checks everything; megabytes of melody are no work for an actor. `fresh`: inputs
  // come from the assignments, else from the journal.
  void load(const OperatorRegistry& operators, bool fresh);
};

// A run on its way from the journal into memory.
struct Engine::Opening {
  std::string id;
  bool again = false;
  std::optional<Call<protocol::Engine::Resume>> call;
  EngineRun::Waiters waiters;  // of its predecessor
  std::uint32_t tries = 0;     // that failed before
  bool at_start = false;       // it was unfinished when the engine started
  bool entered = false;        // holds the run's place in opening_
  Prepared prepared;
  std::shared_ptr<EngineRun> run;
  std::optional<RunState> state;
  Msg<messages::RunBatchResponse> batch;
};

}  // namespace symphony::actors
