// `/orchestration/engine`: runs melodies.
//
// A melody's text is read and checked, its inputs bound, its nodes given to the DAG tracker
// (`/pit/dag`), which journals them; arbitration (`/pit/arbitration`) says what may run at once;
// workers execute what is ready (run_queue.hpp); results go to the journal or, when large, to the
// artifact store (`/pit/artifacts`) first. A run has ended, for whoever asks, once all of it is
// durable.
//
// A run that was interrupted by a crash, of the engine or of the node, goes on where its journal
// ends: with `resume_runs` when the engine starts, else when it is asked to `resume`. Nothing
// finished is repeated. When the engine starts, all unfinished runs are resumed, as many at a time
// as may run; one that cannot be is tried again, and has failed in the end, with the reason. So has
// one that was resumed `resumptions_max` times in a row, and no node of it ended in between. One
// that is attached to its client ends with it, and goes on only when somebody asks for it.
//
// Errors: NOT_FOUND for a run that is not here (see `/pit/dag` for what is in the journal),
// OVERLOADED beyond runs_max, FAILED_PRECONDITION to resume what is under way; those of the Pit.
// What is wrong with a melody or its inputs is no error but a list of problems.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/engine/attachments.hpp"
#include "actors/orchestration/engine/engine_run.hpp"
#include "actors/orchestration/engine/estimates.hpp"
#include "actors/orchestration/engine/options.hpp"
#include "actors/orchestration/engine/run_feed.hpp"
#include "messages/orchestration.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/ids/uuid7.hpp"

namespace symphony::actors {

class Engine final : public runtime::ComponentOf<protocol::Engine> {
 public:
  Engine(runtime::Host& host, EngineOptions options);
  ~Engine() override;

  void start(runtime::Step step) override;
  void cancelled(const Header& request) override;

  void run(Call<protocol::Engine::Run> call) override;
  void resume(Call<protocol::Engine::Resume> call) override;
  void cancel_run(Call<protocol::Engine::CancelRun> call) override;
  void progress(Call<protocol::Engine::Progress> call) override;
  void events(Call<protocol::Engine::Events> call) override;
  void attach(Call<protocol::Engine::Attach> call) override;
  void under_way(Call<protocol::Engine::UnderWay> call) override;
  void feed(Call<protocol::Engine::Feed> call) override;

 private:
  struct Prepared;
  struct Opening;
  struct Unfinished {
    std::string id;
    std::uint32_t tries = 0;  // to resume it, that failed
  };
  static constexpr std::size_t kResumingMax = 8;  // unfinished runs, being opened at a time

  Result<EngineRun*> find(std::string_view beginning);
  Status admit() const;
  Status admit_attached(bool attached, const Header& request) const;
  // What whoever starts or resumes a run lends it.
  template <class M>
  Environment caller_of(const Call<M>& call) const {
    return call->hasEnvironment() ? read(call->getEnvironment()) : shared_.options.environment;
  }
  // The run is the client's whose request this was; cancelled when that is gone.
  void give_to_client(const Header& request, EngineRun& run);
  void tell_feed(const EngineRun& run, messages::RunStatus status);
  void create(std::shared_ptr<Prepared> prepared, Call<protocol::Engine::Run> call);
  std::shared_ptr<EngineRun> add(std::shared_ptr<const RunFacts> facts, std::uint32_t weight);

  Result<RunState> fresh_state(const RunFacts& facts) const;
  void refuse(const std::string& run, Error error, Call<protocol::Engine::Run> call);
  // The run has failed, for this reason: told to the DAG tracker until it answers.
  void end_early(const std::string& run, const std::string& reason, std::uint32_t tries);

  // Resumes a run from the journal; the steps follow one another.
  void open(std::shared_ptr<Opening> opening);
  // It is under way: waits for its end when it is being cancelled, joins it when it is a client's.
  void open_under_way(const std::shared_ptr<Opening>& opening, const EngineRun& run);
  void open_in_dag(std::shared_ptr<Opening> opening);
  void read_rows(std::shared_ptr<Opening> opening, NodeId first);
  void finish_opening(const std::shared_ptr<Opening>& opening, Status status);
  void fail_opening(Opening& opening, const Error& error);
  void refuse_opening(Opening& opening);
  void start_opened(Opening& opening);
  void leave_opening(const Opening& opening);
  void reopen(const std::string& id, std::uint32_t tries);

  // All that have not ended, when the engine starts.
  void list_unfinished(const std::string& before, std::uint32_t tries);
  void note_unfinished(messages::RunRow::Reader row);
  void resume_next();

  void on_over(EngineRun& run);
  void drop_oldest_ended();
  void refresh_state_line();

  EngineShared shared_;
  DurationEstimates estimates_;
  runtime::Uuid7Generator ids_;
  std::map<std::string, std::shared_ptr<EngineRun>, std::less<>> runs_;
  // By the run: what else wants to open it, and looks again once this is over.
  std::map<std::string, std::vector<std::shared_ptr<Opening>>, std::less<>> opening_;
  std::map<std::string, std::vector<std::shared_ptr<Opening>>, std::less<>> ending_;  // the same
  std::deque<std::string> ended_;      // oldest first
  std::deque<Unfinished> unfinished_;  // to be resumed, newest first
  std::size_t resuming_ = 0;           // of those, being opened
  bool listing_unfinished_ = false;
  Attachments attachments_;
  RunFeed feed_;
  std::set<std::string, std::less<>> orphaned_;  // their client left while they were opened again
};

}  // namespace symphony::actors
