// The Pit, as seen from a thread that executes nodes: storing and loading artifacts, reading
// results back.
//
// Blocking; belongs to one thread. Every call has a deadline: the caller's, or kAskTimeout when
// that is later. Errors are those of the components that are asked, DEADLINE_EXCEEDED among them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/engine/work.hpp"
#include "actors/orchestration/operator.hpp"
#include "messages/artifacts.protocol.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/ref.hpp"

namespace symphony::actors {

// A result as the journal has it.
struct JournalledResult {
  messages::NodeStatus status = messages::NodeStatus::WAITING;
  std::string text;    // JSON
  std::string digest;  // or where it is stored
};

class PitClient {
 public:
  static constexpr std::chrono::seconds kAskTimeout{60};
  // Contents up to this size are put together, larger ones in parts.
  static constexpr std::size_t kSmallBytes = std::size_t{256} << 10;
  static constexpr std::size_t kPutBytesMax = std::size_t{4} << 20;
  static constexpr std::size_t kPutDraftsMax = 256;
  static constexpr std::size_t kLoadBytesMax = std::size_t{256} << 20;
  static constexpr std::uint32_t kResultsPageMax = 1'000;

  PitClient(WaitingAsker& asker, std::string run) : asker_(asker), run_(std::move(run)) {}

  // Digests in the order of the drafts, once all of them are durable.
  Result<std::vector<std::string>> store(std::span<const ArtifactDraft> drafts,
                                         std::string_view node,
                                         std::span<const std::string> parents, Deadline by);
  Result<std::string> load(std::string_view digest, Deadline by);
  // Of nodes `first`, first + 1, …: at least one, at most `count`.
  Result<std::vector<JournalledResult>> results(NodeId first, std::uint32_t count, Deadline by);

 private:
  Deadline limited(Deadline by) const;
  Status put(std::span<const ArtifactDraft> drafts, std::span<const std::size_t> which,
             std::string_view node, std::span<const std::string> parents, Deadline by,
             std::vector<std::string>& digests);
  Result<std::string> upload(const ArtifactDraft& draft, std::string_view node,
                             std::span<const std::string> parents, Deadline by);
  WaitingRef<protocol::Artifacts>& artifacts();

  WaitingAsker& asker_;
  const std::string run_;
  std::optional<WaitingRef<protocol::Artifacts>> artifacts_;
};

}  // namespace symphony::actors
