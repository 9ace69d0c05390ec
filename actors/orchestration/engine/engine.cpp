#include "actors/orchestration/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "actors/orchestration/engine/opening.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kDagTimeout{30};
constexpr milliseconds kDisownDelay{500};
constexpr std::uint32_t kDisownTriesMax = 120;

// Whether a request may have had its effect although it failed.
bool may_have_happened(const Error& error) {
  return error.code == Errc::DEADLINE_EXCEEDED || error.code == Errc::UNAVAILABLE ||
         error.code == Errc::INTERNAL;
}

}  // namespace

Engine::Engine(runtime::Host& host, EngineOptions options)
    : ComponentOf(host),
      shared_{std::move(options), Ref<protocol::Dag>{host}, Ref<protocol::Arbitration>{host}},
      ids_(host.services().clocks, host.services().random),
      attachments_(shared_.options.attachments_max),
      feed_(shared_.options.feed_changes_max, shared_.options.feed_readers_max) {
  SYMPHONY_ASSERT(shared_.options.operators != nullptr && shared_.options.asker != nullptr);
}

Engine::~Engine() = default;

void Engine::start(runtime::Step step) {
  step.done();
  refresh_state_line();
  listing_unfinished_ = shared_.options.resume_runs;
  if (listing_unfinished_) host().on_own_behalf([this] { list_unfinished("", 0); });
}

void Engine::cancelled(const Header& request) {
  for (auto& [id, run] : runs_) run->forget(request);
  feed_.forget(request);
  for (std::string& id : attachments_.take(request)) {
    const auto run = runs_.find(id);
    if (run == runs_.end() || attachments_.somebodys(id)) continue;
    if (run->second->interrupted())
      orphaned_.insert(std::move(id));
    else
      host().on_own_behalf([&] { run->second->cancel(std::nullopt); });
  }
}

void Engine::refresh_state_line() {
  const auto live = runs_.size() - ended_.size();
  host().set_state_line(live == 1 ? "1 run under way" : std::to_string(live) + " runs under way");
}

// ---- new runs -----------------------------------------------------------------------------------

Status Engine::admit() const {
  if (runs_.size() - ended_.size() + opening_.size() >= shared_.options.runs_max)
    return Error{Errc::OVERLOADED,
                 std::to_string(shared_.options.runs_max) +
                     " runs are under way; try again when one has ended",
                 "", true};
  if (shared_.slots_lost >= shared_.options.slots_lost_max)
    return Error{Errc::OVERLOADED,
                 std::to_string(shared_.slots_lost) +
                     " threads are stuck in operators that do not end; restart the node",
                 "", true};
  return {};
}

Status Engine::admit_attached(bool attached, const Header& request) const {
  if (!attached || attachments_.holds(request.sender)) return {};
  return Error{Errc::FAILED_PRECONDITION, "a client that is not attached cannot attach a run",
               "attached"};
}

void Engine::give_to_client(const Header& request, EngineRun& run) {
  if (attachments_.give(request.sender, run.id())) return;
  host().on_own_behalf([&] { run.cancel(std::nullopt); });
}

void Engine::tell_feed(const EngineRun& run, messages::RunStatus status) {
  feed_.tell(run.id(), run.facts().plan.name, status, host().services().clocks.wall_ns());
}

void Engine::run(Call<protocol::Engine::Run> call) {
  if (Status admitted = admit(); !admitted) return call.fail(admitted.error());
  if (Status admitted = admit_attached(call->getAttached(), call.header()); !admitted)
    return call.fail(admitted.error());
  auto prepared = std::make_shared<Prepared>();
  RunHeader& header = prepared->header;
  header.run = to_string(ids_.next());
  header.file = text_of(call->getFile());
  header.text = text_of(call->getText());
  header.directory = text_of(call->getDirectory());
  header.started_ns = host().services().clocks.wall_ns();
  header.host = shared_.options.host;
  header.weight = std::max<std::uint32_t>(call->getWeight(), 1);
  header.attached = call->getAttached();
  prepared->caller = caller_of(call);
  for (const auto input : call->getInputs())
    prepared->assignments.push_back(text_of(input.getName()) + "=" + text_of(input.getValue()));
  host().run_blocking(
      [prepared, operators = shared_.options.operators] { prepared->load(*operators, true); },
      [this, prepared, call = std::move(call)](Status loaded) mutable {
        if (!loaded) return call.fail(loaded.error());
        if (prepared->facts) return create(std::move(prepared), std::move(call));
        call.reply([&](auto response) {
          write(response.initProblems(count_of(prepared->problems)), prepared->problems);
        });
      });
}

void Engine::create(std::shared_ptr<Prepared> prepared, Call<protocol::Engine::Run> call) {
  opening_.try_emplace(prepared->header.run);
  RunFacts& facts = *prepared->facts;
  facts.expected_us = expected_durations(estimates_, facts.plan);
  shared_.dag
      .create(
          [&](auto request) { write(request, facts.plan, prepared->header, facts.expected_us); })
      .within(kDagTimeout)
      .then([this, prepared,
             call = std::move(call)](Result<Msg<messages::RunBatchResponse>> created) mutable {
        opening_.erase(prepared->header.run);
        if (!created) return refuse(prepared->header.run, created.error(), std::move(call));
        auto state = fresh_state(*prepared->facts);
        if (!state) return refuse(prepared->header.run, state.error(), std::move(call));
        const auto run = add(prepared->facts, prepared->header.weight);
        host().on_own_behalf([&] { run->start(std::move(*state), **created); });
        tell_feed(*run, messages::RunStatus::RUNNING);
        if (call->getAttached()) give_to_client(call.header(), *run);
        call.reply([&](auto response) {
          response.setRun(run->id());
          response.setMelody(prepared->facts->plan.name);
        });
      });
}

Result<RunState> Engine::fresh_state(const RunFacts& facts) const {
  auto state = RunState::create(run_plan(facts.plan, facts.expected_us));
  if (!state) return state;
  auto ready = state->start(host().services().clocks.wall_ns() / 1000);
  if (!ready) return std::move(ready).error();
  return state;
}

// Whoever asked for the run does not get it: if it is there all the same, it must not go on.
void Engine::refuse(const std::string& run, Error error, Call<protocol::Engine::Run> call) {
  if (may_have_happened(error)) {
    error.message += "; run " + run + " is ended if it was filed";
    host().on_own_behalf(
        [&] { end_early(run, "whoever asked for it did not learn that it was filed", 0); });
  }
  call.fail(std::move(error));
}

void Engine::end_early(const std::string& run, const std::string& reason, std::uint32_t tries) {
  shared_.dag
      .cancel_run([&](auto request) {
        request.setRun(run);
        request.setFailure(reason);
      })
      .within(kDagTimeout)
      .then([this, run, reason, tries](Result<Msg<messages::CancelRunResponse>> ended) {
        if (ended || ended.error().code == Errc::NOT_FOUND) return;
        if (tries >= kDisownTriesMax)
          return host().log().error("could not end a run that cannot go on",
                                    {{"run", run}, {"reason", ended.error().message}});
        host().after(kDisownDelay,
                     [this, run, reason, tries] { end_early(run, reason, tries + 1); });
      });
}

std::shared_ptr<EngineRun> Engine::add(std::shared_ptr<const RunFacts> facts,
                                       std::uint32_t weight) {
  auto run = std::make_shared<EngineRun>(host(), shared_, facts, weight,
                                         [this](EngineRun& over) { on_over(over); });
  runs_.insert_or_assign(facts->id, run);
  refresh_state_line();
  return run;
}

void Engine::on_over(EngineRun& run) {
  if (run.interrupted()) return reopen(run.id(), 0);
  learn_durations(estimates_, run.facts().plan, run.melody_nodes());
  ended_.push_back(run.id());
  attachments_.forget(run.id());
  if (const auto waiting = ending_.extract(run.id()))
    for (const auto& opening : waiting.mapped())
      host().mailbox()->post([this, opening] { open(opening); });
  tell_feed(run, run.status());
  refresh_state_line();
  host().on_own_behalf([this] {
    host().mailbox()->post([this] {
      drop_oldest_ended();
      resume_next();
    });
  });
}

void Engine::drop_oldest_ended() {
  while (ended_.size() > shared_.options.ended_runs_max) {
    runs_.erase(ended_.front());
    ended_.pop_front();
  }
}

// ---- what is under way --------------------------------------------------------------------------

Result<EngineRun*> Engine::find(std::string_view beginning) {
  const auto waiting = std::find_if(unfinished_.begin(), unfinished_.end(), [&](const auto& run) {
    return !beginning.empty() && run.id.starts_with(beginning);
  });
  if (waiting != unfinished_.end())
    return Error{Errc::UNAVAILABLE,
                 "run " + waiting->id + " waits to be resumed; ask again in a moment", "run", true};
  const auto first = runs_.lower_bound(beginning);
  if (first == runs_.end() || !first->first.starts_with(beginning) || beginning.empty())
    return Error{Errc::NOT_FOUND, "no run " + std::string(beginning) + " is or was under way here",
                 "run"};
  const auto second = std::next(first);
  if (first->first != beginning && second != runs_.end() && second->first.starts_with(beginning))
    return Error{Errc::INVALID_ARGUMENT,
                 "more than one run begins with " + std::string(beginning) + "; give more of it",
                 "run"};
  return first->second.get();
}

void Engine::cancel_run(Call<protocol::Engine::CancelRun> call) {
  const auto run = find(call->getRun().cStr());
  if (!run) return call.fail(run.error());
  const bool hurry = call->getHurry();
  (*run)->cancel(std::move(call), hurry);
}

void Engine::attach(Call<protocol::Engine::Attach> call) { attachments_.add(std::move(call)); }

void Engine::under_way(Call<protocol::Engine::UnderWay> call) {
  const auto runs = runs_.size() - ended_.size() + opening_.size() + resuming_ +
                    unfinished_.size() + (listing_unfinished_ ? 1 : 0);
  call.reply([&](auto response) { response.setRuns(static_cast<std::uint32_t>(runs)); });
}

void Engine::feed(Call<protocol::Engine::Feed> call) { feed_.follow(std::move(call)); }

void Engine::progress(Call<protocol::Engine::Progress> call) {
  const auto run = find(call->getRun().cStr());
  if (!run) return call.fail(run.error());
  (*run)->progress(std::move(call));
}

void Engine::events(Call<protocol::Engine::Events> call) {
  const auto run = find(call->getRun().cStr());
  if (!run) return call.fail(run.error());
  (*run)->events(std::move(call));
}

}  // namespace symphony::actors
