#include "actors/orchestration/engine/node_execution.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>

namespace symphony::actors {

using messages::Outcome;

std::string iso8601_utc(std::int64_t unix_ns) {
  using namespace std::chrono;
  const sys_seconds time = floor<seconds>(sys_time<nanoseconds>{nanoseconds{unix_ns}});
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

// ---- reading results ----------------------------------------------------------------------------

const Json* ResultReader::keep(ResultStore::Value value) {
  if (!value) return nullptr;
  kept_.push_back(std::move(value));
  return kept_.back().get();
}

const Json* ResultReader::of(NodeIndex node) {
  if (store_.skipped(node)) return nullptr;
  const auto children = store_.children_of(node);
  if (!children) return keep(find_or_load(node));
  auto list = store_.find_list(node);
  return keep(list ? std::move(list) : list_of(node, *children));
}

std::optional<std::uint64_t> ResultReader::children_of(NodeIndex node) const {
  if (store_.skipped(node)) return std::nullopt;
  const auto children = store_.children_of(node);
  if (!children) return std::nullopt;
  return children->count;
}

const Json* ResultReader::of_child(NodeIndex node, std::uint64_t position) {
  const auto children = store_.children_of(node);
  SYMPHONY_ASSERT(children && position < children->count);
  const auto child = static_cast<NodeId>(children->first + position);
  if (store_.skipped(child)) return nullptr;
  return keep(find_or_load(child));
}

ResultStore::Value ResultReader::find_or_load(NodeId node) {
  auto value = store_.find(node);
  return value ? value : load(node);
}

ResultStore::Value ResultReader::take(NodeId node, JournalledResult row) {
  if (row.text.empty() && !row.digest.empty()) {
    auto content = pit_.load(row.digest, by_);
    if (!content) {
      error_ = std::move(content).error();
      return nullptr;
    }
    row.text = std::move(*content);
  }
  Json parsed = Json::parse(row.text, nullptr, false);
  if (parsed.is_discarded()) {
    error_ = Error{Errc::DATA_CORRUPT,
                   "the stored result of node number " + std::to_string(node) + " is no JSON"};
    return nullptr;
  }
  if (is_deeper_than(parsed, kMaxResultDepth)) {
    error_ = Error{Errc::RESOURCE_EXHAUSTED, "the stored result of node number " +
                                                 std::to_string(node) + " is nested deeper than " +
                                                 std::to_string(kMaxResultDepth) + " levels"};
    return nullptr;
  }
  auto value = std::make_shared<const Json>(std::move(parsed));
  store_.put(node, value);
  return value;
}

ResultStore::Value ResultReader::load(NodeId node) {
  if (auto digest = store_.digest_of(node)) return take(node, {{}, {}, std::move(*digest)});
  auto rows = pit_.results(node, 1, by_);
  if (!rows) {
    error_ = std::move(rows).error();
    return nullptr;
  }
  return take(node, std::move(rows->front()));
}

ResultStore::Value ResultReader::list_of(NodeIndex node, ResultStore::Children children) {
  Json list = Json::array();
  std::size_t bytes = 0;
  std::vector<JournalledResult> rows;  // of the children from `rows_from` on
  NodeId rows_from = 0;
  for (NodeId child = children.first; child < children.first + children.count; ++child) {
    if (store_.skipped(child)) {
      list.push_back(nullptr);
      continue;
    }
    ResultStore::Value value = store_.find(child);
    if (!value && store_.digest_of(child)) value = load(child);
    if (!value && !error_) {
      if (child - rows_from >= rows.size()) {
        auto page = pit_.results(child, children.first + children.count - child, by_);
        if (!page) {
          error_ = std::move(page).error();
          return nullptr;
        }
        rows = std::move(*page);
        rows_from = child;
      }
      value = take(child, std::move(rows[child - rows_from]));
    }
    if (!value) return nullptr;
    bytes += memory_of(*value);
    if (bytes > kListBytesMax) {
      error_ = Error{Errc::RESOURCE_EXHAUSTED,
                     "the results of all children of a mapped node take more than " +
                         std::to_string(kListBytesMax >> 20) +
                         " MiB as one list; let each child give less, or store what is large as "
                         "an artifact"};
      return nullptr;
    }
    list.push_back(*value);
  }
  auto all = std::make_shared<const Json>(std::move(list));
  store_.put_list(node, all);
  return all;
}

// ---- executing ----------------------------------------------------------------------------------

namespace {

RunScope scope_of(const RunFacts& run, ResultReader& reader) {
  RunScope scope;
  scope.inputs = &run.inputs;
  scope.results = [&reader](NodeIndex node) { return reader.of(node); };
  scope.children = [&reader](NodeIndex node) { return reader.children_of(node); };
  scope.child = [&reader](NodeIndex node, std::uint64_t position) {
    return reader.of_child(node, position);
  };
  scope.run_id = run.id;
  scope.run_started = run.started;
  scope.run_host = run.host;
  return scope;
}

class Execution {
 public:
  Execution(const RunFacts& run, ResultStore& store, PitClient& pit, const WorkItem& item,
            OperatorContext& context)
      : run_(run),
        store_(store),
        node_(run.plan.nodes[item.of]),
        context_(context),
        reader_(store, pit, context.deadline()),
        scope_(scope_of(run, reader_)) {
    report_.item = item;
  }

  NodeReport operator()() {
    try {
      if (!go()) SYMPHONY_ASSERT(report_.error || report_.outcome == Outcome::SKIPPED);
    } catch (const std::exception& exception) {
      fail({Errc::INTERNAL, "operator " + node_.use + " threw: " + exception.what(), "", true});
    } catch (...) {
      fail({Errc::INTERNAL, "operator " + node_.use + " threw", "", true});
    }
    return std::move(report_);
  }

 private:
  bool fail(Error error) {
    report_.outcome = Outcome::FAILED;
    report_.text.clear();
    report_.value.reset();
    // What could not be read is the cause, not what evaluation made of it.
    report_.error = std::move(error);
    if (reader_.error()) report_.error = *reader_.error();
    report_.error->field =
        "nodes." + node_.name + (report_.error->field.empty() ? "" : "." + report_.error->field);
    return false;
  }
  bool skip() {
    report_.outcome = Outcome::SKIPPED;
    return false;
  }

  bool go() {
    const bool child = report_.item.index.has_value();
    if (child && !bind_item()) return false;
    if (node_.when && node_.when_per_item == child) {
      const auto holds = evaluate_when(node_, scope_);
      if (!holds || reader_.error()) return fail(holds ? Error{} : holds.error());
      if (!*holds) return skip();
    }
    return node_.map && !child ? expand() : run_operator();
  }

  ResultStore::Items items() {
    auto list = evaluate_items(node_, scope_);
    if (!list || reader_.error()) {
      fail(list ? Error{} : list.error());
      return nullptr;
    }
    auto items = std::make_shared<const std::vector<Json>>(std::move(*list));
    store_.put_items(report_.item.of, items);
    return items;
  }

  bool expand() {
    const auto list = items();
    if (!list) return false;
    report_.outcome = Outcome::EXPANDED;
    report_.children = static_cast<std::uint32_t>(list->size());
    return true;
  }

  bool bind_item() {
    items_ = store_.find_items(report_.item.of);
    if (!items_) items_ = items();
    if (!items_) return false;
    const std::uint32_t index = *report_.item.index;
    if (index >= items_->size())
      return fail({Errc::INTERNAL, "node " + node_.name + " has " + std::to_string(items_->size()) +
                                       " items now, and had more"});
    scope_.item = &(*items_)[index];
    scope_.index = index;
    return true;
  }

  bool run_operator() {
    const Operator& op = *run_.operators[report_.item.of];
    auto arguments = evaluate_arguments(node_, op.spec(), scope_);
    if (!arguments || reader_.error()) return fail(arguments ? Error{} : arguments.error());
    if (arguments->skipped_because) return skip();
    report_.executed = true;
    auto result = op.run(arguments->values, context_);
    if (!result) {
      Error error = std::move(result).error();
      error.retryable = error.code != Errc::INVALID_ARGUMENT && error.code != Errc::CANCELLED;
      return fail(std::move(error));
    }
    if (!result->is_object())
      return fail({Errc::INTERNAL, "operator " + node_.use + " gave no object"});
    // Everything that walks a result is recursive; deeper ones would end the process.
    if (is_deeper_than(*result, kMaxResultDepth))
      return fail({Errc::RESOURCE_EXHAUSTED, "the result is nested deeper than " +
                                                 std::to_string(kMaxResultDepth) +
                                                 " levels; make it flatter"});
    return keep(std::move(*result));
  }

  bool keep(Json value) {
    report_.text = value.dump();
    report_.value = std::make_shared<const Json>(std::move(value));
    if (report_.text.size() <= kInlineResultBytes) return true;
    ArtifactDraft draft{std::move(report_.text), {}, "application/json"};
    report_.text.clear();
    auto digests = context_.store({&draft, 1});
    if (!digests) {
      Error error = std::move(digests).error();
      error.retryable = true;
      return fail(std::move(error));
    }
    report_.digest = std::move(digests->front());
    return true;
  }

  const RunFacts& run_;
  ResultStore& store_;
  const PlanNode& node_;
  OperatorContext& context_;
  ResultReader reader_;
  RunScope scope_;
  ResultStore::Items items_;
  NodeReport report_;
};

}  // namespace

NodeReport execute_node(const RunFacts& run, ResultStore& store, PitClient& pit,
                        const WorkItem& item, OperatorContext& context) {
  return Execution(run, store, pit, item, context)();
}

Result<Json> outputs_of(const RunFacts& run, ResultStore& store, PitClient& pit) {
  ResultReader reader(store, pit, kNoDeadline);
  auto outputs = evaluate_outputs(run.plan, scope_of(run, reader));
  if (reader.error()) return *reader.error();
  return outputs;
}

}  // namespace symphony::actors
