// Answers about runs that are made from what is on disk. All block on storage; thread-safe.
#pragma once

#include "actors/pit/dag/run_images.hpp"
#include "messages/dag.capnp.h"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony::actors {

inline constexpr std::uint32_t kResultsPageDefault = 1'000;  // rows
inline constexpr std::uint32_t kResultsPageMax = 10'000;
inline constexpr std::size_t kResultsPageBytes = std::size_t{8} << 20;  // one row is always given
inline constexpr std::uint32_t kListPageDefault = 50;
inline constexpr std::uint32_t kListPageMax = 1'000;

// Each gives the words of the method's response.
Result<Words> results_view(RunImages& images, messages::NodeResultsRequest::Reader request);
Result<Words> list_view(RunImages& images, messages::ListRunsRequest::Reader request);
Result<Words> show_view(RunImages& images, messages::ShowRunRequest::Reader request);

void write_progress(messages::RunProgress::Builder out, const RunProgress& progress);
inline messages::RunStatus as_message(RunStatus status) {
  return static_cast<messages::RunStatus>(status);
}

}  // namespace symphony::actors
