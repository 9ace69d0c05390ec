#include "actors/orchestration/engine/engine.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "actors/orchestration/melody/inputs.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kDagTimeout{30};
constexpr std::uint32_t kRowsPage = 5'000;
constexpr milliseconds kReopenDelay{200};
constexpr std::size_t kOpeningsWaitingMax = 100;  // for another of the same run
constexpr std::uint32_t kReopensMax = 25;         // in a row, of a run that the DAG tracker lost

unsigned shown(const runtime::Problems& problems) {
  return static_cast<unsigned>(problems.end() - problems.begin());
}

std::string text_of(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

std::string absolute_path(const std::string& path, const std::string& directory) {
  if (path.starts_with('/')) return path;
  std::string whole = (std::filesystem::path(directory) / path).lexically_normal().string();
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

// A run goes on in another process, perhaps started elsewhere: its paths must not depend on that.
void make_paths_absolute(Json& inputs, const std::vector<MelodyInput>& declared,
                         const std::string& directory) {
  if (directory.empty()) return;
  for (const MelodyInput& input : declared) {
    if (input.type != ValueType::path) continue;
    Json& value = inputs[input.name];
    if (value.is_string()) value = absolute_path(value.get<std::string>(), directory);
  }
}

}  // namespace

// A melody on its way to become a run.
struct Engine::Prepared {
  RunHeader header;
  std::vector<std::string> assignments;  // of a new run
  std::uint32_t weight = 1;
  std::shared_ptr<RunFacts> facts;  // null when there are problems
  runtime::Problems problems;

  // Reads and checks everything; megabytes of melody are no work for an actor. `fresh`: inputs
  // come from the assignments, else from the journal.
  void load(const OperatorRegistry& operators, bool fresh) {
    auto loaded = load_melody(header.text, header.file.empty() ? "melody" : header.file, operators);
    problems = std::move(loaded.problems);
    if (!loaded.plan) return;
    auto made = std::make_shared<RunFacts>();
    made->plan = std::move(*loaded.plan);
    if (fresh) {
      auto bound = bind_inputs(made->plan.inputs, assignments);
      problems.append(std::move(bound.problems));
      if (!bound.value) return;
      made->inputs = std::move(*bound.value);
      make_paths_absolute(made->inputs, made->plan.inputs, header.directory);
      header.inputs = made->inputs.dump();
      header.melody = made->plan.name;
      header.version = made->plan.version;
    } else {
      made->inputs = Json::parse(header.inputs, nullptr, false);
      if (!made->inputs.is_object()) {
        problems.add({{}, "inputs", "the journal's inputs of the run cannot be read"});
        return;
      }
    }
    for (const PlanNode& node : made->plan.nodes)
      made->operators.push_back(operators.find(node.use));
    made->id = header.run;
    made->started = iso8601_utc(header.started_ns);
    made->host = header.host;
    facts = std::move(made);
  }
};

// A run on its way from the journal into memory.
struct Engine::Opening {
  std::string id;
  bool again = false;
  std::optional<Call<protocol::Engine::Resume>> call;
  EngineRun::Waiters waiters;  // of its predecessor
  std::uint32_t reopens = 0;
  bool entered = false;  // holds the run's place in opening_
  Prepared prepared;
  std::shared_ptr<EngineRun> run;
  Msg<messages::RunBatchResponse> batch;
  std::uint32_t next_row = 0;
};

Engine::Engine(runtime::Host& host, EngineOptions options)
    : ComponentOf(host),
      shared_{std::move(options), Ref<protocol::Dag>{host}, Ref<protocol::Arbitration>{host}},
      ids_(host.services().clocks, host.services().random) {
  SYMPHONY_ASSERT(shared_.options.operators != nullptr && shared_.options.asker != nullptr);
}

Engine::~Engine() = default;

void Engine::start(runtime::Step step) {
  step.done();
  refresh_state_line();
  if (shared_.options.take_up_runs) host().mailbox()->post([this] { take_up_runs(); });
}

void Engine::cancelled(const Header& request) {
  for (auto& [id, run] : runs_) run->forget(request);
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
  if (shared_.lanes_lost >= shared_.options.lanes_lost_max)
    return Error{Errc::OVERLOADED,
                 std::to_string(shared_.lanes_lost) +
                     " threads are stuck in operators that do not end; restart the node",
                 "", true};
  return {};
}

void Engine::run(Call<protocol::Engine::Run> call) {
  if (Status admitted = admit(); !admitted) return call.fail(admitted.error());
  auto prepared = std::make_shared<Prepared>();
  RunHeader& header = prepared->header;
  header.run = to_string(ids_.next());
  header.file = text_of(call->getFile());
  header.text = text_of(call->getText());
  header.directory = text_of(call->getDirectory());
  header.started_ns = host().services().clocks.wall_ns();
  header.host = shared_.options.host;
  prepared->weight = std::max<std::uint32_t>(call->getWeight(), 1);
  for (const auto input : call->getInputs())
    prepared->assignments.push_back(text_of(input.getName()) + "=" + text_of(input.getValue()));
  host().run_blocking(
      [prepared, operators = shared_.options.operators] { prepared->load(*operators, true); },
      [this, prepared, call = std::move(call)](Status loaded) mutable {
        if (!loaded) return call.fail(loaded.error());
        if (prepared->facts) return create(std::move(prepared), std::move(call));
        call.reply([&](auto response) {
          write(response.initProblems(shown(prepared->problems)), prepared->problems);
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
        if (!created) return call.fail(created.error());
        const auto run = add(prepared->facts, prepared->weight);
        run->start(**created);
        call.reply([&](auto response) {
          response.setRun(run->id());
          response.setMelody(prepared->facts->plan.name);
        });
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

// ---- runs from the journal ----------------------------------------------------------------------

void Engine::resume(Call<protocol::Engine::Resume> call) {
  if (Status admitted = admit(); !admitted) return call.fail(admitted.error());
  auto opening = std::make_shared<Opening>();
  opening->id = text_of(call->getRun());
  opening->again = call->getAgain();
  opening->call.emplace(std::move(call));
  host().mailbox()->post([this, opening] { open(opening); });
}

void Engine::open(std::shared_ptr<Opening> opening) {
  shared_.dag.show([&](auto request) { request.setRun(opening->id); })
      .within(kDagTimeout)
      .then([this, opening](Result<Msg<messages::ShowRunResponse>> shown) {
        if (!shown) return finish_opening(opening, shown.error());
        opening->prepared.header = read((*shown)->getHead());
        std::string id = (*shown)->getRow().getRun().cStr();
        const auto live = runs_.find(id);
        const bool under_way =
            live != runs_.end() && !live->second->ended() && !live->second->interrupted();
        if (under_way)
          return finish_opening(
              opening, Error{Errc::FAILED_PRECONDITION, "run " + id + " is under way", "run"});
        const auto [first, alone] = opening_.try_emplace(id);
        if (!alone && first->second.size() < kOpeningsWaitingMax)
          return first->second.push_back(opening);
        if (!alone)
          return finish_opening(opening,
                                Error{Errc::OVERLOADED, "run " + id + " is being taken up", "run"});
        opening->entered = true;
        opening->id = opening->prepared.header.run = std::move(id);
        host().run_blocking(
            [opening, operators = shared_.options.operators] {
              opening->prepared.load(*operators, false);
            },
            [this, opening](Status loaded) {
              if (!loaded) return finish_opening(opening, loaded.error());
              if (!opening->prepared.facts) return finish_opening(opening, {});
              open_in_dag(opening);
            });
      });
}

void Engine::open_in_dag(std::shared_ptr<Opening> opening) {
  // What an earlier incarnation of the engine holds of the node goes back first.
  shared_.arbitration.close([&](auto request) { request.setRun(opening->id); }).then([](auto) {});
  shared_.dag
      .open([&](auto request) {
        request.setRun(opening->id);
        request.setAgain(opening->again);
      })
      .within(kDagTimeout)
      .then([this, opening](Result<Msg<messages::RunBatchResponse>> opened) {
        if (!opened) return finish_opening(opening, opened.error());
        opening->batch = std::move(*opened);
        RunFacts& facts = *opening->prepared.facts;
        facts.expected_us = expected_durations(estimates_, facts.plan);
        opening->run = std::make_shared<EngineRun>(host(), shared_, opening->prepared.facts,
                                                   opening->prepared.weight,
                                                   [this](EngineRun& over) { on_over(over); });
        read_rows(opening);
      });
}

void Engine::read_rows(std::shared_ptr<Opening> opening) {
  shared_.dag
      .results([&](auto request) {
        request.setRun(opening->id);
        request.setOffset(opening->next_row);
        request.setMax(kRowsPage);
      })
      .within(kDagTimeout)
      .then([this, opening](Result<Msg<messages::NodeResultsResponse>> page) {
        if (!page) return finish_opening(opening, page.error());
        for (const auto row : (*page)->getNodes()) {
          if (Status restored = opening->run->restore(row); !restored)
            return finish_opening(opening, restored);
          ++opening->next_row;
        }
        const std::uint32_t total = (*page)->getTotal();
        const bool more = opening->next_row < total && (*page)->getNodes().size() > 0;
        if (more) return read_rows(opening);
        if (opening->next_row < total || total < opening->prepared.facts->plan.nodes.size())
          return finish_opening(
              opening,
              Error{Errc::DATA_CORRUPT, "the journal of run " + opening->id + " lacks nodes"});
        finish_opening(opening, {});
      });
}

void Engine::finish_opening(const std::shared_ptr<Opening>& opening, Status status) {
  if (opening->entered) {
    const auto waiting = opening_.extract(opening->id);
    for (const auto& other : waiting.mapped())
      host().mailbox()->post([this, other] { open(other); });
  }
  if (!status) {
    if (opening->call) return opening->call->fail(status.error());
    host().log().warn("could not take up a run",
                      {{"run", opening->id}, {"reason", status.error().message}});
    const auto old = runs_.find(opening->id);
    if (old == runs_.end() || !old->second->interrupted()) return;
    if (opening->reopens >= kReopensMax) return old->second->give_up(status.error());
    // The DAG tracker may still be coming up.
    host().after(kReopenDelay, [this, id = opening->id, reopens = opening->reopens + 1] {
      auto next = std::make_shared<Opening>();
      next->id = id;
      next->reopens = reopens;
      const auto interrupted = runs_.find(id);
      if (interrupted == runs_.end() || !interrupted->second->interrupted()) return;
      open(next);
    });
    return;
  }
  if (!opening->prepared.facts) {
    if (!opening->call) {
      host().log().warn("a run cannot be taken up, its melody does not fit any more",
                        {{"run", opening->id}, {"problems", opening->prepared.problems.text()}});
      return;
    }
    opening->call->reply([&](auto response) {
      write(response.initProblems(shown(opening->prepared.problems)), opening->prepared.problems);
    });
    return;
  }
  const auto old = runs_.find(opening->id);
  if (old != runs_.end()) {
    opening->waiters = old->second->take_waiters();
    std::erase(ended_, opening->id);
  }
  runs_.insert_or_assign(opening->id, opening->run);
  EngineRun& run = *opening->run;
  run.start(*opening->batch);
  for (auto& call : opening->waiters.events) run.events(std::move(call));
  for (auto& call : opening->waiters.cancels) run.cancel(std::move(call));
  refresh_state_line();
  if (!opening->call) return;
  opening->call->reply([&](auto response) {
    response.setRun(run.id());
    response.setMelody(run.facts().plan.name);
    response.setAlreadyEnded(opening->batch->getEnded());
  });
}

void Engine::take_up_runs() {
  shared_.dag
      .list([&](auto request) {
        request.setUnfinished(true);
        request.setMax(static_cast<std::uint32_t>(shared_.options.runs_max));
      })
      .within(kDagTimeout)
      .then([this](Result<Msg<messages::ListRunsResponse>> listed) {
        if (!listed)
          return host().log().warn("could not look for interrupted runs",
                                   {{"reason", listed.error().message}});
        for (const auto row : (*listed)->getRuns()) {
          std::string id = row.getRun().cStr();
          if (runs_.contains(id) || opening_.contains(id)) continue;
          if (row.getFruitlessResumptions() >= shared_.options.resumptions_max) {
            host().log().error("cancelled a run that crashes keep interrupting", {{"run", id}});
            shared_.dag.cancel_run([&](auto request) { request.setRun(id); })
                .within(kDagTimeout)
                .then([](auto) {});
            continue;
          }
          auto opening = std::make_shared<Opening>();
          opening->id = std::move(id);
          open(std::move(opening));
        }
      });
}

void Engine::on_over(EngineRun& run) {
  if (run.interrupted()) {
    auto opening = std::make_shared<Opening>();
    opening->id = run.id();
    host().after(kReopenDelay, [this, opening] { open(opening); });
    return;
  }
  learn_durations(estimates_, run.facts().plan, run.melody_nodes());
  ended_.push_back(run.id());
  refresh_state_line();
  host().mailbox()->post([this] { drop_oldest_ended(); });
}

void Engine::drop_oldest_ended() {
  while (ended_.size() > shared_.options.ended_runs_max) {
    runs_.erase(ended_.front());
    ended_.pop_front();
  }
}

// ---- what is under way --------------------------------------------------------------------------

Result<EngineRun*> Engine::find(std::string_view beginning) {
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
  (*run)->cancel(std::move(call));
}

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
