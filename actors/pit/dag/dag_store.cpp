#include "actors/pit/dag/dag_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/text_view.hpp"

namespace symphony::actors {

using runtime::Storage;
using runtime::WriteTxn;

namespace {

Error no_run(std::string_view run) {
  return {Errc::NOT_FOUND, fmt::format("no run has the id {}", run), "run"};
}

Error damaged(std::string_view run, const Error& why) {
  if (why.code == Errc::UNIMPLEMENTED) return why;
  return {Errc::DATA_CORRUPT, fmt::format("run {} cannot be taken up: {}", run, why.message)};
}

}  // namespace

std::string StoredRun::node_name(NodeId node) const {
  const auto parent = state.parent_of(node);
  const auto name = view((*plan).getNodes()[parent.value_or(node)].getName());
  if (!parent) return std::string(name);
  return fmt::format("{}[{}]", name, node - state.children_of(*parent)->first);
}

Result<DagStore> DagStore::open(Storage& storage) {
  auto txn = storage.begin_write();
  if (!txn) return std::move(txn).error();
  Databases databases;
  for (const auto& [name, database] :
       {std::pair{kRunsDatabase, &databases.runs}, std::pair{kPlansDatabase, &databases.plans},
        std::pair{kStartsDatabase, &databases.starts},
        std::pair{kJournalDatabase, &databases.journal}}) {
    auto opened = txn->open_database(name);
    if (!opened) return std::move(opened).error();
    *database = *opened;
  }
  if (Status committed = txn->commit(); !committed) return std::move(committed).error();
  return DagStore(storage, databases);
}

Status DagStore::write(WriteTxn& txn, RunWrite& what) const {
  const std::uint64_t sequence = what.summary.next_sequence - 1;
  auto there = txn.get(databases_.runs, what.run);
  if (!there) return std::move(there).error();
  if (!what.plan.empty()) {
    if (there->has_value()) {
      return Error{Errc::ALREADY_EXISTS, fmt::format("there is a run {} already", what.run),
                   "head.run"};
    }
    if (Status put = txn.put(databases_.plans, what.run, what.plan); !put) return put;
    const auto key = start_key(what.summary.started_ns, what.run);
    if (Status put = txn.put(databases_.starts, key, {}); !put) return put;
  } else {
    if (!there->has_value()) return no_run(what.run);
    auto before = decode_summary(**there);
    if (!before) return std::move(before).error();
    if (before->next_sequence != sequence) {
      return Error{
          Errc::FAILED_PRECONDITION,
          fmt::format("the journal of run {} was written by another; open it again", what.run), "",
          true};
    }
  }
  const auto key = journal_key(what.run, sequence);
  if (Status put = txn.put(databases_.journal, key, what.journal.seal()); !put) return put;
  return txn.put(databases_.runs, what.run, encode_summary(what.summary));
}

Result<RunSummary> DagStore::summary(std::string_view run) const {
  auto txn = storage_->begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.runs, run);
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_run(run);
  return decode_summary(**value);
}

Result<StoredRun> DagStore::load(std::string_view run, bool with_results) const {
  auto txn = storage_->begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.runs, run);
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_run(run);
  auto summary = decode_summary(**value);
  if (!summary) return damaged(run, summary.error());

  auto plan_value = txn->get(databases_.plans, run);
  if (!plan_value) return std::move(plan_value).error();
  if (!plan_value->has_value()) return damaged(run, {Errc::DATA_CORRUPT, "its plan is missing"});
  auto request = decode_plan(**plan_value);
  if (!request) return damaged(run, request.error());
  auto plan = make_plan(**request);
  if (!plan) return damaged(run, plan.error());
  auto state = RunState::create(std::move(*plan));
  if (!state) return damaged(run, state.error());

  StoredRun stored{
      std::string(run), std::move(*summary), std::move(*request), std::move(*state), {},
      std::move(*txn)};
  if (Status replayed = replay(stored, with_results); !replayed)
    return damaged(run, replayed.error());
  return stored;
}

Status DagStore::replay(StoredRun& stored, bool with_results) const {
  const auto prefix = journal_prefix(stored.run);
  auto cursor = stored.txn.cursor(databases_.journal);
  if (!cursor) return std::move(cursor).error();
  const auto take_input = [&](const JournalRecord& record) -> Status {
    auto applied = apply(stored.state, record);
    if (!applied) return std::move(applied).error();
    return {};
  };
  const auto take_result = [&](const NodeResult& result) -> Status {
    if (!with_results) return {};
    if (result.node >= stored.state.node_count())
      return Error{Errc::DATA_CORRUPT, "it has the result of a node that does not exist"};
    if (result.node >= stored.results.size()) stored.results.resize(stored.state.node_count());
    stored.results[result.node] = result;
    return {};
  };
  std::uint64_t sequence = 0;
  for (bool more = cursor->seek(prefix); more && cursor->in(prefix); more = cursor->next()) {
    if (cursor->key() != journal_key(stored.run, sequence++))
      return Error{Errc::DATA_CORRUPT, "a record of its journal is missing"};
    if (Status read = read_journal_write(cursor->value(), take_input, take_result); !read)
      return read;
  }
  if (Status status = cursor->status(); !status) return status;
  if (sequence != stored.summary.next_sequence)
    return Error{Errc::DATA_CORRUPT, "the end of its journal is missing"};
  if (with_results) stored.results.resize(stored.state.node_count());
  return {};
}

Result<std::string> DagStore::find(std::string_view beginning) const {
  if (Status checked = check_run_id(beginning, "run"); !checked) return std::move(checked).error();
  auto txn = storage_->begin_read();
  if (!txn) return std::move(txn).error();
  auto cursor = txn->cursor(databases_.runs);
  if (!cursor) return std::move(cursor).error();
  if (!cursor->seek(beginning) || !cursor->in(beginning)) {
    if (Status status = cursor->status(); !status) return std::move(status).error();
    return no_run(beginning);
  }
  std::string found(cursor->key());
  if (found == beginning) return found;
  if (cursor->next() && cursor->in(beginning)) {
    return Error{Errc::INVALID_ARGUMENT,
                 fmt::format("more than one run starts with {}; give more of its id", beginning),
                 "run"};
  }
  if (Status status = cursor->status(); !status) return std::move(status).error();
  return found;
}

CriticalPath measured_critical_path(const StoredRun& run) {
  const Graph& graph = run.state.plan().graph;
  const auto duration = [&](NodeId node) {
    return run.results[node] ? static_cast<double>(run.results[node]->duration_us) : 0.0;
  };
  std::vector<double> weights(graph.node_count());
  std::vector<NodeId> longest_child(graph.node_count(), kNoNode);
  for (NodeId node = 0; node < weights.size(); ++node) {
    weights[node] = duration(node);
    const auto children = run.state.children_of(node);
    if (!children || children->count == 0) continue;
    NodeId longest = children->first;
    for (NodeId child = longest; child < children->first + children->count; ++child)
      if (duration(child) > duration(longest)) longest = child;
    longest_child[node] = longest;
    weights[node] += duration(longest);
  }
  const auto sorted = sort_topologically(graph);
  const auto path = critical_path(graph, upward_ranks(graph, sorted.order, weights));
  CriticalPath measured{{}, path.length};
  if (path.length <= 0) return measured;
  for (const NodeId node : path.nodes) {
    measured.nodes.push_back(node);
    if (longest_child[node] != kNoNode) measured.nodes.push_back(longest_child[node]);
  }
  return measured;
}

}  // namespace symphony::actors
