#include "actors/pit/dag/dag_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/text_view.hpp"

namespace symphony::actors {

using runtime::ReadTxn;
using runtime::Storage;
using runtime::WriteTxn;

namespace {

constexpr std::string_view kFormatKey = "format";

Error no_run(std::string_view run) {
  return {Errc::NOT_FOUND, fmt::format("no run has the id {}", run), "run"};
}

Error damaged(std::string_view run, const Error& why) {
  if (why.code == Errc::UNIMPLEMENTED) return why;
  return {Errc::DATA_CORRUPT, fmt::format("run {} cannot be taken up: {}", run, why.message)};
}

// The first format had no index of unfinished runs.
Status index_unfinished(WriteTxn& txn, const DagStore::Databases& databases) {
  std::vector<std::string> keys;
  {
    auto cursor = txn.cursor(databases.runs);
    if (!cursor) return std::move(cursor).error();
    for (bool more = cursor->first(); more; more = cursor->next()) {
      auto summary = decode_summary(cursor->value());
      if (!summary) return std::move(summary).error();
      if (!summary->ended()) keys.push_back(start_key(summary->started_ns, cursor->key()));
    }
    if (Status status = cursor->status(); !status) return status;
  }
  for (const std::string& key : keys)
    if (Status put = txn.put(databases.unfinished, key, {}); !put) return put;
  return {};
}

Status bring_to_format(WriteTxn& txn, const DagStore::Databases& databases) {
  auto database = txn.open_database(kFormatDatabase);
  if (!database) return std::move(database).error();
  auto value = txn.get(*database, kFormatKey);
  if (!value) return std::move(value).error();
  if (value->has_value() && (*value)->size() == 1) {
    const auto format = static_cast<std::uint8_t>((*value)->front());
    if (format == kFormat) return {};
    return Error{
        Errc::UNIMPLEMENTED,
        fmt::format("a newer version of this program wrote the journal of runs (format {}, "
                    "this one knows {}); use that version",
                    format, kFormat)};
  }
  if (Status indexed = index_unfinished(txn, databases); !indexed) return indexed;
  const char format = static_cast<char>(kFormat);
  return txn.put(*database, kFormatKey, {&format, 1});
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
        std::pair{kUnfinishedDatabase, &databases.unfinished},
        std::pair{kErasedDatabase, &databases.erased},
        std::pair{kJournalDatabase, &databases.journal},
        std::pair{kResultsDatabase, &databases.results}}) {
    auto opened = txn->open_database(name);
    if (!opened) return std::move(opened).error();
    *database = *opened;
  }
  if (Status known = bring_to_format(*txn, databases); !known) return std::move(known).error();
  if (Status committed = txn->commit(); !committed) return std::move(committed).error();
  return DagStore(storage, databases);
}

// ---- writing ------------------------------------------------------------------------------------

Status DagStore::check_sequence(const WriteTxn& txn, const RunWrite& what,
                                std::optional<std::string_view> before) const {
  if (!what.plan.empty()) {
    auto half_erased = txn.contains(databases_.erased, what.run);
    if (!half_erased) return std::move(half_erased).error();
    if (!before && !*half_erased) return {};
    return Error{Errc::ALREADY_EXISTS, fmt::format("there is a run {} already", what.run),
                 "head.run"};
  }
  if (!before) return no_run(what.run);
  auto summary = decode_summary(*before);
  if (!summary) return std::move(summary).error();
  if (summary->next_sequence == what.summary.next_sequence - 1) return {};
  return Error{Errc::FAILED_PRECONDITION,
               fmt::format("the journal of run {} was written by another; open it again", what.run),
               "", true};
}

Status DagStore::index(WriteTxn& txn, const RunWrite& what) const {
  const auto key = start_key(what.summary.started_ns, what.run);
  if (!what.plan.empty()) {
    if (Status put = txn.put(databases_.plans, what.run, what.plan); !put) return put;
    if (Status put = txn.put(databases_.starts, key, {}); !put) return put;
  }
  if (!what.summary.ended()) {
    auto there = txn.contains(databases_.unfinished, key);
    if (!there) return std::move(there).error();
    return *there ? Status{} : txn.put(databases_.unfinished, key, {});
  }
  auto erased = txn.erase(databases_.unfinished, key);
  if (!erased) return std::move(erased).error();
  return {};
}

Status DagStore::write(WriteTxn& txn, RunWrite& what) const {
  auto before = txn.get(databases_.runs, what.run);
  if (!before) return std::move(before).error();
  if (Status fits = check_sequence(txn, what, *before); !fits) return fits;
  if (Status indexed = index(txn, what); !indexed) return indexed;
  for (const auto& [node, value] : what.journal.results())
    if (Status put = txn.put(databases_.results, result_key(what.run, node), value); !put)
      return put;
  const auto key = journal_key(what.run, what.summary.next_sequence - 1);
  if (Status put = txn.put(databases_.journal, key, what.journal.seal()); !put) return put;
  return txn.put(databases_.runs, what.run, encode_summary(what.summary));
}

// ---- erasing ------------------------------------------------------------------------------------

Status DagStore::begin_erase(WriteTxn& txn, std::string_view run) const {
  auto value = txn.get(databases_.runs, run);
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_run(run);
  // One whose summary cannot be read is erased too: its index entries lead to nothing.
  if (const auto summary = decode_summary(**value)) {
    const auto key = start_key(summary->started_ns, run);
    for (const auto index : {databases_.starts, databases_.unfinished})
      if (auto erased = txn.erase(index, key); !erased) return std::move(erased).error();
  }
  for (const auto database : {databases_.runs, databases_.plans})
    if (auto erased = txn.erase(database, run); !erased) return std::move(erased).error();
  return txn.put(databases_.erased, run, {});
}

Result<bool> DagStore::erase_some(WriteTxn& txn, std::string_view run) const {
  const auto prefix = run_prefix(run);
  std::size_t left = kErasedAtOnce;
  for (const auto database : {databases_.results, databases_.journal}) {
    std::vector<std::string> keys;
    {
      auto at = txn.cursor(database);
      if (!at) return std::move(at).error();
      for (bool more = at->seek(prefix); more && at->in(prefix) && keys.size() < left;
           more = at->next())
        keys.emplace_back(at->key());
      if (Status status = at->status(); !status) return std::move(status).error();
    }
    for (const auto& key : keys)
      if (auto erased = txn.erase(database, key); !erased) return std::move(erased).error();
    left -= keys.size();
    if (left == 0) return false;
  }
  if (auto erased = txn.erase(databases_.erased, run); !erased) return std::move(erased).error();
  return true;
}

Result<std::vector<std::string>> DagStore::half_erased() const {
  auto txn = storage_->begin_read();
  if (!txn) return std::move(txn).error();
  auto at = txn->cursor(databases_.erased);
  if (!at) return std::move(at).error();
  std::vector<std::string> runs;
  for (bool more = at->first(); more; more = at->next()) runs.emplace_back(at->key());
  if (Status status = at->status(); !status) return std::move(status).error();
  return runs;
}

// ---- what an older program wrote ----------------------------------------------------------------

Status DagStore::modernise(std::string_view run) const {
  {
    auto txn = storage_->begin_read();
    if (!txn) return std::move(txn).error();
    auto summary = txn->get(databases_.runs, run);
    if (!summary) return std::move(summary).error();
    if (!summary->has_value() || !is_old_summary(**summary)) return {};
  }
  std::uint64_t sequence = 0;
  for (;;) {
    auto done = modernise_some(run, sequence);
    if (!done) return damaged(run, done.error());
    if (*done) return {};
  }
}

// From this write on, as many as fit into one transaction. To do it twice harms nothing.
Result<bool> DagStore::modernise_some(std::string_view run, std::uint64_t& sequence) const {
  auto txn = storage_->begin_write();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.runs, run);
  if (!value) return std::move(value).error();
  if (!value->has_value() || !is_old_summary(**value)) return true;
  auto summary = decode_summary(**value);
  if (!summary) return std::move(summary).error();
  std::size_t moved_bytes = 0;
  for (; sequence < summary->next_sequence && moved_bytes < kModerniseBytes; ++sequence) {
    const auto key = journal_key(run, sequence);
    auto found = txn->get(databases_.journal, key);
    if (!found) return std::move(found).error();
    if (!found->has_value()) return Error{Errc::DATA_CORRUPT, "a record of its journal is missing"};
    const std::string old(**found);
    auto write = modern_form(old);
    if (!write) return std::move(write).error();
    for (const auto& [node, result] : write->results())
      if (Status put = txn->put(databases_.results, result_key(run, node), result); !put)
        return std::move(put).error();
    if (Status put = txn->put(databases_.journal, key, write->seal()); !put)
      return std::move(put).error();
    moved_bytes += old.size();
  }
  const bool done = sequence == summary->next_sequence;
  if (done) {
    if (Status put = txn->put(databases_.runs, run, encode_summary(*summary)); !put)
      return std::move(put).error();
  }
  if (Status committed = txn->commit(); !committed) return std::move(committed).error();
  return done;
}

// ---- reading ------------------------------------------------------------------------------------

Result<RunSummary> DagStore::summary(std::string_view run) const {
  auto txn = storage_->begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.runs, run);
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_run(run);
  return decode_summary(**value);
}

Result<StoredRun> DagStore::load(const ReadTxn& txn, std::string_view run) const {
  auto plan_value = txn.get(databases_.plans, run);
  if (!plan_value) return std::move(plan_value).error();
  if (!plan_value->has_value()) {
    auto there = txn.contains(databases_.runs, run);
    if (!there) return std::move(there).error();
    if (!*there) return no_run(run);
    return damaged(run, {Errc::DATA_CORRUPT, "its plan is missing"});
  }
  auto request = decode_plan(**plan_value);
  if (!request) return damaged(run, request.error());
  auto plan = make_plan(**request);
  if (!plan) return damaged(run, plan.error());
  auto state = RunState::create(std::move(*plan));
  if (!state) return damaged(run, state.error());
  StoredRun stored{std::string(run), {}, std::move(*request), std::move(*state)};
  auto caught_up = catch_up(txn, stored);
  if (!caught_up) return std::move(caught_up).error();
  return stored;
}

Result<bool> DagStore::catch_up(const ReadTxn& txn, StoredRun& stored) const {
  auto value = txn.get(databases_.runs, stored.run);
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_run(stored.run);
  auto summary = decode_summary(**value);
  if (!summary) return damaged(stored.run, summary.error());
  if (summary->next_sequence < stored.sequence) return false;
  stored.summary = std::move(*summary);
  const auto take_input = [&](const JournalRecord& record) -> Status {
    auto applied = apply(stored.state, record);
    if (!applied) return std::move(applied).error();
    return {};
  };
  auto cursor = txn.cursor(databases_.journal);
  if (!cursor) return std::move(cursor).error();
  const auto prefix = run_prefix(stored.run);
  bool more = stored.sequence < stored.summary.next_sequence &&
              cursor->seek(journal_key(stored.run, stored.sequence));
  for (; more && cursor->in(prefix); more = cursor->next()) {
    if (cursor->key() != journal_key(stored.run, stored.sequence))
      return damaged(stored.run, {Errc::DATA_CORRUPT, "a record of its journal is missing"});
    if (Status read = read_journal_write(cursor->value(), take_input); !read)
      return damaged(stored.run, read.error());
    ++stored.sequence;
  }
  if (Status status = cursor->status(); !status) return damaged(stored.run, status.error());
  if (stored.sequence != stored.summary.next_sequence)
    return damaged(stored.run, {Errc::DATA_CORRUPT, "the end of its journal is missing"});
  return true;
}

Result<std::optional<NodeResult>> DagStore::result(const ReadTxn& txn, std::string_view run,
                                                   NodeId node, bool brief) const {
  auto value = txn.get(databases_.results, result_key(run, node));
  if (!value) return std::move(value).error();
  if (!value->has_value()) return std::optional<NodeResult>{};
  auto result = decode_result(node, **value, brief);
  if (!result) return damaged(run, result.error());
  return std::optional{*result};
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

}  // namespace symphony::actors
