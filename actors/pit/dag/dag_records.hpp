// What the journal of runs keeps on disk, and how. Integers big-endian, "text" is a 4-byte length
// and bytes. dag.format holds under "format" the u8 of the whole, which is 2.
//
//   database       key                        value
//   dag.runs       run                        u8 version (3), u64 next sequence, u8 status, 7 u32
//                                             nodes in each status, i64 started (ns), i64 updated
//                                             (us), u32 resumptions, text melody, text melody's
//                                             version, u32 fruitless resumptions (from version 2),
//                                             text why the run as a whole failed (from version 3)
//   dag.plans      run                        u8 version (1), u32 CRC-32C of the rest, the words of
//                                             the CreateRunRequest in one segment
//   dag.starts     u64 started (ns), run      nothing: an index
//   dag.unfinished u64 started (ns), run      nothing: an index of the runs that have not ended
//   dag.erased     run                        nothing: what is left of it in the two below is to go
//   dag.journal    run, 0x00, u64 sequence    u8 version (1), u32 CRC-32C of the rest, entries
//   dag.results    run, 0x00, u32 node        u8 version (1), u32 CRC-32C of the head, u32 its
//                                             size, the head; u32 CRC-32C of the JSON and the JSON,
//                                             when there is one
//
// An entry is an input of the run's state: 0x01, text with a JournalRecord
// (actors/run/journal.hpp). What became of a node is written in the transaction of the input that
// reports it. Its head: u8 what follows, and of that: text digest; u32 code with text message, text
// field and u8 retryable; i64 started (ns) with u64 duration (us).
//
// Runs whose summary has version 1 or 2 kept what became of nodes in the journal, as entries right
// after the input: 0x02, u32 node, u8 what follows, and of that text JSON, and the head as above.
// They are brought over when they are first read (DagStore::modernise).
//
// The sequence counts writes, not inputs: what is applied while a write is under way goes into the
// next one together. Thread-safe: pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/run/journal.hpp"
#include "actors/run/run_state.hpp"
#include "messages/dag.capnp.h"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony::actors {

inline constexpr std::string_view kRunsDatabase = "dag.runs";
inline constexpr std::string_view kPlansDatabase = "dag.plans";
inline constexpr std::string_view kStartsDatabase = "dag.starts";
inline constexpr std::string_view kUnfinishedDatabase = "dag.unfinished";
inline constexpr std::string_view kErasedDatabase = "dag.erased";
inline constexpr std::string_view kJournalDatabase = "dag.journal";
inline constexpr std::string_view kResultsDatabase = "dag.results";
inline constexpr std::string_view kFormatDatabase = "dag.format";
inline constexpr std::uint8_t kFormat = 2;

inline constexpr std::size_t kMaxRunIdBytes = 64;
inline constexpr std::size_t kMaxPlanBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxErrorBytes = std::size_t{16} << 10;  // of a node; cut beyond

// 1 to kMaxRunIdBytes letters, digits, '-', '_' and '.'. INVALID_ARGUMENT names `field`.
Status check_run_id(std::string_view run, std::string_view field);

struct RunSummary {
  std::uint64_t next_sequence = 0;
  RunStatus status = RunStatus::pending;
  RunProgress progress;
  std::int64_t started_ns = 0;
  std::int64_t updated_us = 0;
  std::uint32_t resumptions = 0;
  std::uint32_t fruitless_resumptions = 0;
  std::string melody;
  std::string version;
  std::string failure;  // why the run as a whole failed; cut to kMaxErrorBytes

  bool ended() const noexcept {
    return status != RunStatus::pending && status != RunStatus::running;
  }
};
std::string encode_summary(const RunSummary& summary);
Result<RunSummary> decode_summary(std::string_view bytes);
// Whether the run keeps its results in its journal, as the first two versions did.
bool is_old_summary(std::string_view bytes);

std::string start_key(std::int64_t started_ns, std::string_view run);
std::string_view run_of_start_key(std::string_view key);
std::string journal_key(std::string_view run, std::uint64_t sequence);
std::string result_key(std::string_view run, NodeId node);
// What all keys of a run in dag.journal and dag.results begin with.
std::string run_prefix(std::string_view run);

// RESOURCE_EXHAUSTED beyond kMaxPlanBytes.
Result<std::string> encode_plan(messages::CreateRunRequest::Reader plan);
Result<Msg<messages::CreateRunRequest>> decode_plan(std::string_view value);
// The graph and its nodes. INVALID_ARGUMENT with a field.
Result<RunPlan> make_plan(messages::CreateRunRequest::Reader plan);

struct NodeResultError {
  Errc code = Errc::INTERNAL;
  std::string_view message;
  std::string_view field;
  bool retryable = false;
};

// What is known of how a node ended. Views into what it was read from.
struct NodeResult {
  NodeId node = 0;
  std::string_view json;
  std::string_view digest;
  std::optional<NodeResultError> failure;
  std::int64_t started_ns = 0;
  std::uint64_t duration_us = 0;
};

// `brief`: without the JSON, which is then not even looked at.
Result<NodeResult> decode_result(NodeId node, std::string_view value, bool brief);
std::string encode_result(const NodeResult& result);

// A write in the making: inputs and results are appended, then it is sealed once.
class JournalWrite {
 public:
  JournalWrite();
  void append(const JournalRecord& record);
  void append(const NodeResult& result);

  bool empty() const noexcept { return bytes_.size() == kHeaderBytes; }
  std::size_t size_bytes() const noexcept { return bytes_.size() + result_bytes_; }
  // The value to be stored in dag.journal; the same each time.
  std::string_view seal();
  // Values for dag.results.
  const std::vector<std::pair<NodeId, std::string>>& results() const noexcept { return results_; }

 private:
  static constexpr std::size_t kHeaderBytes = 5;
  std::string bytes_;
  std::vector<std::pair<NodeId, std::string>> results_;
  std::size_t result_bytes_ = 0;
};

// A result as the message has it; views into the message.
NodeResult to_result(messages::NodeOutcome::Reader outcome);

// Hands the entries of one write in order to whoever wants them; the first error ends it.
// `on_result` is for writes of old runs.
Status read_journal_write(std::string_view value,
                          const std::function<Status(JournalRecord&&)>& on_input,
                          const std::function<Status(const NodeResult&)>& on_result = {});

// A write of an old run with its results taken out, and its inputs told the durations that were in
// them.
Result<JournalWrite> modern_form(std::string_view value);

}  // namespace symphony::actors
