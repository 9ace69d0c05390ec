// What Dag answers from the disk.
#include <fmt/format.h>

#include <utility>

#include "actors/pit/dag/dag.hpp"
#include "actors/pit/dag/dag_views.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

Error not_open(std::string_view run) {
  return {Errc::FAILED_PRECONDITION, fmt::format("run {} is not open; open it first", run), "run"};
}

Error being_read(std::string_view run) {
  return {Errc::UNAVAILABLE, fmt::format("run {} is just being opened; ask again", run), "run",
          true};
}

template <class M, class View>
void Dag::answer_from_disk(Call<M> call, View view) {
  auto open = std::make_shared<Call<M>>(std::move(call));
  ++blocking_;
  host().run_blocking(
      [images = images_, &clocks = host().services().clocks, open, view]() -> Result<Words> {
        if (open->header().deadline <= clocks.mono())
          return Error{Errc::DEADLINE_EXCEEDED, "the answer was due before it was begun", "", true};
        return view(*images, open->request());
      },
      [this, open](Result<Words> words) {
        if (words)
          open->respond(std::move(*words));
        else
          open->fail(words.error());
        blocking_done();
      });
}

void Dag::sync(Call<protocol::Dag::Sync> call) {
  const auto name = view(call->getRun());
  if (Run* run = find(name)) {
    if (!run->state && !run->poison) return call.fail(being_read(name));
    const std::uint64_t epoch = run->epoch;
    auto open = std::make_shared<Call<protocol::Dag::Sync>>(std::move(call));
    when_durable(*run, [this, open, epoch](Status status) {
      if (!status) return open->fail(status.error());
      open->reply();
      Run& synced = *find(epoch);
      synced.leaving = synced.state->ended();
    });
    if (Run* synced = find(epoch); synced != nullptr && !synced->poison) leave_if_over(*synced);
    return;
  }
  if (Status checked = check_run_id(name, "run"); !checked) return call.fail(checked.error());
  // Of a run that is not open nothing is known but the disk: had it not ended there, something that
  // was applied may be lost.
  answer_from_disk(std::move(call), [](RunImages& images, auto request) -> Result<Words> {
    const auto run = view(request.getRun());
    auto summary = images.store().summary(run);
    if (!summary) return std::move(summary).error();
    if (!summary->ended()) return not_open(run);
    return Words::build<messages::SyncRunResponse>([](auto) {});
  });
}

void Dag::results(Call<protocol::Dag::Results> call) {
  const auto name = view(call->getRun());
  if (Status checked = check_run_id(name, "run"); !checked) return call.fail(checked.error());
  auto open = std::make_shared<Call<protocol::Dag::Results>>(std::move(call));
  // Of a poisoned run, too, what is on disk is the truth.
  auto answer = [this, open](Status) { answer_from_disk(std::move(*open), &results_view); };
  Run* run = find(name);
  if (run == nullptr || !run->state) return answer({});
  when_durable(*run, std::move(answer));
}

void Dag::show(Call<protocol::Dag::Show> call) {
  const auto beginning = view(call->getRun());
  auto open = std::make_shared<Call<protocol::Dag::Show>>(std::move(call));
  auto answer = [this, open](Status) { answer_from_disk(std::move(*open), &show_view); };
  const auto run = runs_.lower_bound(beginning);
  if (run == runs_.end() || !run->first.starts_with(beginning) || !run->second.state)
    return answer({});
  when_durable(run->second, std::move(answer));
}

void Dag::list(Call<protocol::Dag::List> call) { answer_from_disk(std::move(call), &list_view); }

std::string Dag::describe() const {
  std::size_t unwritten = 0;
  const Error* failure = nullptr;
  for (const auto& [name, run] : runs_) {
    if (run.poison)
      failure = &*run.poison;
    else
      unwritten += run.applied - run.durable;
  }
  std::string line = counted(runs_.size(), "run") + " in memory, ";
  line += unwritten == 0 ? "all on disk" : counted(unwritten, "record") + " on the way to disk";
  if (failure != nullptr) line += "; " + failure->message;
  return line;
}

}  // namespace symphony::actors
