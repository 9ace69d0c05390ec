#include "actors/pit/dag/dag_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/pit/text_view.hpp"

namespace symphony::actors {
namespace {

static_assert(static_cast<int>(messages::NodeStatus::CANCELLED) ==
              static_cast<int>(NodeStatus::cancelled));
static_assert(static_cast<int>(messages::RunStatus::CANCELLED) ==
              static_cast<int>(RunStatus::cancelled));

std::uint32_t page_size(std::uint32_t asked, std::uint32_t fallback, std::uint32_t max) {
  return asked == 0 ? fallback : std::min(asked, max);
}

void write_row(messages::RunRow::Builder out, std::string_view run, const RunSummary& summary) {
  out.setRun(std::string(run));
  out.setMelody(summary.melody);
  out.setVersion(summary.version);
  out.setStatus(as_message(summary.status));
  write_progress(out.initProgress(), summary.progress);
  out.setStartedNs(summary.started_ns);
  out.setUpdatedNs(summary.updated_us * 1000);
  out.setResumptions(summary.resumptions);
  out.setFruitlessResumptions(summary.fruitless_resumptions);
  out.setFailure(summary.failure);
}

void write_result(messages::NodeRow::Builder row, const NodeResult& result) {
  set_text(result.json, [&](auto size) { return row.initResultJson(size); });
  set_text(result.digest, [&](auto size) { return row.initResultDigest(size); });
  row.setStartedNs(result.started_ns);
  row.setDurationUs(result.duration_us);
  if (!result.failure) return;
  auto error = row.initError();
  error.setCode(result.failure->code);
  set_text(result.failure->message, [&](auto size) { return error.initMessage(size); });
  set_text(result.failure->field, [&](auto size) { return error.initField(size); });
  error.setRetryable(result.failure->retryable);
}

// A row of a page: a node, and what is known of how it ended.
struct Row {
  NodeId node = 0;
  std::optional<NodeResult> result;
};

// The rows that the request asks for, as many as fit into one page.
Result<std::vector<Row>> rows_of(const RunImages& images, const RunImages::View& view,
                                 messages::NodeResultsRequest::Reader request) {
  const RunState& state = view.run.state;
  const std::uint32_t max = page_size(request.getMax(), kResultsPageDefault, kResultsPageMax);
  std::vector<Row> rows;
  std::size_t bytes = 0;
  for (NodeId node = request.getOffset(); node < state.node_count() && rows.size() < max; ++node) {
    if (request.getFailedOnly() && state.status_of(node) != NodeStatus::failed) continue;
    auto result = images.store().result(view.txn, view.run.run, node, request.getBrief());
    if (!result) return std::move(result).error();
    if (*result) bytes += (*result)->json.size();
    if (bytes > kResultsPageBytes && !rows.empty()) break;
    rows.push_back({node, std::move(*result)});
  }
  return rows;
}

void write_row(messages::NodeRow::Builder out, const RunImages::View& view, const Row& row) {
  const RunState& state = view.run.state;
  out.setNode(row.node);
  out.setName(view.run.node_name(row.node));
  out.setStatus(static_cast<messages::NodeStatus>(state.status_of(row.node)));
  out.setAttempts(state.failed_attempts(row.node));
  out.setCritical(view.critical[row.node]);
  const auto parent = state.parent_of(row.node);
  out.setParent(parent ? std::int64_t{*parent} : -1);
  if (const auto children = state.children_of(row.node)) out.setChildren(children->count);
  if (row.result) write_result(out, *row.result);
}

}  // namespace

void write_progress(messages::RunProgress::Builder out, const RunProgress& progress) {
  out.setWaiting(progress.waiting);
  out.setReady(progress.ready);
  out.setRunning(progress.running);
  out.setDone(progress.done);
  out.setFailed(progress.failed);
  out.setSkipped(progress.skipped);
  out.setCancelled(progress.cancelled);
}

Result<Words> results_view(RunImages& images, messages::NodeResultsRequest::Reader request) {
  return images.look(view(request.getRun()), [&](const RunImages::View& run) -> Result<Words> {
    auto rows = rows_of(images, run, request);
    if (!rows) return std::move(rows).error();
    return Words::build<messages::NodeResultsResponse>([&](auto out) {
      out.setTotal(static_cast<std::uint32_t>(run.run.state.node_count()));
      auto nodes = out.initNodes(static_cast<unsigned>(rows->size()));
      for (unsigned i = 0; i < nodes.size(); ++i) write_row(nodes[i], run, (*rows)[i]);
    });
  });
}

Result<Words> list_view(RunImages& images, messages::ListRunsRequest::Reader request) {
  const DagStore& store = images.store();
  const std::uint32_t max = page_size(request.getMax(), kListPageDefault, kListPageMax);
  std::string before;
  if (const auto run = view(request.getBefore()); !run.empty()) {
    if (Status checked = check_run_id(run, "before"); !checked) return std::move(checked).error();
    auto summary = store.summary(run);
    if (!summary) {
      Error error = std::move(summary).error();
      error.field = "before";
      return error;
    }
    before = start_key(summary->started_ns, run);
  }
  auto txn = store.storage().begin_read();
  if (!txn) return std::move(txn).error();
  auto cursor = txn->cursor(request.getUnfinished() ? store.databases().unfinished
                                                    : store.databases().starts);
  if (!cursor) return std::move(cursor).error();
  std::vector<std::pair<std::string, RunSummary>> rows;
  for (bool more = before.empty() ? cursor->last() : cursor->seek_before(before);
       more && rows.size() < max; more = cursor->prev()) {
    const auto run = run_of_start_key(cursor->key());
    auto value = txn->get(store.databases().runs, run);
    if (!value) return std::move(value).error();
    if (!value->has_value())
      return Error{Errc::DATA_CORRUPT, fmt::format("the summary of run {} is missing", run)};
    auto summary = decode_summary(**value);
    if (!summary) return std::move(summary).error();
    rows.emplace_back(run, std::move(*summary));
  }
  if (Status status = cursor->status(); !status) return std::move(status).error();
  return Words::build<messages::ListRunsResponse>([&](auto out) {
    auto list = out.initRuns(static_cast<unsigned>(rows.size()));
    for (unsigned i = 0; i < list.size(); ++i) write_row(list[i], rows[i].first, rows[i].second);
  });
}

Result<Words> show_view(RunImages& images, messages::ShowRunRequest::Reader request) {
  auto found = images.store().find(view(request.getRun()));
  if (!found) return std::move(found).error();
  return images.look(*found, [&](const RunImages::View& view) -> Result<Words> {
    const StoredRun& run = view.run;
    const CriticalPath& path = view.critical_path;
    return Words::build<messages::ShowRunResponse>([&](auto out) {
      write_row(out.initRow(), run.run, run.summary);
      out.setHead((*run.plan).getHead());
      auto names = out.initCriticalPath(static_cast<unsigned>(path.nodes.size()));
      for (unsigned i = 0; i < names.size(); ++i) names.set(i, run.node_name(path.nodes[i]));
      out.setCriticalPathUs(static_cast<std::uint64_t>(path.length));
    });
  });
}

}  // namespace symphony::actors
