// Dag's way to the disk: one write of a run at a time, and poison when one fails.
#include <fmt/format.h>

#include <utility>

#include "actors/pit/dag/dag.hpp"
#include "actors/pit/text_view.hpp"
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

// ---- what goes ----------------------------------------------------------------------------------

void Dag::erase(Call<protocol::Dag::Erase> call) {
  if (Status checked = check_run_id(view(call->getRun()), "run"); !checked)
    return call.fail(checked.error());
  erase_when_settled(std::make_shared<Call<protocol::Dag::Erase>>(std::move(call)));
}

void Dag::erase_when_settled(std::shared_ptr<Call<protocol::Dag::Erase>> call) {
  const auto name = view((*call)->getRun());
  if (Run* run = find(name)) {
    if (!run->state) return call->fail(being_read(name));
    if (!run->poison && !run->state->ended())
      return call->fail({Errc::FAILED_PRECONDITION,
                         fmt::format("run {} is under way; cancel it first", name), "run"});
    if (!run->poison && !run->settled()) {
      when_durable(*run, [this, call](const Status&) {
        mailbox_->post([this, call] { erase_when_settled(call); });
      });
      return write(*run);
    }
    forget(*run);
  }
  erase_some(std::string(name), false, [call](const Status& status) {
    if (!call->open()) return;
    status ? call->reply() : call->fail(status.error());
  });
}

void Dag::erase_some(std::string run, bool begun, std::function<void(Status)> done) {
  ++blocking_;
  auto over = std::make_shared<bool>(false);
  const Status accepted = writer_.submit(
      [store = store_, run, begun, over](runtime::WriteTxn& txn) -> Status {
        if (!begun)
          if (Status known = store->begin_erase(txn, run); !known) return known;
        auto erased = store->erase_some(txn, run);
        if (!erased) return std::move(erased).error();
        *over = *erased;
        return {};
      },
      [this, home = mailbox_, run, over, done](Status status) {
        home->post([this, run, over, done, status = std::move(status)] {
          // The rest of it goes when the next incarnation starts.
          if (!status || *over || draining_)
            done(status);
          else
            erase_some(run, true, done);
          blocking_done();
        });
      });
  if (accepted) return;
  --blocking_;
  done(accepted);
}

}  // namespace symphony::actors
