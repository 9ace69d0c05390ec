#include "actors/pit/dag/journal.hpp"

#include <array>
#include <optional>

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

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

// Reads what the functions above wrote; the first failure sticks.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return left_.empty(); }

  std::uint8_t byte() {
    if (left_.empty()) return fail();
    const auto value = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      if (failed_ || (shift == 63 && part > 1) || (shift > 0 && part == 0)) return fail();
      value |= std::uint64_t{part & 0x7fU} << shift;
      if ((part & 0x80U) == 0) return value;
    }
    return fail();
  }

  std::int64_t signed_varint() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  // A count of items that take at least one byte each.
  std::size_t count() {
    const std::uint64_t value = varint();
    return value > left_.size() ? fail() : value;
  }

  // An id that differs from `before` by a signed varint.
  NodeId id_after(NodeId before) {
    const std::int64_t step = signed_varint();
    if (step < -std::int64_t{kMaxRunNodes} || step > std::int64_t{kMaxRunNodes}) return fail();
    const std::int64_t id = std::int64_t{before} + step;
    return id < 0 || id >= kMaxRunNodes ? fail() : static_cast<NodeId>(id);
  }

  std::uint32_t number_up_to(std::uint32_t max) {
    const std::uint64_t value = varint();
    return value > max ? fail() : static_cast<std::uint32_t>(value);
  }

  std::uint8_t fail() {
    failed_ = true;
    left_ = {};
    return 0;
  }

 private:
  std::string_view left_;
  bool failed_ = false;
};

NodeOutcome read_outcome(Reader& in, NodeId before) {
  NodeOutcome outcome;
  outcome.node = in.id_after(before);
  const std::uint8_t kind = in.byte();
  outcome.retryable = (kind & kRetryable) != 0;
  if ((kind & ~kRetryable) > static_cast<std::uint8_t>(OutcomeKind::cancelled)) in.fail();
  outcome.kind = static_cast<OutcomeKind>(kind & ~kRetryable);
  if (outcome.kind == OutcomeKind::expanded) outcome.children = in.number_up_to(kMaxFanOut);
  return outcome;
}

void read_body(Reader& in, JournalRecord& record) {
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
        record.outcomes.push_back(read_outcome(in, before));
        before = record.outcomes.back().node;
      }
      return;
    }
    case RecordKind::advanced:
    case RecordKind::cancelled:
      return;
    case RecordKind::resumed: {
      const std::uint8_t again = in.byte();
      if (again > 1) in.fail();
      record.again = again == 1;
      return;
    }
  }
}

Error corrupt(std::string_view what) {
  return Error{Errc::DATA_CORRUPT, "a journal record is damaged: " + std::string(what)};
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xffU] ^ (crc >> 8);
  }
  return ~crc;
}

std::string encode(const JournalRecord& record) {
  std::string out;
  out.reserve(16 + record.nodes.size() * 3 + record.outcomes.size() * 4);
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
      }
      break;
    case RecordKind::advanced:
    case RecordKind::cancelled:
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
  Reader in(content);
  const std::uint8_t version = in.byte();
  if (version != kJournalVersion) {
    return Error{Errc::UNIMPLEMENTED, "a journal record has version " + std::to_string(version) +
                                          "; this program reads version 1"};
  }
  const std::uint8_t kind = in.byte();
  if (kind > static_cast<std::uint8_t>(RecordKind::resumed)) return corrupt("its kind is unknown");
  JournalRecord record;
  record.kind = static_cast<RecordKind>(kind);
  record.now_us = in.signed_varint();
  read_body(in, record);
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
  }
  return Error{Errc::DATA_CORRUPT, "a journal record has an unknown kind"};
}

Result<RunState> replay(RunPlan plan, std::span<const JournalRecord> records) {
  auto state = RunState::create(std::move(plan));
  if (!state) return state;
  for (const JournalRecord& record : records) {
    auto applied = apply(*state, record);
    if (!applied) return std::move(applied).error();
  }
  return state;
}

}  // namespace symphony::actors
