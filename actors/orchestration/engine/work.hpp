// The words in which the parts of the engine speak of a run's nodes.
//
// A run's nodes are numbered as the DAG tracker numbers them: those of the plan first, as written,
// then the children of mapped nodes, each node's in a row.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/orchestration/melody/binding.hpp"
#include "actors/run/run_state.hpp"
#include "messages/dag.capnp.h"
#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::actors {

// A node or child that is ready to be executed.
struct WorkItem {
  NodeId node = 0;
  NodeIndex of = 0;                    // the node of the melody; the node itself unless a child
  std::optional<std::uint32_t> index;  // of a child among its siblings
  std::uint32_t attempt = 0;           // its number (run_state.hpp)
};

// What became of one attempt.
struct NodeReport {
  WorkItem item;
  messages::Outcome outcome = messages::Outcome::SUCCEEDED;
  std::uint32_t children = 0;         // of an expanded node
  std::string text;                   // of a result that is small enough to travel with it
  std::string digest;                 // else where it is stored
  std::shared_ptr<const Json> value;  // the result
  std::optional<Error> error;         // of a failed node; retryable: another attempt may help
  std::int64_t started_ns = 0;        // Unix time
  std::uint64_t duration_us = 0;
  bool executed = false;        // its operator ran
  std::uint64_t artifacts = 0;  // stored by it
  std::uint64_t artifact_bytes = 0;
  // What the run's state made of it.
  NodeId first_child = 0;         // of an expanded node
  bool retrying = false;          // it failed, and there will be another attempt
  std::vector<EndedNode> others;  // ended because of it: were skipped, or joined their children
  std::uint64_t first_event = 0;  // of those that tell of it

  // About how much memory it takes until the DAG tracker has it.
  std::size_t size_bytes() const noexcept { return sizeof *this + text.size(); }
};

}  // namespace symphony::actors
