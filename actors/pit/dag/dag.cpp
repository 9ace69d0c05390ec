#include "actors/pit/dag/dag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/dag/dag_views.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using runtime::Host;
using runtime::Step;

namespace {

// Nobody would know of a run that is made after that.
Error too_late() {
  return {Errc::DEADLINE_EXCEEDED, "the run was to be filed earlier; it was not", "", true};
}

std::int64_t mono_ns(Host& host) {
  return std::chrono::nanoseconds(host.services().clocks.mono().time_since_epoch()).count();
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Dag::Dag(Host& host, runtime::Storage& storage, runtime::StorageWriter& writer, DagOptions options)
    : ComponentOf(host),
      storage_(storage),
      writer_(writer, host.fence()),
      options_(options),
      wall_ahead_ns_(host.services().clocks.wall_ns() - mono_ns(host)),
      mailbox_(host.mailbox()),
      line_(host, [this] { return describe(); }) {}

// ---- lifecycle ----------------------------------------------------------------------------------

void Dag::prepare(Step step) {
  struct Opened {
    DagStore store;
    std::vector<std::string> half_erased;
  };
  host().run_blocking(
      [&storage = storage_]() -> Result<Opened> {
        auto store = DagStore::open(storage);
        if (!store) return std::move(store).error();
        auto half_erased = store->half_erased();
        if (!half_erased) return std::move(half_erased).error();
        return Opened{*store, std::move(*half_erased)};
      },
      [this, step = std::move(step)](Result<Opened> opened) mutable {
        if (!opened) return step.fail(std::move(opened).error());
        store_ = std::make_shared<const DagStore>(opened->store);
        images_ = std::make_shared<RunImages>(*store_);
        half_erased_ = std::move(opened->half_erased);
        step.done();
      });
}

void Dag::start(Step step) {
  line_.refresh();
  host().on_own_behalf([&] {
    for (auto& run : std::exchange(half_erased_, {}))
      erase_some(run, true, [this, run](const Status& status) {
        if (!status)
          host().log().warn("what is left of an erased run stays until the next start",
                            {{"run", run}, {"reason", status.error().message}});
      });
  });
  step.done();
}

void Dag::drain(Step step) {
  draining_.emplace(std::move(step));
  for (auto next = runs_.begin(); next != runs_.end();) write((next++)->second);
  finish_drain_when_idle();
}

void Dag::finish_drain_when_idle() {
  if (!draining_ || blocking_ > 0) return;
  for (const auto& [name, run] : runs_) {
    if (run.writing || (!run.poison && run.durable != run.applied)) return;
  }
  auto step = std::move(*draining_);
  draining_.reset();
  step.done();
}

void Dag::blocking_done() {
  --blocking_;
  finish_drain_when_idle();
}

// ---- the table of runs --------------------------------------------------------------------------

std::int64_t Dag::now_us() const { return (mono_ns(host()) + wall_ahead_ns_) / 1000; }

Dag::Run* Dag::find(std::string_view name) {
  const auto found = runs_.find(name);
  return found == runs_.end() ? nullptr : &found->second;
}

Dag::Run* Dag::find(std::uint64_t epoch) {
  for (auto& [name, run] : runs_)
    if (run.epoch == epoch) return &run;
  return nullptr;
}

Result<Dag::Run*> Dag::find_open(std::string_view name) {
  Run* run = find(name);
  if (run == nullptr) return not_open(name);
  if (run->poison) return *run->poison;
  if (!run->state) return being_read(name);
  return run;
}

Result<Dag::Run*> Dag::admit(std::string_view name) {
  if (runs_.size() >= options_.runs_max) {
    const auto over = std::find_if(runs_.begin(), runs_.end(), [](const auto& entry) {
      const Run& run = entry.second;
      return !run.writing && (run.poison || (run.settled() && run.state->ended()));
    });
    if (over == runs_.end()) {
      return Error{Errc::OVERLOADED,
                   fmt::format("{} runs are under way, no more fit; try again when one has ended",
                               runs_.size()),
                   "", true};
    }
    runs_.erase(over);
  }
  Run& run = runs_[std::string(name)];
  run.name = name;
  run.epoch = ++last_epoch_;
  run.unwritten = std::make_unique<JournalWrite>();
  line_.touch();
  return &run;
}

void Dag::forget(Run& run) {
  runs_.erase(runs_.find(run.name));
  line_.touch();
}

void Dag::leave_if_over(Run& run) {
  if (run.leaving && run.settled() && run.waiters.empty() && run.state->ended()) forget(run);
}

// ---- making and opening runs --------------------------------------------------------------------

void Dag::create(Call<protocol::Dag::Create> call) {
  const auto name = view(call->getHead().getRun());
  if (Status checked = check_run_id(name, "head.run"); !checked) return call.fail(checked.error());
  if (find(name) != nullptr) {
    return call.fail(
        {Errc::ALREADY_EXISTS, fmt::format("there is a run {} already", name), "head.run"});
  }
  auto admitted = admit(name);
  if (!admitted) return call.fail(admitted.error());
  struct Made {
    RunState state;
    std::string plan;
  };
  auto open = std::make_shared<Call<protocol::Dag::Create>>(std::move(call));
  (*admitted)->create_by = open->header().deadline;
  ++blocking_;
  host().run_blocking(
      [open, &clocks = host().services().clocks]() -> Result<Made> {
        if (open->header().deadline <= clocks.mono()) return too_late();
        auto plan = make_plan(open->request());
        if (!plan) return std::move(plan).error();
        auto state = RunState::create(std::move(*plan));
        if (!state) return std::move(state).error();
        auto words = encode_plan(open->request());
        if (!words) return std::move(words).error();
        return Made{std::move(*state), std::move(*words)};
      },
      [this, open, epoch = (*admitted)->epoch](Result<Made> made) {
        Run& run = *find(epoch);
        if (made) {
          run.state = std::move(made->state);
          run.plan = std::move(made->plan);
          begin(run, std::move(*open));
        } else {
          open->fail(made.error());
          forget(run);
        }
        blocking_done();
      });
}

void Dag::begin(Run& run, Call<protocol::Dag::Create> call) {
  const auto head = call->getHead();
  run.summary.melody = head.getMelody().cStr();
  run.summary.version = head.getVersion().cStr();
  run.summary.started_ns = head.getStartedNs();
  run.head = Msg<messages::RunBatchResponse>::build([&](auto out) { out.setHead(head); });
  JournalRecord started{RecordKind::started, now_us()};
  started.node_count = static_cast<std::uint32_t>(run.state->node_count());
  auto ready = input(run, started);
  SYMPHONY_ASSERT(ready.ok());
  auto open = std::make_shared<Call<protocol::Dag::Create>>(std::move(call));
  when_durable(run, [this, open, epoch = run.epoch, ready = std::move(*ready)](Status status) {
    Run& created = *find(epoch);
    if (status) return reply_batch(*open, created, ready, false);
    open->fail(status.error());
    forget(created);
  });
  write(run);
}

template <class Done>
void Dag::load(std::string_view name, Done done) {
  auto admitted = admit(name);
  if (!admitted) return done(Result<Run*>{admitted.error()});
  ++blocking_;
  host().run_blocking(
      [store = store_, name = std::string(name)]() -> Result<StoredRun> {
        if (Status modern = store->modernise(name); !modern) return std::move(modern).error();
        auto txn = store->storage().begin_read();
        if (!txn) return std::move(txn).error();
        return store->load(*txn, name);
      },
      [this, epoch = (*admitted)->epoch, done = std::move(done)](Result<StoredRun> stored) mutable {
        Run& run = *find(epoch);
        if (stored) {
          run.state = std::move(stored->state);
          run.summary = std::move(stored->summary);
          run.head = Msg<messages::RunBatchResponse>::build(
              [&](auto out) { out.setHead((*stored->plan).getHead()); });
          done(Result<Run*>{&run});
        } else {
          forget(run);
          done(Result<Run*>{stored.error()});
        }
        blocking_done();
      });
}

void Dag::open(Call<protocol::Dag::Open> call) {
  const auto name = view(call->getRun());
  if (Status checked = check_run_id(name, "run"); !checked) return call.fail(checked.error());
  const bool again = call->getAgain();
  if (Run* run = find(name)) {
    if (!run->state) return call.fail(being_read(name));
    if (!run->poison) return resume(*run, again, std::move(call));
    forget(*run);
  }
  auto open = std::make_shared<Call<protocol::Dag::Open>>(std::move(call));
  load(name, [this, open, again](Result<Run*> run) {
    if (!run) return open->fail(run.error());
    resume(**run, again, std::move(*open));
  });
}

void Dag::resume(Run& run, bool again, Call<protocol::Dag::Open> call) {
  auto open = std::make_shared<Call<protocol::Dag::Open>>(std::move(call));
  std::vector<NodeId> ready;
  if (again || !run.state->ended()) {
    JournalRecord resumed{RecordKind::resumed, now_us()};
    resumed.again = again;
    auto resumable = input(run, resumed);
    if (!resumable) return open->fail(resumable.error());
    if (again) run.summary.failure.clear();
    ready = std::move(*resumable);
  }
  run.leaving = false;
  when_durable(run, [this, open, epoch = run.epoch, ready = std::move(ready)](Status status) {
    if (!status) return open->fail(status.error());
    reply_batch(*open, *find(epoch), ready, true);
  });
  write(run);
}

// ---- what became of nodes -----------------------------------------------------------------------

Status Dag::read_batch(const RunState& state, messages::CompleteNodesRequest::Reader request) {
  const auto started = request.getStarted();
  batch_.running.nodes.clear();
  for (const NodeId node : started) batch_.running.nodes.push_back(node);
  const auto outcomes = request.getOutcomes();
  auto& read = batch_.completed.outcomes;
  read.clear();
  read.reserve(outcomes.size());
  batch_.positions.clear();
  batch_.dropped = 0;
  for (unsigned i = 0; i < outcomes.size(); ++i) {
    const auto outcome = outcomes[i];
    if (state.is_stale(outcome.getNode(), outcome.getAttempt())) {
      ++batch_.dropped;
      continue;
    }
    const auto result_bytes = outcome.getResultJson().size();
    if (result_bytes > kInlineResultMax) {
      return Error{Errc::INVALID_ARGUMENT,
                   fmt::format("the result of node {} has {} bytes; store what is over {} as an "
                               "artifact and give its digest",
                               outcome.getNode(), result_bytes, kInlineResultMax),
                   fmt::format("outcomes[{}].resultJson", i)};
    }
    const auto digest = view(outcome.getResultDigest());
    if (!digest.empty() && !is_digest(digest)) {
      return Error{Errc::INVALID_ARGUMENT, "a digest is 64 lower-case hexadecimal digits",
                   fmt::format("outcomes[{}].resultDigest", i)};
    }
    read.push_back(
        {outcome.getNode(), static_cast<OutcomeKind>(outcome.getOutcome()),
         outcome.getOutcome() == messages::Outcome::FAILED && outcome.getError().getRetryable(),
         outcome.getChildren(), outcome.getDurationUs()});
    batch_.positions.push_back(i);
  }
  return {};
}

void Dag::complete(Call<protocol::Dag::Complete> call) {
  auto found = find_open(view(call->getRun()));
  if (!found) return call.fail(found.error());
  Run& run = **found;
  if (run.unwritten->size_bytes() > options_.unwritten_bytes_max) {
    return call.fail({Errc::OVERLOADED,
                      fmt::format("the disk is {} bytes behind run {}; tell again in a moment",
                                  run.unwritten->size_bytes(), run.name),
                      "", true});
  }
  if (Status read = read_batch(*run.state, call.request()); !read) return call.fail(read.error());
  const std::int64_t now = now_us();
  batch_.running.now_us = batch_.completed.now_us = now;
  std::vector<NodeId> ready;
  if (!batch_.completed.outcomes.empty()) {
    auto completed = input(run, batch_.completed);
    if (!completed) return call.fail(completed.error());
    ready = std::move(*completed);
    const auto outcomes = call->getOutcomes();
    for (const unsigned i : batch_.positions) run.unwritten->append(to_result(outcomes[i]));
  }
  if (!batch_.running.nodes.empty()) {
    auto marked = input(run, batch_.running);
    if (!marked) {
      write(run);  // what became of nodes stands
      return call.fail(marked.error());
    }
    std::erase_if(ready,
                  [&](NodeId node) { return run.state->status_of(node) != NodeStatus::ready; });
  }
  retry_what_is_due(run, now, ready);
  reply_batch(call, run, ready, false);
  write(run);
}

void Dag::retry_what_is_due(Run& run, std::int64_t now_us, std::vector<NodeId>& ready) {
  const auto due = run.state->next_retry_us();
  if (!due || *due > now_us) return;
  auto retried = input(run, {RecordKind::advanced, now_us});
  SYMPHONY_ASSERT(retried.ok());
  ready.insert(ready.end(), retried->begin(), retried->end());
  std::stable_sort(ready.begin(), ready.end(), [&](NodeId a, NodeId b) {
    return run.state->rank_of(a) > run.state->rank_of(b);
  });
}

Result<std::vector<NodeId>> Dag::input(Run& run, const JournalRecord& record) {
  auto ready = apply(*run.state, record);
  if (ready) note_input(run, record);
  return ready;
}

void Dag::note_input(Run& run, const JournalRecord& record) {
  run.unwritten->append(record);
  ++run.applied;
}

template <class M>
void Dag::reply_batch(Call<M>& call, const Run& run, const std::vector<NodeId>& ready,
                      bool with_head) {
  const RunState& state = *run.state;
  call.reply([&](messages::RunBatchResponse::Builder out) {
    auto nodes = out.initReady(static_cast<unsigned>(ready.size()));
    for (unsigned i = 0; i < nodes.size(); ++i) nodes.set(i, ready[i]);
    auto attempts = out.initAttempts(static_cast<unsigned>(ready.size()));
    for (unsigned i = 0; i < attempts.size(); ++i) attempts.set(i, state.attempt_of(ready[i]));
    out.setStatus(as_message(state.status()));
    out.setEnded(state.ended());
    write_progress(out.initProgress(), state.progress());
    const auto retry_us = state.next_retry_us();
    out.setRetryAtNs(retry_us.value_or(0) * 1000);
    out.setRetryInNs(retry_us ? std::max<std::int64_t>(*retry_us - now_us(), 0) * 1000 : -1);
    out.setResumptions(state.resumptions());
    if (with_head) {
      out.setHead((*run.head).getHead());
      const std::string bytes = state.snapshot();
      out.setState({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
    }
    if constexpr (std::is_same_v<M, protocol::Dag::Complete>) {
      out.setDropped(batch_.dropped);
      unsigned expanded = 0;
      for (const NodeOutcome& outcome : batch_.completed.outcomes)
        expanded += outcome.kind == OutcomeKind::expanded && state.children_of(outcome.node);
      if (expanded == 0) return;
      auto expansions = out.initExpansions(expanded);
      unsigned i = 0;
      for (const NodeOutcome& outcome : batch_.completed.outcomes) {
        const auto children = state.children_of(outcome.node);
        if (outcome.kind != OutcomeKind::expanded || !children) continue;
        expansions[i].setNode(outcome.node);
        expansions[i].setFirstChild(children->first);
        expansions[i++].setChildren(children->count);
      }
    }
  });
}

// ---- ending a run early -------------------------------------------------------------------------

void Dag::cancel_run(Call<protocol::Dag::CancelRun> call) {
  const auto name = view(call->getRun());
  if (Status checked = check_run_id(name, "run"); !checked) return call.fail(checked.error());
  if (find(name) != nullptr) {
    auto open = find_open(name);
    if (!open) return call.fail(open.error());
    return cancel(**open, true, std::move(call));
  }
  auto open = std::make_shared<Call<protocol::Dag::CancelRun>>(std::move(call));
  load(name, [this, open](Result<Run*> run) {
    if (!run) return open->fail(run.error());
    cancel(**run, false, std::move(*open));
  });
}

void Dag::cancel(Run& run, bool is_under_way, Call<protocol::Dag::CancelRun> call) {
  auto open = std::make_shared<Call<protocol::Dag::CancelRun>>(std::move(call));
  const auto failure = view((*open)->getFailure());
  if (!run.state->ended()) {
    const auto kind = failure.empty() ? RecordKind::cancelled : RecordKind::abandoned;
    auto cancelled = input(run, {kind, now_us()});
    SYMPHONY_ASSERT(cancelled.ok());
    run.summary.failure = failure;
  }
  if (!is_under_way) {
    // Nobody is left who would report what ran.
    if (!run.state->ended()) {
      auto resumed = input(run, {RecordKind::resumed, now_us()});
      SYMPHONY_ASSERT(resumed.ok() && run.state->ended());
    }
    run.leaving = true;
  }
  const std::uint64_t epoch = run.epoch;
  when_durable(run, [this, open, epoch](Status status) {
    if (!status) return open->fail(status.error());
    open->reply([&](messages::CancelRunResponse::Builder out) {
      out.setStatus(as_message(find(epoch)->state->status()));
    });
  });
  write(run);
  leave_if_over(run);
}

}  // namespace symphony::actors
