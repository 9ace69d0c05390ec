// One run under way: carries what happens between the DAG tracker, arbitration and the workers.
//
//   queue ──► workers execute ──► queue: reports ──► Dag.complete (one batch at a time)
//   slots missing or to be given back ──► Arbitration.exchange
//
// `pump` does whatever there is to do; everything that happens ends in a pump. One ask of
// `complete` is under way at a time: what is reported meanwhile makes the next batch. When the DAG
// tracker loses the run, the run is interrupted and its owner opens it again from the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/orchestration/engine/engine_messages.hpp"
#include "actors/orchestration/engine/journalled_events.hpp"
#include "actors/orchestration/engine/options.hpp"
#include "actors/orchestration/engine/run_core.hpp"
#include "actors/orchestration/engine/run_queue.hpp"
#include "actors/orchestration/engine/worker_slots.hpp"
#include "messages/arbitration.protocol.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/orchestration.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::actors {

// What the engine knows beside its runs.
struct EngineShared {
  EngineOptions options;
  Ref<protocol::Dag> dag;
  Ref<protocol::Arbitration> arbitration;
  std::size_t slots_lost = 0;  // threads stuck in operators
};

class EngineRun : public std::enable_shared_from_this<EngineRun> {
 public:
  using EventsCall = Call<protocol::Engine::Events>;
  using CancelCall = Call<protocol::Engine::CancelRun>;
  struct Waiters {
    std::vector<EventsCall> events;
    std::vector<CancelCall> cancels;
  };

  // `host` and `shared` outlive the run. `on_over` is told, from a pump, that the run has ended or
  // was interrupted.
  EngineRun(runtime::Host& host, EngineShared& shared, std::shared_ptr<const RunFacts> facts,
            std::uint32_t weight, std::function<void(EngineRun&)> on_over);
  ~EngineRun();

  // ---- before it starts
  void restore(const RunState& state) { core_.restore(state); }
  // A row of the journal: of a node of the plan, or of a child that failed.
  void restore(messages::NodeRow::Reader row);
  // `state`: as the DAG tracker has it, started.
  void start(RunState state, messages::RunBatchResponse::Reader batch);

  // ---- any time
  const std::string& id() const noexcept { return facts_->id; }
  const RunFacts& facts() const noexcept { return *facts_; }
  bool ended() const noexcept { return phase_ == Phase::ended; }
  std::vector<MelodyNodeState> melody_nodes() const;
  messages::RunStatus status() const noexcept { return status_; }
  // It was told to end, and has not.
  bool cancelling() const noexcept { return cancel_ != Cancel::no && !ended(); }
  // The DAG tracker lost it: to be opened again.
  bool interrupted() const noexcept { return phase_ == Phase::interrupted; }
  // `hurry`: programs are killed at once.
  void cancel(std::optional<CancelCall> call, bool hurry = false);
  void progress(Call<protocol::Engine::Progress> call);
  void events(EventsCall call);
  void forget(const Header& request);
  Waiters take_waiters();
  // Ends it without the DAG tracker, which cannot be reached: the journal stays as it is.
  void abandon(const Error& why);

 private:
  enum class Phase : std::uint8_t { running, ending, ended, interrupted };

  void schedule_pump();
  void pump();
  void drain_queue();
  void take(RunQueue::Drained drained);
  void send_complete();
  void resend_complete();
  void adopt(messages::RunBatchResponse::Reader batch);
  void retry_in(std::int64_t wait_ns);
  void send_cancel();
  void run_workers();
  void send_exchange();
  void on_exchanged(std::uint64_t number, Result<Msg<messages::ExchangeResponse>> answer);
  void refuse(SlotKey key, const Error& error);
  void watch();
  void arm_watch();
  void note_running();
  void abandon_the_late();
  void interrupt(const Error& why);
  void finish();
  void evaluate_outputs();
  void read_critical_path();
  void end();
  void ask_what_is_journalled();
  void answer_events();
  void answer(EventsCall& call);
  void answer_cancels();
  std::int64_t wall_ns() const;

  // Wraps a continuation so that it does nothing once the run is gone.
  template <class F>
  auto safely(F f) {
    return [weak = weak_from_this(), f = std::move(f)](auto&&... args) mutable {
      if (const auto self = weak.lock()) f(std::forward<decltype(args)>(args)...);
    };
  }

  runtime::Host& host_;
  EngineShared& shared_;
  const std::shared_ptr<const RunFacts> facts_;
  const std::uint32_t weight_;
  const std::function<void(EngineRun&)> on_over_;
  const runtime::MonoTime began_;
  std::shared_ptr<ResultStore> results_;
  std::shared_ptr<RunQueue> queue_;
  RunCore core_;
  WorkerSlots slots_;

  Phase phase_ = Phase::running;
  messages::RunStatus status_ = messages::RunStatus::RUNNING;
  bool pump_scheduled_ = false;
  bool watching_ = false;

  std::optional<RunCore::Batch> in_flight_;  // told to the DAG tracker, not answered
  bool ask_again_ = false;                   // something is due there beside reports
  bool dag_ended_ = false;
  std::optional<runtime::MonoTime> retry_at_;  // when the tracker is to be asked for a retry
  JournalledEvents journalled_;
  enum class Cancel : std::uint8_t { no, wanted, asked, done };
  Cancel cancel_ = Cancel::no;
  runtime::MonoTime cancelled_at_{};

  std::uint64_t exchanges_ = 0;
  bool exchange_open_ = false;
  std::uint32_t exchange_failures_ = 0;
  bool exchange_paused_ = false;  // something was refused for the moment

  Json outputs_ = Json::object();
  std::vector<std::string> critical_path_;
  std::uint64_t critical_path_us_ = 0;
  std::vector<std::pair<std::string, Error>> run_failures_;  // beside those of nodes
  std::chrono::nanoseconds elapsed_{};
  Waiters waiters_;
};

}  // namespace symphony::actors
