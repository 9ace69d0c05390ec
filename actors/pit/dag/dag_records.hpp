// What the journal of runs keeps on disk, and how. Version 1 of every record, 2 of those of
// dag.runs; integers big-endian, "text" is a 4-byte length and bytes.
//
//   database     key                        value
//   dag.runs     run                        u8 version, u64 next sequence, u8 status, 7 u32 nodes
//   in
//                                           each status, i64 started (ns), i64 updated (us),
//                                           u32 resumptions, text melody, text melody's version,
//                                           u32 fruitless resumptions (not in version 1)
//   dag.plans    run                        u8 version, u32 CRC-32C of the rest, the words of the
//                                           CreateRunRequest in one segment
//   dag.starts   u64 started (ns), run      nothing: an index
//   dag.journal  run, 0x00, u64 sequence    u8 version, u32 CRC-32C of the rest, entries
//
// An entry is an input of the run's state, or what became of one node; results come right after
// the input that reports them, so that both are durable together:
//
//   0x01 text      a JournalRecord (journal.hpp)
//   0x02 u32 node  u8 what follows, and of that: text JSON, text digest, u32 code with text message
//                  and text field and u8 retryable, i64 started (ns) with u64 duration (us)
//
// The sequence counts writes, not inputs: what is applied while a write is under way goes into the
// next one together. Thread-safe: pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "actors/pit/dag/journal.hpp"
#include "actors/pit/dag/run_state.hpp"
#include "messages/dag.capnp.h"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony::actors {

inline constexpr std::string_view kRunsDatabase = "dag.runs";
inline constexpr std::string_view kPlansDatabase = "dag.plans";
inline constexpr std::string_view kStartsDatabase = "dag.starts";
inline constexpr std::string_view kJournalDatabase = "dag.journal";

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
};
std::string encode_summary(const RunSummary& summary);
Result<RunSummary> decode_summary(std::string_view bytes);

std::string start_key(std::int64_t started_ns, std::string_view run);
std::string_view run_of_start_key(std::string_view key);
std::string journal_key(std::string_view run, std::uint64_t sequence);
std::string journal_prefix(std::string_view run);

// RESOURCE_EXHAUSTED beyond kMaxPlanBytes.
Result<std::string> encode_plan(messages::CreateRunRequest::Reader plan);
Result<Msg<messages::CreateRunRequest>> decode_plan(std::string_view value);
// The graph and its nodes. INVALID_ARGUMENT with a field.
Result<RunPlan> make_plan(messages::CreateRunRequest::Reader plan);

// What is known of how a node ended. Views into what it was read from.
struct NodeResult {
  NodeId node = 0;
  std::string_view json;
  std::string_view digest;
  struct Failure {
    Errc code = Errc::INTERNAL;
    std::string_view message;
    std::string_view field;
    bool retryable = false;
  };
  std::optional<Failure> failure;
  std::int64_t started_ns = 0;
  std::uint64_t duration_us = 0;
};

// A write in the making: entries are appended, then it is sealed once.
class JournalWrite {
 public:
  JournalWrite();
  void append(const JournalRecord& record);
  void append(messages::NodeOutcome::Reader outcome);

  bool empty() const noexcept { return bytes_.size() == kHeaderBytes; }
  std::size_t size_bytes() const noexcept { return bytes_.size(); }
  // The value to be stored; the same each time.
  std::string_view seal();

 private:
  static constexpr std::size_t kHeaderBytes = 5;
  std::string bytes_;
};

// Hands the entries of one write in order to whoever wants them; the first error ends it.
Status read_journal_write(std::string_view value,
                          const std::function<Status(const JournalRecord&)>& on_input,
                          const std::function<Status(const NodeResult&)>& on_result);

}  // namespace symphony::actors
