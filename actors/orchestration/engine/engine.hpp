// `/orchestration/engine`: runs melodies.
//
// A melody's text is read and checked, its inputs bound, its nodes given to the DAG tracker
// (`/pit/dag`), which journals them and says what is ready; arbitration (`/pit/arbitration`) says
// what may run at once; lanes (lane_book.hpp) execute; results go to the journal or, when large, to
// the artifact store (`/pit/artifacts`) first. A run has ended, for whoever asks, once all of it is
// durable.
//
// A run that was interrupted by a crash, of the engine or of the node, goes on where its journal
// ends: with `take_up_runs` when the engine starts, else when it is asked to `resume`. Nothing
// finished is repeated. One that has been taken up `resumptions_max` times in a row, and no node of
// it ended in between, is cancelled instead.
//
// Errors: NOT_FOUND for a run that is not here (see `/pit/dag` for what is in the journal),
// OVERLOADED beyond runs_max, FAILED_PRECONDITION to resume what is under way; those of the Pit.
// What is wrong with a melody or its inputs is no error but a list of problems.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/engine/engine_run.hpp"
#include "actors/orchestration/engine/estimates.hpp"
#include "actors/orchestration/engine/options.hpp"
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

 private:
  struct Prepared;
  struct Opening;

  Result<EngineRun*> find(std::string_view beginning);
  Status admit() const;
  void create(std::shared_ptr<Prepared> prepared, Call<protocol::Engine::Run> call);
  std::shared_ptr<EngineRun> add(std::shared_ptr<const RunFacts> facts, std::uint32_t weight);

  // Takes a run up from the journal; the steps follow one another.
  void open(std::shared_ptr<Opening> opening);
  void open_in_dag(std::shared_ptr<Opening> opening);
  void read_rows(std::shared_ptr<Opening> opening);
  void finish_opening(const std::shared_ptr<Opening>& opening, Status status);

  void take_up_runs();
  void on_over(EngineRun& run);
  void drop_oldest_ended();
  void refresh_state_line();

  EngineShared shared_;
  DurationEstimates estimates_;
  runtime::Uuid7Generator ids_;
  std::map<std::string, std::shared_ptr<EngineRun>, std::less<>> runs_;
  // By the run: what else wants to open it, and looks again once this is over.
  std::map<std::string, std::vector<std::shared_ptr<Opening>>, std::less<>> opening_;
  std::deque<std::string> ended_;  // oldest first
};

}  // namespace symphony::actors
