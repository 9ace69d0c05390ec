#include "actors/orchestration/engine/engine_run.hpp"

#include <algorithm>
#include <utility>

#include "runtime/component/services.hpp"

namespace symphony::actors {

using messages::RunStatus;
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
      lanes_(shared.options.lanes) {}

EngineRun::~EngineRun() {
  // Its lanes may outlive it; what they do is of no use any more.
  if (desk_) desk_->cancel();
}

std::int64_t EngineRun::wall_ns() const { return host_.services().clocks.wall_ns(); }

// ---- beginning ----------------------------------------------------------------------------------

Status EngineRun::restore(messages::NodeRow::Reader row) {
  const JournalledNode node = read(row);
  if (Status restored = core_.restore(node); !restored) return restored;
  using messages::NodeStatus;
  if (node.status == NodeStatus::SKIPPED) results_->note_skipped(node.node);
  if (node.parent) {
    const auto before = results_->children_of(*node.parent);
    results_->note_children(*node.parent, before ? before->first : node.node,
                            before ? before->count + 1 : 1);
  } else if (facts_->plan.nodes[node.node].map && node.status == NodeStatus::DONE &&
             node.children == 0) {
    results_->note_children(node.node, 0, 0);
  }
  if (row.getResultDigest().size() > 0)
    results_->note_digest(node.node, row.getResultDigest().cStr());
  else if (row.getResultJson().size() > 0)
    results_->put_text(node.node, row.getResultJson().cStr());
  return {};
}

void EngineRun::start(messages::RunBatchResponse::Reader batch) {
  RunDesk::Surroundings surroundings{host_.services().clocks, *shared_.options.asker,
                                     [home = host_.mailbox(), weak = weak_from_this()] {
                                       home->post([weak] {
                                         if (const auto self = weak.lock()) self->pump();
                                       });
                                     },
                                     shared_.options.linger_yields};
  Frontier frontier(facts_->plan, facts_->expected_us);
  for (NodeIndex node = 0; node < facts_->plan.nodes.size(); ++node) {
    const auto status = core_.status_of(node);
    if (status == messages::NodeStatus::DONE || status == messages::NodeStatus::SKIPPED)
      (void)frontier.ended(node);
  }
  desk_ = std::make_shared<RunDesk>(facts_, results_, std::move(frontier), std::move(surroundings));
  core_.begin(wall_ns());
  adopt(batch);
  schedule_pump();
}

void EngineRun::schedule_pump() {
  if (std::exchange(pump_scheduled_, true)) return;
  // As a task of its own: what it asks must not inherit the deadline of whoever asked us.
  host_.mailbox()->post(safely([this] {
    pump_scheduled_ = false;
    pump();
  }));
}

void EngineRun::pump() {
  if (phase_ == Phase::running) {
    drain_desk();
    send_complete();
    desk_->hold_back(core_.behind());
    run_lanes();
    send_cancel();
    finish();
    ask_what_is_journalled();
  } else if (desk_) {
    for (const auto& lane : desk_->drain().lanes) shared_.lanes_lost -= lane.lost ? 1 : 0;
  }
  answer_events();
  arm_watch();
}

// ---- reports ------------------------------------------------------------------------------------

void EngineRun::drain_desk() {
  auto drained = desk_->drain();
  for (NodeReport& report : drained.reports) take_report(std::move(report));
  for (const auto& lane : drained.lanes) {
    lanes_.returned(lane.key);
    shared_.lanes_lost -= lane.lost ? 1 : 0;
  }
}

void EngineRun::take_report(NodeReport report) { core_.report(std::move(report), wall_ns()); }

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
  for (const auto expansion : batch.getExpansions()) {
    results_->note_children(expansion.getNode(), expansion.getFirstChild(),
                            expansion.getChildren());
    core_.expand(expansion.getNode(), expansion.getFirstChild(), expansion.getChildren());
  }
  std::vector<NodeId> ready;
  ready.reserve(batch.getReady().size());
  for (const NodeId node : batch.getReady()) ready.push_back(node);
  lay_out(core_.make_ready(ready));
  status_ = batch.getStatus();
  dag_ended_ = batch.getEnded();
  if (batch.getRetryAtNs() == 0) return;
  const auto wait = std::max<std::int64_t>(batch.getRetryAtNs() - wall_ns(), 0);
  host_.after(std::chrono::nanoseconds(wait), safely([this] {
                ask_again_ = true;
                pump();
              }));
}

void EngineRun::lay_out(const std::vector<WorkItem>& items) {
  for (const WorkItem& item : items) {
    const PlanNode& node = facts_->plan.nodes[item.of];
    desk_->lay_out(lanes_.class_of(demand_of(node, item.index.has_value())), item);
  }
}

// ---- lanes --------------------------------------------------------------------------------------

void EngineRun::run_lanes() {
  runtime::Blocking& workers =
      shared_.options.workers != nullptr ? *shared_.options.workers : host_.services().blocking;
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (LaneClass lanes = 0; lanes < lanes_.classes(); ++lanes) {
    std::size_t begun = 0;
    while (desk_->load(lanes).ready > begun) {
      const auto lane = lanes_.start(lanes, now);
      if (!lane) break;
      ++begun;
      const Status submitted = workers.submit(
          [desk = desk_, key = lane->key, lanes, ends = lane->slice_ends] {
            desk->work(key, lanes, ends);
            return Status{};
          },
          [desk = desk_, key = lane->key](Status status) {
            if (!status) desk->turn_back(key);
          });
      if (submitted) continue;
      lanes_.lost(lane->key);  // asked for again when there are threads
      host_.after(kRetryDelay, safely([this] { pump(); }));
      break;
    }
    LaneLoad load = desk_->load(lanes);
    load.ready -= std::min(load.ready, begun);
    load.more_soon = in_flight_.has_value();
    lanes_.settle(lanes, load, now);
  }
  send_exchange();
}

void EngineRun::send_exchange() {
  const LaneExchange exchange = lanes_.take_exchange();
  if (exchange.empty() && (exchange_open_ || lanes_.asked_for() == 0)) return;
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
    lanes_.reset();
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
  for (const LaneKey key : (*answer)->getGranted()) lanes_.granted(key, now);
  for (const auto refusal : (*answer)->getRefused())
    refuse(refusal.getKey(), to_error(refusal.getError()));
  pump();
}

void EngineRun::refuse(LaneKey key, const Error& error) {
  const auto lanes = lanes_.refused(key);
  if (!lanes || error.retryable) return;
  // None of its class can ever run here.
  const auto items = desk_->clear(*lanes);
  drain_desk();  // what they follow from
  for (const WorkItem& item : items) {
    NodeReport report;
    report.item = item;
    report.outcome = messages::Outcome::FAILED;
    const std::string& name = facts_->plan.nodes[item.of].name;
    report.error =
        Error{error.code, "node " + name + " cannot run here: " + error.message, "nodes." + name};
    report.started_ns = wall_ns();
    take_report(std::move(report));
  }
}

// ---- what takes its time ------------------------------------------------------------------------

void EngineRun::arm_watch() {
  const bool needed =
      !waiters_.events.empty() || (phase_ == Phase::running && lanes_.working() > 0);
  if (!needed || std::exchange(watching_, true)) return;
  host_.after(kWatchPeriod, safely([this] {
                watching_ = false;
                watch();
              }));
}

void EngineRun::watch() {
  if (phase_ == Phase::running) {
    note_running();
    give_up_the_late();
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
  for (const auto& running : desk_->running()) core_.started(running.item, running.started_ns);
}

void EngineRun::give_up_the_late() {
  const runtime::MonoTime now = host_.services().clocks.mono();
  for (const auto& running : desk_->running()) {
    const bool late = running.deadline != runtime::MonoTime::max() &&
                      now >= running.deadline + shared_.options.timeout_grace;
    const bool stopped =
        cancel_ != Cancel::no && now >= cancelled_at_ + shared_.options.cancel_grace;
    if (!late && !stopped) continue;
    if (shared_.lanes_lost >= shared_.options.lanes_lost_max) return;
    if (!desk_->give_up(running.lane)) continue;
    drain_desk();  // what its lane ended before
    ++shared_.lanes_lost;
    lanes_.lost(running.lane);
    const std::string name = core_.name_of(running.item);
    host_.log().warn("gave up a node that does not end", {{"run", id()}, {"node", name}});
    NodeReport report;
    report.item = running.item;
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
    take_report(std::move(report));
  }
}

// ---- cancelling ---------------------------------------------------------------------------------

void EngineRun::cancel(std::optional<CancelCall> call) {
  if (call) waiters_.cancels.push_back(std::move(*call));
  if (phase_ == Phase::ended) return answer_cancels();
  if (phase_ == Phase::running && cancel_ == Cancel::no) {
    cancel_ = Cancel::wanted;
    cancelled_at_ = host_.services().clocks.mono();
    desk_->cancel();
    drain_desk();
    // What a lane is executing at this moment is not cancelled before it says so.
    note_running();
    core_.cancel(wall_ns());
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
  if (!dag_lost_the_run(why)) return give_up(why);
  host_.log().warn("lost a run, opening it again", {{"run", id()}, {"reason", why.message}});
  phase_ = Phase::interrupted;
  desk_->cancel();
  on_over_(*this);
}

void EngineRun::give_up(const Error& why) {
  host_.log().error("gave up a run", {{"run", id()}, {"reason", why.message}});
  if (desk_) desk_->cancel();
  run_failures_.emplace_back("", why);
  status_ = RunStatus::FAILED;
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
  if (status_ != RunStatus::SUCCEEDED) return read_critical_path();
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
          status_ = RunStatus::FAILED;
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
  elapsed_ = host_.services().clocks.mono() - began_;
  core_.end(status_, wall_ns());
  journalled_.all(core_.events().next());
  results_->clear();
  lanes_.reset();
  shared_.arbitration.close([&](auto request) { request.setRun(id()); }).then([](auto) {});
  answer_events();
  answer_cancels();
  on_over_(*this);
}

}  // namespace symphony::actors
