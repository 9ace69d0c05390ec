#include "actors/orchestration/engine/engine_run.hpp"

#include <algorithm>
#include <utility>

#include "runtime/component/services.hpp"

namespace symphony::actors {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kDagTimeout{30};
constexpr std::chrono::hours kExchangeTimeout{24};  // arbitration answers when it can
constexpr milliseconds kRetryDelay{50};
constexpr std::uint32_t kExchangeFailuresMax = 600;  // in a row
// How soon a node that takes its time is shown as running, and one that is late is noticed.
constexpr milliseconds kWatchPeriod{100};
// A follower of events is answered this long before its patience ends.
constexpr milliseconds kEventsMargin{250};
constexpr std::size_t kOutputsBytesMax = std::size_t{8} << 20;

bool dag_lost_the_run(const Error& error) {
  return error.retryable || error.code == Errc::FAILED_PRECONDITION ||
         error.code == Errc::UNAVAILABLE || error.code == Errc::DEADLINE_EXCEEDED;
}

}  // namespace

EngineRun::EngineRun(runtime::Host& host, EngineShared& shared,
                     std::shared_ptr<const RunFacts> facts, std::uint32_t weight,
                     std::function<void(EngineRun&)> on_over)
    : host_(host),
      shared_(shared),
      facts_(std::move(facts)),
      weight_(weight),
      on_over_(std::move(on_over)),
      began_(host.services().clocks.mono()),
      results_(std::make_shared<ResultStore>(shared.options.result_bytes_max)),
      core_(facts_->plan, shared.options.core, facts_->expected_us),
      slots_(shared.options.slots) {}

EngineRun::~EngineRun() {
  // Its workers may outlive it; what they do is of no use any more.
  if (queue_) queue_->stop();
}

std::int64_t EngineRun::wall_ns() const { return host_.services().clocks.wall_ns(); }

// ---- beginning ----------------------------------------------------------------------------------

void EngineRun::restore(messages::NodeRow::Reader row) {
  JournalledNode node;
  node.item = core_.item_of(row.getNode());
  if (row.hasError() && row.getStatus() == messages::NodeStatus::FAILED)
    node.error = to_error(row.getError());
  node.started_ns = row.getStartedNs();
  node.duration_us = row.getDurationUs();
  core_.restore(node);
}

void EngineRun::start(RunState state, messages::RunBatchResponse::Reader batch) {
  for (NodeId node = 0; node < state.node_count(); ++node) {
    if (state.status_of(node) == NodeStatus::skipped) results_->note_skipped(node);
    if (const auto children = state.children_of(node))
      results_->note_children(node, children->first, children->count);
  }
  std::vector<RunQueue::Classes> classes;
  classes.reserve(facts_->plan.nodes.size());
  for (const PlanNode& node : facts_->plan.nodes)
    classes.push_back(
        {slots_.class_of(demand_of(node, false)), slots_.class_of(demand_of(node, true))});
  RunQueue::Surroundings surroundings{host_.services().clocks,
                                      *shared_.options.asker,
                                      [home = host_.mailbox(), weak = weak_from_this()] {
                                        home->post([weak] {
                                          if (const auto self = weak.lock()) self->pump();
                                        });
                                      },
                                      shared_.options.linger_yields,
                                      shared_.options.unreported_bytes_max,
                                      shared_.options.fork_server};
  queue_ = std::make_shared<RunQueue>(facts_, results_, std::move(state), std::move(classes),
                                      std::move(surroundings));
  core_.begin(wall_ns());
  adopt(batch);
  schedule_pump();
}

std::vector<MelodyNodeState> EngineRun::melody_nodes() const {
  return core_.melody_nodes(queue_ ? queue_->statuses() : std::vector<NodeStatus>{}, wall_ns());
}

void EngineRun::schedule_pump() {
  if (std::exchange(pump_scheduled_, true)) return;
  // What it asks must not inherit the deadline of whoever asked us.
  host_.on_own_behalf([this] {
    host_.mailbox()->post(safely([this] {
      pump_scheduled_ = false;
      pump();
    }));
  });
}

void EngineRun::pump() {
  if (phase_ == Phase::running) {
    drain_queue();
    send_complete();
    run_workers();
    send_cancel();
    finish();
    ask_what_is_journalled();
  } else if (queue_) {
    for (const auto& slot : queue_->drain().slots) shared_.slots_lost -= slot.lost ? 1 : 0;
  }
  answer_events();
  arm_watch();
}

// ---- reports ------------------------------------------------------------------------------------

void EngineRun::drain_queue() { take(queue_->drain()); }

void EngineRun::take(RunQueue::Drained drained) {
  for (NodeReport& report : drained.reports) {
    for (const EndedNode& other : report.others) results_->drop_items(other.node);
    if (report.children == 0) results_->drop_items(report.item.node);
    core_.report(std::move(report), wall_ns());
  }
  for (const auto& slot : drained.slots) {
    slots_.returned(slot.key);
    shared_.slots_lost -= slot.lost ? 1 : 0;
  }
}

void EngineRun::send_complete() {
  if (in_flight_ || dag_ended_ || !(core_.has_batch() || ask_again_)) return;
  in_flight_ = core_.take_batch();
  ask_again_ = false;
  resend_complete();
}

void EngineRun::resend_complete() {
  shared_.dag.complete([&](auto request) { write(request, id(), *in_flight_); })
      .within(kDagTimeout)
      .then(safely([this](Result<Msg<messages::RunBatchResponse>> answer) {
        if (phase_ != Phase::running) return;
        if (!answer && answer.error().code == Errc::OVERLOADED) {
          host_.after(kRetryDelay, safely([this] {
                        if (phase_ == Phase::running) resend_complete();
                      }));
          return;
        }
        if (answer) {
          journalled_.told(in_flight_->events_end);
          for (const NodeReport& report : in_flight_->reports)
            results_->journalled(report.item.node);
          queue_->taken(in_flight_->size_bytes);
          in_flight_.reset();
          adopt(**answer);
        } else {
          in_flight_.reset();
          interrupt(answer.error());
        }
        pump();
      }));
}

void EngineRun::adopt(messages::RunBatchResponse::Reader batch) {
  std::vector<NodeId> ready;  // what is to be tried again is among them; the rest is known
  ready.reserve(batch.getReady().size());
  for (const NodeId node : batch.getReady()) ready.push_back(node);
  queue_->retry(ready);
  status_ = batch.getStatus();
  dag_ended_ = batch.getEnded();
  if (batch.getRetryInNs() >= 0) retry_in(batch.getRetryInNs());
}

void EngineRun::retry_in(std::int64_t wait_ns) {
  const std::chrono::nanoseconds wait(wait_ns);
  const runtime::MonoTime at = host_.services().clocks.mono() + wait;
  if (retry_at_ && *retry_at_ <= at) return;
  retry_at_ = at;
  host_.after(wait, safely([this, at] {
                if (retry_at_ == at) retry_at_.reset();
                ask_again_ = true;
                pump();
              }));
}

// ---- workers ------------------------------------------------------------------------------------

void EngineRun::run_workers() {
  runtime::Blocking& workers =
      shared_.options.workers != nullptr ? *shared_.options.workers : host_.services().blocking;
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (SlotClass of = 0; of < slots_.classes(); ++of) {
    std::size_t begun = 0;
    while (queue_->load(of).ready > begun) {
      const auto slot = slots_.start(of, now);
      if (!slot) break;
      ++begun;
      const Status submitted = workers.submit(
          [queue = queue_, key = slot->key, of, ends = slot->slice_ends] {
            queue->work(key, of, ends);
            return Status{};
          },
          [queue = queue_, key = slot->key](Status status) {
            if (!status) queue->turn_back(key);
          });
      if (submitted) continue;
      slots_.lost(slot->key);  // asked for again when there are threads
      host_.after(kRetryDelay, safely([this] { pump(); }));
      break;
    }
    SlotLoad load = queue_->load(of);
    load.ready = exchange_paused_ ? 0 : load.ready - std::min(load.ready, begun);
    load.more_soon = in_flight_.has_value();
    slots_.settle(of, load, now);
  }
  send_exchange();
}

void EngineRun::send_exchange() {
  const SlotExchange exchange = slots_.take_exchange();
  if (exchange.empty() && (exchange_open_ || slots_.asked_for() == 0)) return;
  exchange_open_ = true;
  const std::uint64_t number = ++exchanges_;
  shared_.arbitration
      .exchange([&](auto request) {
        request.setRun(id());
        request.setWeight(weight_);
        auto release = request.initRelease(static_cast<unsigned>(exchange.release.size()));
        for (unsigned i = 0; i < release.size(); ++i) release.set(i, exchange.release[i]);
        auto demands = request.initDemands(static_cast<unsigned>(exchange.demands.size()));
        for (unsigned i = 0; i < demands.size(); ++i) {
          const auto& ask = exchange.demands[i];
          demands[i].setKey(ask.key);
          demands[i].setMillicores(std::uint64_t{ask.demand.cores} * 1000);
          demands[i].setMemoryBytes(ask.demand.memory_mb << 20);
          demands[i].setPriority(ask.priority);
        }
      })
      .within(kExchangeTimeout)
      .then(safely([this, number](Result<Msg<messages::ExchangeResponse>> answer) {
        on_exchanged(number, std::move(answer));
      }));
}

void EngineRun::on_exchanged(std::uint64_t number, Result<Msg<messages::ExchangeResponse>> answer) {
  const bool newest = number == exchanges_;
  if (phase_ != Phase::running) return;
  if (!answer) {
    if (!newest) return;
    // Arbitration is gone, and with it what it knew of this run.
    exchange_open_ = false;
    slots_.reset();
    if (++exchange_failures_ > kExchangeFailuresMax) {
      interrupt(answer.error());
      return pump();
    }
    // To be sure, in case it is there after all: a closed run holds nothing.
    shared_.arbitration.close([&](auto request) { request.setRun(id()); }).then([](auto) {});
    host_.after(kRetryDelay, safely([this] { pump(); }));
    return;
  }
  exchange_failures_ = 0;
  if (newest) exchange_open_ = false;
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (const SlotKey key : (*answer)->getGranted()) slots_.granted(key, now);
  for (const auto refusal : (*answer)->getRefused())
    refuse(refusal.getKey(), to_error(refusal.getError()));
  pump();
}

void EngineRun::refuse(SlotKey key, const Error& error) {
  const auto of = slots_.refused(key);
  if (!of) return;
  // None of its class can ever run here.
  if (!error.retryable) return queue_->refuse(*of, error);
  // To ask again at once would be answered at once.
  if (std::exchange(exchange_paused_, true)) return;
  host_.after(kRetryDelay, safely([this] {
                exchange_paused_ = false;
                pump();
              }));
}

// ---- what takes its time ------------------------------------------------------------------------

void EngineRun::arm_watch() {
  const bool needed =
      !waiters_.events.empty() || (phase_ == Phase::running && slots_.working() > 0);
  if (!needed || std::exchange(watching_, true)) return;
  host_.on_own_behalf([this] {
    host_.after(kWatchPeriod, safely([this] {
                  watching_ = false;
                  watch();
                }));
  });
}

void EngineRun::watch() {
  if (phase_ == Phase::running) {
    note_running();
    abandon_the_late();
  }
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (EventsCall& call : waiters_.events)
    if (call.header().deadline < now + kEventsMargin) answer(call);
  std::erase_if(waiters_.events, [](const EventsCall& call) { return !call.open(); });
  std::erase_if(waiters_.cancels,
                [&](const CancelCall& call) { return call.header().deadline <= now; });
  pump();
}

void EngineRun::note_running() {
  auto look = queue_->look();
  take(std::move(look.drained));
  for (const auto& running : look.running) core_.started(running.item, running.started_ns);
}

void EngineRun::abandon_the_late() {
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (const auto& running : queue_->running()) {
    const bool late = running.deadline != runtime::MonoTime::max() &&
                      now >= running.deadline + shared_.options.timeout_grace;
    const bool stopped =
        cancel_ != Cancel::no && now >= cancelled_at_ + shared_.options.cancel_grace;
    if (!late && !stopped) continue;
    if (shared_.slots_lost >= shared_.options.slots_lost_max) return;
    const std::string name = core_.name_of(running.item);
    NodeReport report;
    report.started_ns = running.started_ns;
    report.duration_us =
        static_cast<std::uint64_t>(std::max<std::int64_t>(wall_ns() - running.started_ns, 0)) /
        1000;
    report.executed = true;
    report.outcome = stopped ? messages::Outcome::CANCELLED : messages::Outcome::FAILED;
    if (!stopped)
      report.error =
          Error{Errc::DEADLINE_EXCEEDED,
                "node " + name + " did not end, even " +
                    std::to_string(shared_.options.timeout_grace.count()) + " ms after its timeout",
                "nodes." + name + ".timeout_ms", true};
    if (!queue_->abandon(running.slot, std::move(report))) continue;
    ++shared_.slots_lost;
    slots_.lost(running.slot);
    host_.log().warn("abandoned a node that does not end", {{"run", id()}, {"node", name}});
  }
}

// ---- cancelling ---------------------------------------------------------------------------------

void EngineRun::cancel(std::optional<CancelCall> call, bool hurry) {
  if (hurry && queue_) queue_->hurry();
  if (call) waiters_.cancels.push_back(std::move(*call));
  if (phase_ == Phase::ended) return answer_cancels();
  if (phase_ == Phase::running && cancel_ == Cancel::no) {
    cancel_ = Cancel::wanted;
    cancelled_at_ = host_.services().clocks.mono();
    auto cancelled = queue_->cancel();
    take(std::move(cancelled.before));
    // What is being executed at this moment is not cancelled before it says so.
    for (const auto& running : cancelled.running) core_.started(running.item, running.started_ns);
    core_.cancel(cancelled.ended, wall_ns());
  }
  schedule_pump();
}

void EngineRun::send_cancel() {
  // After everything that was started is known to the DAG tracker. A `sync` that it answered after
  // the end of the run would make it forget the run, which is to be asked of once more.
  if (cancel_ != Cancel::wanted || in_flight_ || core_.has_batch() || dag_ended_ ||
      journalled_.asking())
    return;
  cancel_ = Cancel::asked;
  shared_.dag.cancel_run([&](auto request) { request.setRun(id()); })
      .within(kDagTimeout)
      .then(safely([this](Result<Msg<messages::CancelRunResponse>> answer) {
        if (phase_ != Phase::running) return;
        if (!answer) {
          interrupt(answer.error());
        } else {
          cancel_ = Cancel::done;
          core_.cancel_told();
          ask_again_ = true;  // whether that was the end of it
        }
        pump();
      }));
}

void EngineRun::answer_cancels() {
  for (CancelCall& call : std::exchange(waiters_.cancels, {}))
    call.reply([&](auto response) { response.setStatus(status_); });
}

// ---- ending -------------------------------------------------------------------------------------

void EngineRun::interrupt(const Error& why) {
  if (!dag_lost_the_run(why)) return abandon(why);
  host_.log().warn("lost a run, opening it again", {{"run", id()}, {"reason", why.message}});
  phase_ = Phase::interrupted;
  queue_->stop();
  on_over_(*this);
}

void EngineRun::abandon(const Error& why) {
  host_.log().error("abandoned a run", {{"run", id()}, {"reason", why.message}});
  if (queue_) queue_->stop();
  run_failures_.emplace_back("", why);
  status_ = messages::RunStatus::FAILED;
  end();
}

void EngineRun::finish() {
  if (phase_ != Phase::running || !dag_ended_ || in_flight_ || core_.has_batch()) return;
  phase_ = Phase::ending;
  shared_.dag.sync([&](auto request) { request.setRun(id()); })
      .within(kDagTimeout)
      .then(safely([this](Result<Msg<messages::SyncRunResponse>> answer) {
        if (!answer) return interrupt(answer.error());
        journalled_.all(core_.events().next());
        evaluate_outputs();
      }));
}

void EngineRun::evaluate_outputs() {
  if (status_ != messages::RunStatus::SUCCEEDED) return read_critical_path();
  host_.run_blocking(
      [facts = facts_, results = results_, asker = shared_.options.asker]() -> Result<Json> {
        PitClient pit(*asker, facts->id);
        return outputs_of(*facts, *results, pit);
      },
      safely([this](Result<Json> outputs) {
        if (outputs && outputs->dump().size() > kOutputsBytesMax)
          outputs = Error{Errc::RESOURCE_EXHAUSTED,
                          "the outputs are larger than " + std::to_string(kOutputsBytesMax) +
                              " bytes; store large values as artifacts",
                          "outputs"};
        if (outputs) {
          outputs_ = std::move(*outputs);
        } else {
          status_ = messages::RunStatus::FAILED;
          run_failures_.emplace_back("outputs", outputs.error());
        }
        read_critical_path();
      }));
}

void EngineRun::read_critical_path() {
  shared_.dag.show([&](auto request) { request.setRun(id()); })
      .within(kDagTimeout)
      .then(safely([this](Result<Msg<messages::ShowRunResponse>> answer) {
        if (answer) {
          for (const auto name : (*answer)->getCriticalPath())
            critical_path_.push_back(name.cStr());
          critical_path_us_ = (*answer)->getCriticalPathUs();
        }
        end();
      }));
}

void EngineRun::end() {
  phase_ = Phase::ended;
  // By somebody else: what is shown must not go on waiting.
  if (status_ == messages::RunStatus::CANCELLED && cancel_ == Cancel::no && queue_)
    queue_->cancel();
  elapsed_ = host_.services().clocks.mono() - began_;
  core_.end(status_, wall_ns());
  journalled_.all(core_.events().next());
  results_->clear();
  slots_.reset();
  shared_.arbitration.close([&](auto request) { request.setRun(id()); }).then([](auto) {});
  answer_events();
  answer_cancels();
  on_over_(*this);
}

}  // namespace symphony::actors
