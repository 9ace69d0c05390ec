// Dag's way to the disk: one write of a run at a time, and poison when one fails.
#include <fmt/format.h>

#include <utility>

#include "actors/pit/dag/dag.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

// ---- to the disk --------------------------------------------------------------------------------

void Dag::write(Run& run) {
  if (run.writing || run.poison || run.unwritten->empty()) return;
  run.summary.status = run.state->status();
  run.summary.progress = run.state->progress();
  run.summary.updated_us = run.state->updated_us();
  run.summary.resumptions = run.state->resumptions();
  run.summary.fruitless_resumptions = run.state->fruitless_resumptions();
  auto what = std::make_shared<RunWrite>(
      RunWrite{run.name, run.plan, run.summary, std::move(*run.unwritten)});
  ++what->summary.next_sequence;
  *run.unwritten = JournalWrite{};
  run.writing = true;
  const auto bytes = what->journal.size_bytes() + what->plan.size();
  const Status accepted = writer_.submit(
      [store = store_, what, &clocks = host().services().clocks,
       by = run.create_by](runtime::WriteTxn& txn) -> Status {
        if (!what->plan.empty() && by <= clocks.mono())
          return Error{Errc::DEADLINE_EXCEEDED, "nobody waits for the run any more", "", true};
        return store->write(txn, *what);
      },
      [this, home = mailbox_, epoch = run.epoch, applied = run.applied](Status status) {
        home->post([this, epoch, applied, status = std::move(status)]() mutable {
          written(epoch, applied, std::move(status));
        });
      },
      bytes);
  line_.touch();
  if (accepted) return;
  run.writing = false;
  if (accepted.error().code != Errc::OVERLOADED) return poison(run, accepted.error());
  *run.unwritten = std::move(what->journal);
  host().after(kWriterRetry, [this, epoch = run.epoch] {
    if (Run* waiting = find(epoch)) write(*waiting);
  });
}

void Dag::written(std::uint64_t epoch, std::uint64_t durable, Status status) {
  Run& run = *find(epoch);  // a run that is being written stays
  run.writing = false;
  if (!status) {
    poison(run, std::move(status).error());
    return finish_drain_when_idle();
  }
  run.durable = durable;
  ++run.summary.next_sequence;
  run.plan = {};
  while (!run.waiters.empty() && run.waiters.front().first <= run.durable) {
    auto waiter = std::move(run.waiters.front().second);
    run.waiters.pop_front();
    waiter({});
  }
  write(run);
  leave_if_over(run);
  finish_drain_when_idle();
}

void Dag::poison(Run& run, Error error) {
  const Errc code = error.code;
  if (code == Errc::ALREADY_EXISTS) {
    run.poison = std::move(error);
  } else {
    run.poison =
        Error{code,
              fmt::format("run {} could not be journalled ({}); open it again to go on from what "
                          "is on disk",
                          run.name, error.message),
              "", error.retryable};
    host().log().error(run.poison->message);
  }
  const Error told = *run.poison;
  // The last of them may forget the run.
  auto waiters = std::exchange(run.waiters, {});
  for (auto& [number, waiter] : waiters) waiter(told);
  line_.touch();
}

void Dag::when_durable(Run& run, Waiter waiter) {
  if (run.poison) return waiter(*run.poison);
  if (run.durable == run.applied) return waiter({});
  run.waiters.emplace_back(run.applied, kj::mv(waiter));
}

}  // namespace symphony::actors
