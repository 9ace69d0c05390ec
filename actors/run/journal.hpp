// What is written down of a run, so that its state can be rebuilt.
//
// One record is one input of RunState. Write ahead: make the record durable, then apply it.
// Encoded form, all integers LEB128 varints (signed ones zigzag), ids as differences to the one
// before:
//
//   u8 version (2) | u8 kind | varint now_us | body | u32 CRC-32C of all before, little-endian
//
//   started: node count of the plan      running: count, ids
//   completed: count, (id, u8 kind | 0x80 if retryable, children if expanded, duration in µs)…
//   advanced, cancelled, abandoned: nothing         resumed: u8 again
//
// Version 1 lacks the durations and `abandoned`; it is read as if all durations were 0.
//
// A no-op node costs about 5 bytes. Results of nodes are not in here: the owner of the journal
// keeps them beside it, in the same transaction. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/run/run_state.hpp"
#include "messages/result.hpp"

namespace symphony::actors {

inline constexpr std::uint8_t kJournalVersion = 2;

enum class RecordKind : std::uint8_t {
  started,
  running,
  completed,
  advanced,
  cancelled,
  resumed,
  abandoned
};

struct JournalRecord {
  RecordKind kind = RecordKind::started;
  std::int64_t now_us = 0;
  std::uint32_t node_count = 0;            // started: static nodes of the plan
  std::vector<NodeId> nodes = {};          // running
  std::vector<NodeOutcome> outcomes = {};  // completed
  bool again = false;                      // resumed
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

// The checksum of journals: Castagnoli's polynomial (RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

std::string encode(const JournalRecord& record);

// DATA_CORRUPT for anything that `encode` did not write, UNIMPLEMENTED for what a newer program
// wrote: another version, or a kind of record or outcome that is not known here. Never reads past
// the end; memory taken is bounded by the size of the input.
Result<JournalRecord> decode_record(std::string_view bytes);

// Gives the record to the state; what became ready comes back. FAILED_PRECONDITION when it does
// not fit the state, for example because the plan is another one than the record was made with.
Result<std::vector<NodeId>> apply(RunState& state, const JournalRecord& record);

}  // namespace symphony::actors
