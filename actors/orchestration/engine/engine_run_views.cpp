// What those who watch a run see of it: its events and its progress.
#include <utility>

#include "actors/orchestration/engine/engine_run.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

namespace {

constexpr std::uint32_t kEventsPageMax = 1'000;
constexpr std::size_t kFailuresListed = 100;
constexpr std::chrono::seconds kSyncTimeout{30};
constexpr std::chrono::milliseconds kRetryDelay{50};

std::uint64_t micros(std::chrono::nanoseconds span) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(span).count());
}

}  // namespace

// ---- for those who watch ------------------------------------------------------------------------

void EngineRun::events(EventsCall call) {
  if (waiters_.events.size() >= shared_.options.event_waiters_max)
    return call.fail({Errc::OVERLOADED, "too many follow run " + id() + " already", "", true});
  waiters_.events.push_back(std::move(call));
  if (phase_ == Phase::running) note_running();
  answer_events();
  // What it waits for may not be asked for yet: nobody may have watched before.
  if (phase_ == Phase::running && !waiters_.events.empty()) schedule_pump();
  arm_watch();
}

// The DAG tracker answers `complete` before what it was told is durable: who sees that a node is
// done may count on it.
void EngineRun::ask_what_is_journalled() {
  if (phase_ != Phase::running) return;
  if (!in_flight_ && !core_.has_untold()) journalled_.no_more(core_.events().next());
  const bool cancelling = cancel_ == Cancel::wanted || cancel_ == Cancel::asked || ask_again_ ||
                          (cancel_ == Cancel::done && in_flight_);
  if (!journalled_.behind() || journalled_.asking() || waiters_.events.empty() || dag_ended_ ||
      cancelling)
    return;
  journalled_.ask();
  shared_.dag.sync([&](auto request) { request.setRun(id()); })
      .within(kSyncTimeout)
      .then(safely([this](Result<Msg<messages::SyncRunResponse>> answer) {
        journalled_.answer(answer.ok());
        // What else goes wrong with the tracker shows in the answers that the run waits for.
        if (answer) return pump();
        host_.after(kRetryDelay, safely([this] { pump(); }));
      }));
}

void EngineRun::answer_events() {
  const std::uint64_t next = core_.events().next();
  for (EventsCall& call : waiters_.events) {
    const std::uint64_t cursor = std::max<std::uint64_t>(call->getCursor(), 1);
    const bool has_seen_all = cursor >= journalled_.shown() && cursor <= next;
    if (ended() || !has_seen_all) answer(call);
  }
  std::erase_if(waiters_.events, [](const EventsCall& call) { return !call.open(); });
}

void EngineRun::answer(EventsCall& call) {
  const EventRing& ring = core_.events();
  const std::uint64_t end = std::max(std::min(journalled_.shown(), ring.next()), ring.first());
  const std::uint64_t from = std::min(ring.position_of(call->getCursor()), end);
  const std::uint32_t max =
      call->getMax() == 0 ? kEventsPageMax : std::min(call->getMax(), kEventsPageMax);
  const auto count = static_cast<unsigned>(std::min<std::uint64_t>(end - from, max));
  call.reply([&](auto response) {
    response.setNext(from + count);
    response.setMissed(ring.missed_by(call->getCursor()));
    auto events = response.initEvents(count);
    for (unsigned i = 0; i < count; ++i) write(events[i], ring.at(from + i), core_);
    response.setEnded(ended() && from + count == ring.next());
  });
}

void EngineRun::forget(const Header& request) {
  const auto is_meant = [&](const auto& call) {
    return call.header().sender == request.sender &&
           call.header().correlation == request.correlation;
  };
  std::erase_if(waiters_.events, is_meant);
  std::erase_if(waiters_.cancels, is_meant);
}

EngineRun::Waiters EngineRun::take_waiters() { return std::exchange(waiters_, {}); }

void EngineRun::progress(Call<protocol::Engine::Progress> call) {
  if (phase_ == Phase::running) note_running();
  auto states = melody_nodes();
  std::vector<double> fractions(states.size(), 0);
  if (queue_)
    for (const auto& running : queue_->running())
      if (!running.item.index) fractions[running.item.of] = running.fraction;
  call.reply([&](messages::RunProgressResponse::Builder out) {
    out.setStatus(status_);
    out.setEnded(ended());
    write(out.initProgress(), queue_ ? queue_->progress() : RunProgress{});
    auto nodes = out.initNodes(static_cast<unsigned>(states.size()));
    write_nodes(nodes, facts_->plan, states);
    for (unsigned i = 0; i < nodes.size(); ++i) nodes[i].setFraction(fractions[i]);
    const auto elapsed = ended() ? elapsed_ : host_.services().clocks.mono() - began_;
    out.setElapsedUs(micros(elapsed));
    if (!ended()) return;
    auto summary = out.initSummary();
    summary.setStatus(status_);
    summary.setOutputsJson(outputs_.dump());
    summary.setElapsedUs(micros(elapsed_));
    summary.setArtifacts(core_.artifacts());
    summary.setArtifactBytes(core_.artifact_bytes());
    summary.setExecuted(core_.executed());
    auto path = summary.initCriticalPath(static_cast<unsigned>(critical_path_.size()));
    for (unsigned i = 0; i < path.size(); ++i) path.set(i, critical_path_[i]);
    summary.setCriticalPathUs(critical_path_us_);
    const auto& failed = core_.failures();
    const auto of_nodes = std::min(failed.size(), kFailuresListed);
    auto failures = summary.initFailures(static_cast<unsigned>(of_nodes + run_failures_.size()));
    for (unsigned i = 0; i < of_nodes; ++i) {
      failures[i].setNode(core_.name_of(failed[i].item));
      write_error(failures[i].initError(), *failed[i].error);
    }
    for (unsigned i = 0; i < run_failures_.size(); ++i) {
      auto failure = failures[static_cast<unsigned>(of_nodes) + i];
      failure.setNode(run_failures_[i].first);
      write_error(failure.initError(), run_failures_[i].second);
    }
  });
}

}  // namespace symphony::actors
