#include "actors/pit/dag/dag_records.hpp"

#include <capnp/message.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "actors/pit/text_view.hpp"
#include "messages/validate.hpp"
#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

using runtime::append_be32;
using runtime::append_be64;
using runtime::RecordReader;
using runtime::RecordWriter;

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kSummaryVersion = 3;
constexpr std::uint8_t kFirstWithResults = 3;  // of summaries, whose runs have them in dag.results
constexpr char kInputEntry = 1;
constexpr char kOldResultEntry = 2;

enum Has : std::uint8_t { kJson = 1, kDigest = 2, kFailure = 4, kTimes = 8, kHasAll = 15 };

// Byte order of the key is order in time, before 1970 too.
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

Error corrupt(std::string_view what) {
  return {Errc::DATA_CORRUPT, fmt::format("the journal of runs is damaged: {}", what)};
}

Error newer(std::string_view what) {
  return {Errc::UNIMPLEMENTED,
          fmt::format("a newer version of this program wrote {} into the journal of runs; use that "
                      "version",
                      what)};
}

void append_text(std::string& out, std::string_view text) {
  append_be32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

// At most `max` bytes of it, no character cut in two.
std::string_view clip(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xc0U) == 0x80U) --max;
  return text.substr(0, max);
}

// Takes off version and checksum.
Result<std::string_view> open_value(std::string_view value) {
  RecordReader reader(value);
  const auto version = reader.u8();
  const auto crc = reader.u32();
  if (!reader.ok()) return corrupt("a record is cut short");
  if (version > kVersion) return newer(fmt::format("a record of version {}", version));
  if (version != kVersion || crc32c(reader.rest()) != crc)
    return corrupt("a record fails its check");
  return reader.rest();
}

// The part of a result that follows the JSON.
void read_head(RecordReader& reader, std::uint8_t has, NodeResult& result) {
  if ((has & kDigest) != 0) result.digest = reader.text();
  if ((has & kFailure) != 0) {
    auto& failure = result.failure.emplace();
    failure.code = static_cast<Errc>(reader.u32());
    failure.message = reader.text();
    failure.field = reader.text();
    failure.retryable = reader.u8() != 0;
  }
  if ((has & kTimes) != 0) {
    result.started_ns = static_cast<std::int64_t>(reader.u64());
    result.duration_us = reader.u64();
  }
}

Result<NodeResult> read_old_result(RecordReader& reader) {
  NodeResult result;
  result.node = reader.u32();
  const auto has = reader.u8();
  if ((has & ~kHasAll) != 0) return newer("a result with unknown parts");
  if ((has & kJson) != 0) result.json = reader.text();
  read_head(reader, has, result);
  if (!reader.ok()) return corrupt("a result is cut short");
  return result;
}

}  // namespace

Status check_run_id(std::string_view run, std::string_view field) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!run.empty() && run.size() <= kMaxRunIdBytes && std::all_of(run.begin(), run.end(), plain))
    return {};
  return Error{
      Errc::INVALID_ARGUMENT,
      fmt::format("the id of a run is 1 to {} letters, digits, '-', '_' and '.'", kMaxRunIdBytes),
      std::string(field)};
}

// ---- runs ---------------------------------------------------------------------------------------

std::string encode_summary(const RunSummary& summary) {
  const RunProgress& progress = summary.progress;
  RecordWriter out;
  out.u8(kSummaryVersion).u64(summary.next_sequence).u8(static_cast<std::uint8_t>(summary.status));
  for (const std::uint32_t count :
       {progress.waiting, progress.ready, progress.running, progress.done, progress.failed,
        progress.skipped, progress.cancelled})
    out.u32(count);
  out.u64(static_cast<std::uint64_t>(summary.started_ns))
      .u64(static_cast<std::uint64_t>(summary.updated_us))
      .u32(summary.resumptions)
      .text(summary.melody)
      .text(summary.version)
      .u32(summary.fruitless_resumptions)
      .text(clip(summary.failure, kMaxErrorBytes));
  return std::move(out).str();
}

Result<RunSummary> decode_summary(std::string_view bytes) {
  RecordReader in(bytes);
  const auto version = in.u8();
  if (in.ok() && version > kSummaryVersion)
    return newer(fmt::format("the summary of a run, version {}", version));
  RunSummary summary;
  summary.next_sequence = in.u64();
  const auto status = in.u8();
  summary.status = static_cast<RunStatus>(status);
  RunProgress& progress = summary.progress;
  for (std::uint32_t* count :
       {&progress.waiting, &progress.ready, &progress.running, &progress.done, &progress.failed,
        &progress.skipped, &progress.cancelled})
    *count = in.u32();
  summary.started_ns = static_cast<std::int64_t>(in.u64());
  summary.updated_us = static_cast<std::int64_t>(in.u64());
  summary.resumptions = in.u32();
  summary.melody = in.text();
  summary.version = in.text();
  summary.fruitless_resumptions = version == 1 ? summary.resumptions : in.u32();
  if (version >= 3) summary.failure = in.text();
  if (!in.complete() || version == 0 || status > static_cast<int>(RunStatus::cancelled))
    return corrupt("the summary of a run cannot be read");
  return summary;
}

bool is_old_summary(std::string_view bytes) {
  return !bytes.empty() && static_cast<std::uint8_t>(bytes.front()) < kFirstWithResults;
}

std::string start_key(std::int64_t started_ns, std::string_view run) {
  std::string key;
  append_be64(key, static_cast<std::uint64_t>(started_ns) ^ kSign);
  return key.append(run);
}

std::string_view run_of_start_key(std::string_view key) {
  return key.size() < 8 ? std::string_view{} : key.substr(8);
}

std::string run_prefix(std::string_view run) { return std::string(run) + '\0'; }

std::string result_key(std::string_view run, NodeId node) {
  std::string key = run_prefix(run);
  append_be32(key, node);
  return key;
}

std::string journal_key(std::string_view run, std::uint64_t sequence) {
  std::string key = run_prefix(run);
  append_be64(key, sequence);
  return key;
}

// ---- plans --------------------------------------------------------------------------------------

Result<std::string> encode_plan(messages::CreateRunRequest::Reader plan) {
  const auto size_bytes = (plan.totalSize().wordCount + 1) * sizeof(capnp::word);
  if (size_bytes > kMaxPlanBytes) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 fmt::format("the plan of a run has {} bytes and may have {}; use a mapped node "
                             "instead of many equal ones",
                             size_bytes, kMaxPlanBytes),
                 "nodes"};
  }
  capnp::MallocMessageBuilder builder(static_cast<unsigned>(size_bytes / sizeof(capnp::word)));
  builder.setRoot(plan);
  const auto segments = builder.getSegmentsForOutput();
  SYMPHONY_ASSERT(segments.size() == 1);
  const auto bytes = segments[0].asBytes();
  const std::string_view words{reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
  std::string value;
  value.reserve(words.size() + 5);
  value.push_back(static_cast<char>(kVersion));
  append_be32(value, crc32c(words));
  value.append(words);
  return value;
}

Result<Msg<messages::CreateRunRequest>> decode_plan(std::string_view value) {
  auto bytes = open_value(value);
  if (!bytes) return std::move(bytes).error();
  const auto words = bytes->size() / sizeof(capnp::word);
  if (words == 0 || bytes->size() % sizeof(capnp::word) != 0) return corrupt("a plan is cut short");
  auto buffer = kj::heapArray<capnp::word>(words);
  std::memcpy(buffer.begin(), bytes->data(), bytes->size());
  const std::uint32_t sizes[] = {static_cast<std::uint32_t>(words)};
  auto adopted = Words::adopt(kj::mv(buffer), sizes);
  ValidationLimits limits;
  limits.max_bytes = kMaxPlanBytes;
  const auto valid = validate(adopted, capnp::Schema::from<messages::CreateRunRequest>(), limits);
  if (!valid) return corrupt("a plan cannot be read: " + valid.error().message);
  return Msg<messages::CreateRunRequest>{std::move(adopted)};
}

Result<RunPlan> make_plan(messages::CreateRunRequest::Reader request) {
  const auto nodes = request.getNodes();
  std::vector<Edge> edges;
  edges.reserve(request.getEdges().size());
  for (const auto edge : request.getEdges()) edges.push_back({edge.getFrom(), edge.getTo()});
  auto graph = Graph::build(nodes.size(), edges);
  if (!graph) {
    Error error = std::move(graph).error();
    error.field = "edges";
    return error;
  }
  RunPlan plan{std::move(*graph), {}};
  plan.nodes.reserve(nodes.size());
  for (unsigned i = 0; i < nodes.size(); ++i) {
    const auto node = nodes[i];
    if (!std::isfinite(node.getWeight()) || node.getWeight() < 0) {
      return Error{Errc::INVALID_ARGUMENT, "the weight of a node is a duration in microseconds",
                   fmt::format("nodes[{}].weight", i)};
    }
    if (node.getAttempts() > kMaxAttempts) {
      return Error{Errc::INVALID_ARGUMENT,
                   fmt::format("a node is tried 1 to {} times", kMaxAttempts),
                   fmt::format("nodes[{}].attempts", i)};
    }
    plan.nodes.push_back(
        RunNode::of(node.getWeight(), node.getMapped(),
                    {node.getAttempts(), node.getBackoffMs(), node.getMaxBackoffMs()}));
  }
  return plan;
}

// ---- journal ------------------------------------------------------------------------------------

JournalWrite::JournalWrite() {
  bytes_.push_back(static_cast<char>(kVersion));
  append_be32(bytes_, 0);
}

void JournalWrite::append(const JournalRecord& record) {
  bytes_.push_back(kInputEntry);
  append_text(bytes_, encode(record));
}

void JournalWrite::append(const NodeResult& result) {
  results_.emplace_back(result.node, encode_result(result));
  result_bytes_ += results_.back().second.size();
}

std::string_view JournalWrite::seal() {
  std::string crc;
  append_be32(crc, crc32c(std::string_view(bytes_).substr(kHeaderBytes)));
  bytes_.replace(1, crc.size(), crc);
  return bytes_;
}

Status read_journal_write(std::string_view value,
                          const std::function<Status(JournalRecord&&)>& on_input,
                          const std::function<Status(const NodeResult&)>& on_result) {
  auto entries = open_value(value);
  if (!entries) return std::move(entries).error();
  RecordReader reader(*entries);
  while (!reader.complete()) {
    const auto kind = static_cast<char>(reader.u8());
    if (!reader.ok()) return corrupt("an entry is cut short");
    if (kind == kInputEntry) {
      auto record = decode_record(reader.text());
      if (!record) return std::move(record).error();
      if (Status taken = on_input(std::move(*record)); !taken) return taken;
    } else if (kind == kOldResultEntry) {
      auto result = read_old_result(reader);
      if (!result) return std::move(result).error();
      if (!on_result) return corrupt("it has a result among the inputs of its state");
      if (Status taken = on_result(*result); !taken) return taken;
    } else {
      return newer(fmt::format("an entry of kind {}", int{kind}));
    }
  }
  return {};
}

Result<JournalWrite> modern_form(std::string_view value) {
  std::vector<JournalRecord> inputs;
  JournalWrite write;
  std::size_t position = 0;  // results come in the order of their outcomes
  const Status read = read_journal_write(
      value,
      [&](JournalRecord&& record) -> Status {
        inputs.push_back(std::move(record));
        position = 0;
        return {};
      },
      [&](const NodeResult& result) -> Status {
        write.append(result);
        if (inputs.empty()) return corrupt("a result comes before all inputs");
        auto& outcomes = inputs.back().outcomes;
        while (position < outcomes.size() && outcomes[position].node != result.node) ++position;
        if (position == outcomes.size()) return corrupt("a result belongs to no outcome");
        outcomes[position].duration_us = result.duration_us;
        return {};
      });
  if (!read) return read.error();
  for (const JournalRecord& input : inputs) write.append(input);
  return write;
}

// ---- results ------------------------------------------------------------------------------------

NodeResult to_result(messages::NodeOutcome::Reader outcome) {
  NodeResult result;
  result.node = outcome.getNode();
  result.json = view(outcome.getResultJson());
  result.digest = view(outcome.getResultDigest());
  if (outcome.hasError()) {
    const auto error = outcome.getError();
    result.failure = {error.getCode(), view(error.getMessage()), view(error.getField()),
                      error.getRetryable()};
  }
  result.started_ns = outcome.getStartedNs();
  result.duration_us = outcome.getDurationUs();
  return result;
}

std::string encode_result(const NodeResult& result) {
  const bool times = result.started_ns != 0 || result.duration_us != 0;
  std::uint8_t has = 0;
  if (!result.json.empty()) has |= kJson;
  if (!result.digest.empty()) has |= kDigest;
  if (result.failure) has |= kFailure;
  if (times) has |= kTimes;
  std::string out;
  out.reserve(64 + result.json.size() + result.digest.size());
  out.push_back(static_cast<char>(kVersion));
  out.append(2 * sizeof(std::uint32_t), '\0');
  const std::size_t head_begins = out.size();
  out.push_back(static_cast<char>(has));
  if (!result.digest.empty()) append_text(out, result.digest);
  if (result.failure) {
    append_be32(out, static_cast<std::uint32_t>(result.failure->code));
    append_text(out, clip(result.failure->message, kMaxErrorBytes));
    append_text(out, clip(result.failure->field, kMaxErrorBytes));
    out.push_back(result.failure->retryable ? 1 : 0);
  }
  if (times) {
    append_be64(out, static_cast<std::uint64_t>(result.started_ns));
    append_be64(out, result.duration_us);
  }
  const auto head = std::string_view(out).substr(head_begins);
  std::string frame;
  append_be32(frame, crc32c(head));
  append_be32(frame, static_cast<std::uint32_t>(head.size()));
  out.replace(1, frame.size(), frame);
  if (result.json.empty()) return out;
  append_be32(out, crc32c(result.json));
  return out.append(result.json);
}

Result<NodeResult> decode_result(NodeId node, std::string_view value, bool brief) {
  RecordReader reader(value);
  const auto version = reader.u8();
  if (reader.ok() && version > kVersion)
    return newer(fmt::format("a result of version {}", version));
  const auto crc = reader.u32();
  const auto head_bytes = reader.u32();
  const auto head = reader.bytes(head_bytes);
  const auto bad = [node] {
    return corrupt(fmt::format("the result of node {} fails its check", node));
  };
  if (!reader.ok() || version != kVersion || crc32c(head) != crc) return bad();
  RecordReader of_head(head);
  NodeResult result;
  result.node = node;
  const auto has = of_head.u8();
  if ((has & ~kHasAll) != 0) return newer("a result with unknown parts");
  read_head(of_head, has, result);
  if (!of_head.complete()) return bad();
  if ((has & kJson) == 0) {
    if (!reader.complete()) return bad();
    return result;
  }
  if (brief) return result;
  const auto json_crc = reader.u32();
  if (!reader.ok() || crc32c(reader.rest()) != json_crc) return bad();
  result.json = reader.rest();
  return result;
}

}  // namespace symphony::actors
