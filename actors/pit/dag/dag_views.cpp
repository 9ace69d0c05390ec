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

// Rows from `first` that fit into one page of at most `max`.
std::uint32_t rows_that_fit(const StoredRun& run, std::uint32_t first, std::uint32_t max) {
  const auto end = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(run.state.node_count(), std::uint64_t{first} + max));
  std::size_t bytes = 0;
  for (std::uint32_t node = first; node < end; ++node) {
    const auto& result = run.results[node];
    if (result) bytes += result->json.size();
    if (bytes > kResultsPageBytes && node > first) return node - first;
  }
  return end > first ? end - first : 0;
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

Result<Words> results_view(const DagStore& store, messages::NodeResultsRequest::Reader request) {
  auto loaded = store.load(view(request.getRun()), true);
  if (!loaded) return std::move(loaded).error();
  const StoredRun& run = *loaded;
  std::vector<bool> critical(run.state.node_count());
  for (const NodeId node : measured_critical_path(run).nodes) critical[node] = true;
  const std::uint32_t first = request.getOffset();
  const std::uint32_t count =
      rows_that_fit(run, first, page_size(request.getMax(), kResultsPageDefault, kResultsPageMax));
  return Words::build<messages::NodeResultsResponse>([&](auto out) {
    out.setTotal(static_cast<std::uint32_t>(run.state.node_count()));
    auto rows = out.initNodes(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const NodeId node = first + i;
      auto row = rows[i];
      row.setNode(node);
      row.setName(run.node_name(node));
      row.setStatus(static_cast<messages::NodeStatus>(run.state.status_of(node)));
      row.setAttempts(run.state.failed_attempts(node));
      row.setCritical(critical[node]);
      const auto parent = run.state.parent_of(node);
      row.setParent(parent ? std::int64_t{*parent} : -1);
      if (const auto children = run.state.children_of(node)) row.setChildren(children->count);
      if (run.results[node]) write_result(row, *run.results[node]);
    }
  });
}

Result<Words> list_view(const DagStore& store, messages::ListRunsRequest::Reader request) {
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
  auto cursor = txn->cursor(store.databases().starts);
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
    const bool ended =
        summary->status != RunStatus::pending && summary->status != RunStatus::running;
    if (request.getUnfinished() && ended) continue;
    rows.emplace_back(run, std::move(*summary));
  }
  if (Status status = cursor->status(); !status) return std::move(status).error();
  return Words::build<messages::ListRunsResponse>([&](auto out) {
    auto list = out.initRuns(static_cast<unsigned>(rows.size()));
    for (unsigned i = 0; i < list.size(); ++i) write_row(list[i], rows[i].first, rows[i].second);
  });
}

Result<Words> show_view(const DagStore& store, messages::ShowRunRequest::Reader request) {
  auto found = store.find(view(request.getRun()));
  if (!found) return std::move(found).error();
  auto loaded = store.load(*found, true);
  if (!loaded) return std::move(loaded).error();
  const StoredRun& run = *loaded;
  const CriticalPath path = measured_critical_path(run);
  return Words::build<messages::ShowRunResponse>([&](auto out) {
    write_row(out.initRow(), run.run, run.summary);
    out.setHead((*run.plan).getHead());
    auto names = out.initCriticalPath(static_cast<unsigned>(path.nodes.size()));
    for (unsigned i = 0; i < names.size(); ++i) names.set(i, run.node_name(path.nodes[i]));
    out.setCriticalPathUs(static_cast<std::uint64_t>(path.length));
  });
}

}  // namespace symphony::actors
