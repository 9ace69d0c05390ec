#include "actors/bootstrap/cli/runs_live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "actors/bootstrap/cli/run_view.hpp"
#include "actors/bootstrap/cli/run_watch.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"
#include "messages/orchestration.protocol.hpp"
#include "messages/output.protocol.hpp"

namespace symphony::cli {
namespace {

constexpr std::chrono::seconds kFeedWait{20};       // one long poll
constexpr std::chrono::minutes kCancelTimeout{10};  // running operators are asked first
constexpr std::chrono::minutes kEraseTimeout{10};   // of what hundreds of thousands of nodes gave
constexpr std::uint32_t kPageChanges = 200;

void print_change(const Context& context, messages::RunChange::Reader change) {
  if (context.json)
    fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(change)));
  else
    fmt::print("{}  {}  {}  {}\n", local_time(change.getTimeNs()), one_line(change.getRun().cStr()),
               one_line(change.getMelody().cStr()), word_of(change.getStatus()));
}

// The run by the beginning of its id, whether it is under way or not.
Result<Msg<messages::ShowRunResponse>> find_run(Session& session, const std::string& beginning) {
  const Ref<protocol::Dag> dag{session.client()};
  return session.desk().await(
      dag.show([&](messages::ShowRunRequest::Builder request) { request.setRun(beginning); }));
}

// False: it failed, and was told.
bool cancel_run(Context& context, Session& session, const std::string& beginning) {
  const auto found = find_run(session, beginning);
  if (!found) return fail_ask(context, session, found.error()), false;
  const std::string run = (*found)->getRow().getRun();
  const Ref<protocol::Engine> engine{session.client()};
  const auto answer = session.desk().await(
      engine.cancel_run([&](messages::StopRunRequest::Builder request) { request.setRun(run); })
          .within(kCancelTimeout));
  auto status = messages::RunStatus::CANCELLED;
  if (answer) {
    status = (*answer)->getStatus();
  } else if (answer.error().code == Errc::NOT_FOUND) {
    // Nobody works on it: it ended long ago, or was cut short.
    const Ref<protocol::Dag> dag{session.client()};
    const auto journalled = session.desk().await(
        dag.cancel_run([&](messages::CancelRunRequest::Builder request) { request.setRun(run); }));
    if (!journalled) return fail_ask(context, session, journalled.error()), false;
    status = (*journalled)->getStatus();
  } else {
    return fail_ask(context, session, answer.error()), false;
  }
  if (context.json)
    fmt::print("{}\n", Json{{"run", run}, {"status", word_of(status)}}.dump());
  else
    fmt::print("{}  {}\n", run, word_of(status));
  return true;
}

// What a run was made of, and then what its programs printed.
bool remove_run(Context& context, Session& session, const std::string& beginning) {
  const auto found = find_run(session, beginning);
  // One that is damaged can be removed too, by its whole id.
  const bool unreadable = !found && found.error().code == Errc::DATA_CORRUPT;
  if (!found && !unreadable) return fail_ask(context, session, found.error()), false;
  const std::string run = found ? (*found)->getRow().getRun().cStr() : beginning;
  const Ref<protocol::Dag> dag{session.client()};
  const auto erased = session.desk().await(
      dag.erase([&](messages::EraseRunRequest::Builder request) { request.setRun(run); })
          .within(kEraseTimeout));
  if (!erased) return fail_ask(context, session, erased.error()), false;
  const Ref<protocol::NodeOutput> output{session.client()};
  const auto forgotten = session.desk().await(
      output.erase([&](messages::EraseOutputRequest::Builder request) { request.setRun(run); })
          .within(kEraseTimeout));
  if (!forgotten) return fail_ask(context, session, forgotten.error()), false;
  if (context.json)
    fmt::print("{}\n", Json{{"run", run}, {"status", "removed"}}.dump());
  else
    fmt::print("{}  removed\n", run);
  return true;
}

// Does it for one after the other, whatever becomes of those before.
template <class Do>
void each_of(Context& context, const char* command, const std::vector<std::string>& ids,
             const Do& act) {
  const auto session = context.connect_or_start(command);
  if (session == nullptr) return;
  int worst = bootstrap::kExitOk;
  for (const auto& id : ids) {
    if (!act(context, *session, id)) worst = std::max(worst, context.exit_code);
    if (session->desk().interrupts() > 0) break;
  }
  context.exit_code = worst;
}

}  // namespace

void follow_runs(Context& context) {
  const auto session = context.connect_or_start("runs");
  if (session == nullptr) return;
  const Ref<protocol::Engine> engine{session->client()};
  std::uint64_t cursor = 0;
  for (;;) {
    std::fflush(stdout);
    const auto page =
        session->desk().await(engine
                                  .feed([&](messages::RunFeedRequest::Builder request) {
                                    request.setCursor(cursor);
                                    request.setMax(kPageChanges);
                                  })
                                  .within(kFeedWait));
    if (session->desk().interrupts() > 0) {
      context.exit_code = session->desk().exit_code();
      return;
    }
    if (!page && page.error().code == Errc::DEADLINE_EXCEEDED) continue;
    if (!page) return fail_ask(context, *session, page.error());
    if ((*page)->getMissed() > 0 && context.json)
      fmt::print("{}\n", Json{{"kind", "missed"}, {"changes", (*page)->getMissed()}}.dump());
    else if ((*page)->getMissed() > 0)
      fmt::print("({} changes came too fast to be shown)\n", human_count((*page)->getMissed()));
    for (const auto change : (*page)->getChanges()) print_change(context, change);
    cursor = (*page)->getNext();
  }
}

void watch_one(Context& context, const std::string& id) {
  const auto session = context.connect_or_start("runs watch");
  if (session == nullptr) return;
  const auto found = find_run(*session, id);
  if (!found) return fail_ask(context, *session, found.error());
  const WatchedRun run{(*found)->getRow().getRun().cStr(), (*found)->getRow().getMelody().cStr()};
  const Ref<protocol::Engine> engine{session->client()};
  const auto progress = session->desk().await(engine.progress(
      [&](messages::RunProgressRequest::Builder request) { request.setRun(run.id); }));
  if (progress) return watch_run(context, *session, run, Watching::others);
  if (progress.error().code != Errc::NOT_FOUND)
    return fail_ask(context, *session, progress.error());
  context.fail(bootstrap::kExitFailed,
               fmt::format("run {} is not under way; `symphony runs show {}` tells how it ended",
                           run.id, run.id));
}

void cancel_runs(Context& context, const std::vector<std::string>& ids) {
  each_of(context, "runs cancel", ids, cancel_run);
}

void remove_runs(Context& context, const std::vector<std::string>& ids) {
  each_of(context, "runs rm", ids, remove_run);
}

}  // namespace symphony::cli
