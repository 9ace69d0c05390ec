// Runs from the journal: those that somebody asks for, those that the DAG tracker lost, and, when
// the engine starts, all that have not ended.
#include <algorithm>
#include <utility>

#include "actors/orchestration/engine/opening.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kDagTimeout{30};
constexpr std::uint32_t kRowsPage = 5'000;
constexpr std::uint32_t kListPage = 1'000;
constexpr std::size_t kOpeningsWaitingMax = 100;  // for another of the same run
constexpr milliseconds kReopenDelay{200};
constexpr std::uint32_t kReopensMax = 25;  // in a row, of a run that the DAG tracker lost
constexpr std::uint32_t kResumeTriesMax = 8;
constexpr std::uint32_t kListTriesMax = 50;

// Longer with each failure, up to half a minute.
milliseconds delay_after(std::uint32_t failures) {
  return std::min(kReopenDelay * (1U << std::min(failures, 12U)), milliseconds{30'000});
}

// Whether to try again is of no use, and nothing may be written about it either.
bool is_not_ours(const Error& error) {
  return error.code == Errc::DATA_CORRUPT || error.code == Errc::UNIMPLEMENTED ||
         error.code == Errc::NOT_FOUND;
}

}  // namespace

void Engine::resume(Call<protocol::Engine::Resume> call) {
  if (Status admitted = admit(); !admitted) return call.fail(admitted.error());
  if (Status admitted = admit_attached(call->getAttached(), call.header()); !admitted)
    return call.fail(admitted.error());
  auto opening = std::make_shared<Opening>();
  opening->id = text_of(call->getRun());
  opening->again = call->getAgain();
  opening->prepared.caller = caller_of(call);
  opening->call.emplace(std::move(call));
  host().on_own_behalf([&] { open(opening); });  // others may wait for it too
}

void Engine::open(std::shared_ptr<Opening> opening) {
  shared_.dag.show([&](auto request) { request.setRun(opening->id); })
      .within(kDagTimeout)
      .then([this, opening](Result<Msg<messages::ShowRunResponse>> shown) {
        if (!shown) return finish_opening(opening, shown.error());
        opening->prepared.header = read((*shown)->getHead());
        // Whoever asks for a run that was cut short wants it to go on.
        if (opening->call && (*shown)->getRow().getStatus() == messages::RunStatus::CANCELLED)
          opening->again = true;
        std::string id = (*shown)->getRow().getRun().cStr();
        const auto live = runs_.find(id);
        const bool under_way =
            live != runs_.end() && !live->second->ended() && !live->second->interrupted();
        if (under_way) return open_under_way(opening, *live->second);
        if (!opening->call) {
          // One that waits for its client to come back is left to that.
          if (live == runs_.end() && opening->prepared.header.attached)
            return leave_opening(*opening);
          opening->prepared.caller =
              live != runs_.end() ? live->second->facts().environment : shared_.options.environment;
        }
        const auto [first, alone] = opening_.try_emplace(id);
        if (!alone && first->second.size() < kOpeningsWaitingMax)
          return first->second.push_back(opening);
        if (!alone)
          return finish_opening(opening,
                                Error{Errc::OVERLOADED, "run " + id + " is being resumed", "run"});
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

void Engine::open_under_way(const std::shared_ptr<Opening>& opening, const EngineRun& run) {
  const auto refuse = [&](Errc code, const std::string& why) {
    finish_opening(opening,
                   Error{code, "run " + run.id() + " " + why, "run", code == Errc::OVERLOADED});
  };
  if (opening->call && run.cancelling()) {
    // Its client may just have died, and this is the next one.
    auto& waiting = ending_[run.id()];
    if (waiting.size() >= kOpeningsWaitingMax)
      return refuse(Errc::OVERLOADED, "is being cancelled");
    return waiting.push_back(opening);
  }
  if (!opening->call || !(*opening->call)->getAttached() || !attachments_.somebodys(run.id()))
    return refuse(Errc::FAILED_PRECONDITION, "is under way");
  attachments_.give(opening->call->header().sender, run.id());  // unless that is gone
  opening->call->reply([&](auto response) {
    response.setRun(run.id());
    response.setMelody(run.facts().plan.name);
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
        // It may have been cut short after it was looked at.
        if (opening->call && !opening->again && (*opened)->getEnded() &&
            (*opened)->getStatus() == messages::RunStatus::CANCELLED) {
          opening->again = true;
          return open_in_dag(opening);
        }
        opening->batch = std::move(*opened);
        RunFacts& facts = *opening->prepared.facts;
        facts.expected_us = expected_durations(estimates_, facts.plan);
        const auto bytes = opening->batch->getState();
        auto state =
            RunState::restore(run_plan(facts.plan, facts.expected_us),
                              {reinterpret_cast<const char*>(bytes.begin()), bytes.size()});
        if (!state)
          return finish_opening(opening,
                                Error{Errc::FAILED_PRECONDITION,
                                      "the journal does not fit the melody of run " + opening->id});
        opening->run = std::make_shared<EngineRun>(host(), shared_, opening->prepared.facts,
                                                   opening->prepared.header.weight,
                                                   [this](EngineRun& over) { on_over(over); });
        opening->run->restore(*state);
        opening->state.emplace(std::move(*state));
        read_rows(opening, 0);
      });
}

// For a display: the times of the melody's nodes, and what failed.
void Engine::read_rows(std::shared_ptr<Opening> opening, NodeId first) {
  const auto nodes = static_cast<NodeId>(opening->prepared.facts->plan.nodes.size());
  if (first >= nodes && opening->state->progress().failed == 0) return finish_opening(opening, {});
  const bool failed_only = first >= nodes;
  shared_.dag
      .results([&](auto request) {
        request.setRun(opening->id);
        request.setOffset(first);
        request.setMax(failed_only ? kRowsPage : std::min(kRowsPage, nodes - first));
        request.setBrief(true);
        request.setFailedOnly(failed_only);
      })
      .within(kDagTimeout)
      .then([this, opening, first, failed_only](Result<Msg<messages::NodeResultsResponse>> page) {
        if (!page) return finish_opening(opening, page.error());
        const auto rows = (*page)->getNodes();
        for (const auto row : rows) opening->run->restore(row);
        if (failed_only) return finish_opening(opening, {});
        if (rows.size() == 0)
          return finish_opening(
              opening,
              Error{Errc::DATA_CORRUPT, "the journal of run " + opening->id + " lacks nodes"});
        read_rows(opening, first + rows.size());
      });
}

void Engine::finish_opening(const std::shared_ptr<Opening>& opening, Status status) {
  if (opening->entered) {
    const auto waiting = opening_.extract(opening->id);
    for (const auto& other : waiting.mapped())
      host().mailbox()->post([this, other] { open(other); });
  }
  if (!status) {
    fail_opening(*opening, status.error());
  } else if (!opening->prepared.facts) {
    refuse_opening(*opening);
  } else {
    start_opened(*opening);
  }
  leave_opening(*opening);
}

void Engine::leave_opening(const Opening& opening) {
  if (!opening.at_start) return;
  --resuming_;
  resume_next();
}

void Engine::fail_opening(Opening& opening, const Error& error) {
  if (opening.call) return opening.call->fail(error);
  host().log().warn("could not resume a run", {{"run", opening.id}, {"reason", error.message}});
  const auto old = runs_.find(opening.id);
  if (old != runs_.end() && old->second->interrupted()) {
    if (opening.tries >= kReopensMax) return old->second->abandon(error);
    return reopen(opening.id, opening.tries + 1);  // the DAG tracker may still be coming up
  }
  if (!opening.at_start || is_not_ours(error) || runs_.contains(opening.id)) return;
  if (opening.tries >= kResumeTriesMax)
    return end_early(opening.id, "it could not be resumed: " + error.message, 0);
  host().after(delay_after(opening.tries), [this, id = opening.id, tries = opening.tries + 1] {
    unfinished_.push_back({id, tries});
    resume_next();
  });
}

// The melody does not fit this program.
void Engine::refuse_opening(Opening& opening) {
  const runtime::Problems& problems = opening.prepared.problems;
  if (opening.call) {
    return opening.call->reply(
        [&](auto response) { write(response.initProblems(count_of(problems)), problems); });
  }
  host().log().error("a run cannot be resumed, its melody does not fit any more",
                     {{"run", opening.id}, {"problems", problems.text()}});
  end_early(opening.id, "its melody does not fit any more: " + problems.text(), 0);
}

void Engine::start_opened(Opening& opening) {
  const auto old = runs_.find(opening.id);
  if (old != runs_.end()) {
    opening.waiters = old->second->take_waiters();
    std::erase(ended_, opening.id);
  }
  runs_.insert_or_assign(opening.id, opening.run);
  EngineRun& run = *opening.run;
  run.start(std::move(*opening.state), *opening.batch);
  for (auto& call : opening.waiters.events) run.events(std::move(call));
  for (auto& call : opening.waiters.cancels) run.cancel(std::move(call));
  refresh_state_line();
  if (orphaned_.erase(run.id()) > 0) run.cancel(std::nullopt);
  if (!opening.batch->getEnded()) tell_feed(run, messages::RunStatus::RUNNING);
  if (!opening.call) return;
  if ((*opening.call)->getAttached()) give_to_client(opening.call->header(), run);
  opening.call->reply([&](auto response) {
    response.setRun(run.id());
    response.setMelody(run.facts().plan.name);
    response.setAlreadyEnded(opening.batch->getEnded());
  });
}

void Engine::reopen(const std::string& id, std::uint32_t tries) {
  host().after(kReopenDelay, [this, id, tries] {
    const auto interrupted = runs_.find(id);
    if (interrupted == runs_.end() || !interrupted->second->interrupted()) return;
    auto opening = std::make_shared<Opening>();
    opening->id = id;
    opening->tries = tries;
    open(std::move(opening));
  });
}

// ---- when the engine starts ---------------------------------------------------------------------

void Engine::list_unfinished(const std::string& before, std::uint32_t tries) {
  shared_.dag
      .list([&](auto request) {
        request.setUnfinished(true);
        request.setMax(kListPage);
        request.setBefore(before);
      })
      .within(kDagTimeout)
      .then([this, before, tries](Result<Msg<messages::ListRunsResponse>> listed) {
        if (!listed) {
          host().log().warn("could not look for unfinished runs",
                            {{"reason", listed.error().message}});
          if (tries >= kListTriesMax) {
            listing_unfinished_ = false;
            return;
          }
          host().after(delay_after(tries),
                       [this, before, tries] { list_unfinished(before, tries + 1); });
          return;
        }
        const auto rows = (*listed)->getRuns();
        for (const auto row : rows) note_unfinished(row);
        listing_unfinished_ = rows.size() == kListPage;
        if (listing_unfinished_) list_unfinished(rows[kListPage - 1].getRun().cStr(), 0);
        resume_next();
      });
}

void Engine::note_unfinished(messages::RunRow::Reader row) {
  std::string id = row.getRun().cStr();
  if (runs_.contains(id) || opening_.contains(id)) return;
  const std::uint32_t crashes = row.getFruitlessResumptions();
  if (crashes < shared_.options.resumptions_max) return unfinished_.push_back({std::move(id), 0});
  host().log().error("failed a run that crashes keep interrupting", {{"run", id}});
  end_early(id,
            "crashes interrupted it " + std::to_string(crashes) +
                " times in a row before any of its nodes ended",
            0);
}

void Engine::resume_next() {
  while (!unfinished_.empty() && resuming_ < kResumingMax &&
         runs_.size() - ended_.size() + resuming_ < shared_.options.runs_max) {
    auto next = std::move(unfinished_.front());
    unfinished_.pop_front();
    if (runs_.contains(next.id) || opening_.contains(next.id)) continue;
    auto opening = std::make_shared<Opening>();
    opening->id = std::move(next.id);
    opening->tries = next.tries;
    opening->at_start = true;
    ++resuming_;
    open(std::move(opening));
  }
}

}  // namespace symphony::actors
