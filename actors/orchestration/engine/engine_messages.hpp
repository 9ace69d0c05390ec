// The engine's values as messages, and back. Pure.
#pragma once

#include <string>
#include <vector>

#include "actors/orchestration/engine/run_core.hpp"
#include "actors/orchestration/melody/environment.hpp"
#include "actors/orchestration/melody/plan.hpp"
#include "messages/dag.capnp.h"
#include "messages/orchestration.capnp.h"
#include "runtime/settings/problems.hpp"

namespace symphony::actors {

// What identifies a run and makes it repeatable.
struct RunHeader {
  std::string run;
  std::string melody;
  std::string version;
  std::string file;
  std::string text;
  std::string inputs;  // JSON
  std::int64_t started_ns = 0;
  std::string host;
  std::string directory;
  std::uint32_t weight = 1;  // share against other runs
  bool attached = false;     // ends with its client
};

Environment read(capnp::List<messages::EnvironmentVariable>::Reader variables);

void write(messages::RunHead::Builder out, const RunHeader& header);
RunHeader read(messages::RunHead::Reader head);

// The plan as the DAG tracker wants it.
void write(messages::CreateRunRequest::Builder out, const Plan& plan, const RunHeader& header,
           const std::vector<double>& weights);
void write(messages::CompleteNodesRequest::Builder out, const std::string& run,
           const RunCore::Batch& batch);
// The same plan as the DAG tracker makes of it.
RunPlan run_plan(const Plan& plan, const std::vector<double>& weights);

void write(capnp::List<messages::Problem>::Builder out, const runtime::Problems& problems);
void write(messages::RunEvent::Builder out, const RunEvent& event, const RunCore& core);
void write(messages::RunProgress::Builder out, const RunProgress& progress);
void write_nodes(capnp::List<messages::MelodyNodeProgress>::Builder out, const Plan& plan,
                 const std::vector<MelodyNodeState>& states);

}  // namespace symphony::actors
