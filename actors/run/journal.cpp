#include "actors/run/journal.hpp"

#include <array>
#include <cstring>
#include <optional>

#include "actors/run/varint.hpp"

namespace symphony::actors {
namespace {

constexpr std::size_t kChecksumBytes = 4;
constexpr std::uint8_t kRetryable = 0x80;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

NodeOutcome read_outcome(VarintReader& in, NodeId before, bool with_duration) {
  NodeOutcome outcome;
  outcome.node = in.id_after(before);
  const std::uint8_t kind = in.byte();
  outcome.retryable = (kind & kRetryable) != 0;
  if ((kind & ~kRetryable) > static_cast<std::uint8_t>(OutcomeKind::cancelled)) in.meet_newer();
  outcome.kind = static_cast<OutcomeKind>(kind & ~kRetryable);
  if (outcome.kind == OutcomeKind::expanded) outcome.children = in.number_up_to(kMaxFanOut);
  if (with_duration) outcome.duration_us = in.varint();
  return outcome;
}

void read_body(VarintReader& in, std::uint8_t version, JournalRecord& record) {
  NodeId before = 0;
  switch (record.kind) {
    case RecordKind::started:
      record.node_count = in.number_up_to(kMaxRunNodes);
      return;
    case RecordKind::running: {
      const std::size_t count = in.count();
      record.nodes.reserve(count);
      for (std::size_t i = 0; i < count && !in.failed(); ++i) {
        record.nodes.push_back(before = in.id_after(before));
      }
      return;
    }
    case RecordKind::completed: {
      const std::size_t count = in.count();
      record.outcomes.reserve(count);
      for (std::size_t i = 0; i < count && !in.failed(); ++i) {
        record.outcomes.push_back(read_outcome(in, before, version >= 2));
        before = record.outcomes.back().node;
      }
      return;
    }
    case RecordKind::advanced:
    case RecordKind::cancelled:
    case RecordKind::abandoned:
      return;
    case RecordKind::resumed: {
      const std::uint8_t again = in.byte();
      if (again > 1) in.fail();
      record.again = again == 1;
      return;
    }
  }
}

Error newer(std::string_view what) {
  return Error{Errc::UNIMPLEMENTED, "a newer version of this program wrote " + std::string(what) +
                                        " into the journal; use that version"};
}

Error corrupt(std::string_view what) {
  return Error{Errc::DATA_CORRUPT, "a journal record is damaged: " + std::string(what)};
}

}  // namespace

namespace {

std::uint32_t crc_by_table(std::uint32_t crc, std::string_view bytes) {
  for (const char byte : bytes)
    crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xffU] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_by_instruction(std::uint32_t crc,
                                                                   std::string_view bytes) {
  std::uint64_t wide = crc;
  for (; bytes.size() >= sizeof wide; bytes.remove_prefix(sizeof wide)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (const char byte : bytes) crc = __builtin_ia32_crc32qi(crc, static_cast<std::uint8_t>(byte));
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~crc_by_instruction(0xffffffffU, bytes);
#endif
  return ~crc_by_table(0xffffffffU, bytes);
}

std::string encode(const JournalRecord& record) {
  std::string out;
  out.reserve(16 + record.nodes.size() * 3 + record.outcomes.size() * 6);
  out.push_back(static_cast<char>(kJournalVersion));
  out.push_back(static_cast<char>(record.kind));
  put_signed(out, record.now_us);
  std::int64_t before = 0;
  switch (record.kind) {
    case RecordKind::started:
      put_varint(out, record.node_count);
      break;
    case RecordKind::running:
      put_varint(out, record.nodes.size());
      for (const NodeId id : record.nodes) {
        put_signed(out, std::int64_t{id} - before);
        before = id;
      }
      break;
    case RecordKind::completed:
      put_varint(out, record.outcomes.size());
      for (const NodeOutcome& outcome : record.outcomes) {
        put_signed(out, std::int64_t{outcome.node} - before);
        before = outcome.node;
        out.push_back(static_cast<char>(static_cast<std::uint8_t>(outcome.kind) |
                                        (outcome.retryable ? kRetryable : 0)));
        if (outcome.kind == OutcomeKind::expanded) put_varint(out, outcome.children);
        put_varint(out, outcome.duration_us);
      }
      break;
    case RecordKind::advanced:
    case RecordKind::cancelled:
    case RecordKind::abandoned:
      break;
    case RecordKind::resumed:
      out.push_back(record.again ? 1 : 0);
      break;
  }
  const std::uint32_t checksum = crc32c(out);
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    out.push_back(static_cast<char>(checksum >> (8 * i)));
  }
  return out;
}

Result<JournalRecord> decode_record(std::string_view bytes) {
  if (bytes.size() < 2 + kChecksumBytes) return corrupt("it is too short");
  const std::string_view content = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::uint32_t checksum = 0;
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    checksum |= std::uint32_t{static_cast<std::uint8_t>(bytes[content.size() + i])} << (8 * i);
  }
  if (checksum != crc32c(content)) return corrupt("its checksum is wrong");
  VarintReader in(content);
  const std::uint8_t version = in.byte();
  if (version == 0) return corrupt("there is no version 0");
  if (version > kJournalVersion) return newer("a record of version " + std::to_string(version));
  const std::uint8_t kind = in.byte();
  if (kind > static_cast<std::uint8_t>(RecordKind::abandoned))
    return newer("a record of kind " + std::to_string(kind));
  JournalRecord record;
  record.kind = static_cast<RecordKind>(kind);
  record.now_us = in.signed_varint();
  read_body(in, version, record);
  if (in.met_newer()) return newer("an outcome of an unknown kind");
  if (in.failed()) return corrupt("its content does not fit its kind");
  if (!in.at_end()) return corrupt("something follows its end");
  return record;
}

Result<std::vector<NodeId>> apply(RunState& state, const JournalRecord& record) {
  switch (record.kind) {
    case RecordKind::started:
      if (record.node_count != state.plan().nodes.size()) {
        return Error{Errc::FAILED_PRECONDITION,
                     "the journal belongs to a plan of " + std::to_string(record.node_count) +
                         " nodes, this one has " + std::to_string(state.plan().nodes.size())};
      }
      return state.start(record.now_us);
    case RecordKind::running: {
      Status marked = state.mark_running(record.nodes, record.now_us);
      if (!marked) return std::move(marked).error();
      return std::vector<NodeId>{};
    }
    case RecordKind::completed:
      return state.complete(record.outcomes, record.now_us);
    case RecordKind::advanced:
      return state.advance(record.now_us);
    case RecordKind::cancelled: {
      Status cancelled = state.cancel(record.now_us);
      if (!cancelled) return std::move(cancelled).error();
      return std::vector<NodeId>{};
    }
    case RecordKind::resumed:
      return state.resume(record.again, record.now_us);
    case RecordKind::abandoned: {
      Status abandoned = state.abandon(record.now_us);
      if (!abandoned) return std::move(abandoned).error();
      return std::vector<NodeId>{};
    }
  }
  return Error{Errc::DATA_CORRUPT, "a journal record has an unknown kind"};
}

}  // namespace symphony::actors
