#include "actors/bootstrap/cli/run_watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/output.hpp"
#include "actors/bootstrap/cli/run_view.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"
#include "messages/orchestration.protocol.hpp"

namespace symphony::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFrame{100};              // at most ten drawings a second
constexpr std::chrono::seconds kEventsWait{20};  // one long poll
constexpr std::chrono::seconds kProgressTimeout{10};
constexpr std::chrono::minutes kCancelTimeout{10};  // running operators are asked, not killed
constexpr std::uint32_t kPageEvents = 500;
// How long a second Ctrl-C waits for programs to be killed.
constexpr std::chrono::seconds kHurryPatience{2};
constexpr int kPipedColumns = 1000;

class Watch {
 public:
  Watch(Context& context, Session& session, const WatchedRun& run, Watching watching)
      : context_(context),
        session_(session),
        run_(run),
        watching_(watching),
        engine_(session.client()),
        display_(!context.json && can_redraw(1)),
        live_(stdout) {}

  void follow();

 private:
  void begin();
  void poll_progress();
  void take_progress();
  void poll_events();
  void take_events(messages::RunEventsResponse::Reader page);
  void draw();
  void mind_interrupts();
  void cancel();
  [[noreturn]] void hurry();
  void end(messages::RunSummary::Reader summary);
  void lose(const Error& error);
  ViewOptions view() const;

  Context& context_;
  Session& session_;
  const WatchedRun& run_;
  const Watching watching_;
  const Ref<protocol::Engine> engine_;
  const bool display_;
  LiveLines live_;
  Msg<messages::RunProgressResponse> progress_;
  bool asking_ = false;    // for progress
  bool finished_ = false;  // nothing more to wait for
  bool ended_ = false;     // the run did; its summary is due
  bool cancelling_ = false;
  bool events_open_ = true;  // more may come
  std::uint64_t cursor_ = 0;
  unsigned frame_ = 0;
  steady_clock::time_point next_frame_{};
};

ViewOptions Watch::view() const {
  const auto size = screen_size(1);
  // The last column stays free: some terminals wrap when it is filled; so does the last row.
  return {size.columns - 1, size.rows - 1, colours(1), frame_, cancelling_};
}

void Watch::follow() {
  begin();
  poll_events();
  while (!finished_) {
    mind_interrupts();
    const auto now = steady_clock::now();
    auto patience = Desk::kAnyTime;
    // Without a display only the summary is asked for, when all events were shown.
    if (!asking_ && (display_ || (ended_ && !events_open_))) {
      if (now >= next_frame_) {
        poll_progress();
        next_frame_ = now + kFrame;
      } else {
        patience = std::chrono::ceil<milliseconds>(next_frame_ - now);
      }
    }
    if (!finished_) session_.desk().turn(patience);
  }
}

void Watch::begin() {
  if (context_.json) {
    fmt::print("{}\n", Json{{"kind", "accepted"},
                            {"run", run_.id},
                            {"melody", run_.melody},
                            {"node", session_.client().node()}}
                           .dump());
  } else if (!display_) {
    fmt::print("run {} of {}\n", run_.id, run_.melody);
  }
  std::fflush(stdout);
}

void Watch::poll_progress() {
  asking_ = true;
  auto ask = engine_.progress(
      [&](messages::RunProgressRequest::Builder request) { request.setRun(run_.id); });
  session_.desk().ask(std::move(ask).within(kProgressTimeout),
                      [this](Result<Msg<messages::RunProgressResponse>> answer) {
                        asking_ = false;
                        if (finished_) return;
                        if (!answer) {
                          const auto code = answer.error().code;
                          if (code == Errc::DEADLINE_EXCEEDED || code == Errc::OVERLOADED)
                            return;  // ask again
                          return lose(answer.error());
                        }
                        progress_ = std::move(answer).value();
                        take_progress();
                      });
}

void Watch::take_progress() {
  if (display_) draw();
  if (progress_->getEnded() && (display_ || !events_open_)) end(progress_->getSummary());
}

void Watch::poll_events() {
  auto ask = engine_.events([&](messages::RunEventsRequest::Builder request) {
    request.setRun(run_.id);
    request.setCursor(cursor_);
    request.setMax(kPageEvents);
  });
  session_.desk().ask(std::move(ask).within(kEventsWait),
                      [this](Result<Msg<messages::RunEventsResponse>> answer) {
                        if (finished_) return;
                        if (answer) return take_events(**answer);
                        const auto code = answer.error().code;
                        if (code == Errc::DEADLINE_EXCEEDED) return poll_events();
                        lose(answer.error());
                      });
}

void Watch::take_events(messages::RunEventsResponse::Reader page) {
  if (page.getMissed() > 0 && !display_) {
    if (context_.json)
      fmt::print("{}\n", Json{{"kind", "missed"}, {"events", page.getMissed()}}.dump());
    else
      fmt::print("({} events came too fast to be shown)\n", human_count(page.getMissed()));
  }
  for (const auto event : page.getEvents()) {
    if (event.getKind() == messages::RunEventKind::ENDED) ended_ = true;
    if (context_.json) {
      fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(event)));
    } else if (!display_) {
      if (const auto line = event_line(event)) fmt::print("{}\n", *line);
    }
  }
  std::fflush(stdout);
  cursor_ = page.getNext();
  if (page.getEnded() || ended_) {
    ended_ = true;
    events_open_ = false;
    next_frame_ = {};  // the summary at once
  } else {
    poll_events();
  }
}

void Watch::draw() {
  const auto options = view();
  live_.draw(progress_lines(*progress_, run_.melody, options), options.columns + 1);
  ++frame_;
}

void Watch::mind_interrupts() {
  const int interrupts = session_.desk().interrupts();
  if (interrupts == 0) return;
  if (watching_ == Watching::others) {
    finished_ = true;
    live_.keep();
    return context_.fail(session_.desk().exit_code(), "left; run " + run_.id + " goes on");
  }
  if (interrupts > 1) hurry();
  if (!cancelling_) cancel();
}

void Watch::cancel() {
  cancelling_ = true;
  if (!display_ && !context_.json) {
    fmt::print("cancelling; Ctrl-C again kills what runs, and leaves\n");
    std::fflush(stdout);
  }
  auto ask = engine_.cancel_run(
      [&](messages::StopRunRequest::Builder request) { request.setRun(run_.id); });
  session_.desk().ask(std::move(ask).within(kCancelTimeout),
                      [this](Result<Msg<messages::StopRunResponse>> answer) {
                        if (!answer && !finished_) return lose(answer.error());
                        ended_ = true;
                        next_frame_ = {};
                      });
}

// Whatever is durable stays so; programs are gone when this command is, unless the node is stuck.
void Watch::hurry() {
  live_.keep();
  bool over = false;
  auto ask = engine_.cancel_run([&](messages::StopRunRequest::Builder request) {
    request.setRun(run_.id);
    request.setHurry(true);
  });
  finished_ = true;  // whatever else is answered
  const int before = session_.desk().interrupts();
  const auto by = steady_clock::now() + kHurryPatience;
  session_.desk().ask(std::move(ask).within(kHurryPatience), [&](auto) { over = true; });
  while (!over && session_.desk().interrupts() == before && steady_clock::now() < by)
    session_.desk().turn(std::chrono::ceil<milliseconds>(by - steady_clock::now()));
  context_.fail(session_.desk().exit_code(),
                fmt::format("left without waiting for the end; `symphony run --resume {}` takes "
                            "the run up again",
                            run_.id));
  (void)finish_standard_output();
  ::_exit(context_.exit_code);
}

void Watch::end(messages::RunSummary::Reader summary) {
  finished_ = true;
  using messages::RunStatus;
  const auto status = summary.getStatus();
  context_.exit_code = status == RunStatus::SUCCEEDED     ? int{bootstrap::kExitOk}
                       : status != RunStatus::CANCELLED   ? int{bootstrap::kExitFailed}
                       : session_.desk().interrupts() > 0 ? session_.desk().exit_code()
                                                          : int{bootstrap::kExitCancelled};
  if (context_.json) {
    auto json = Json::parse(to_json(capnp::DynamicStruct::Reader(summary)));
    json["kind"] = "summary";
    json["run"] = run_.id;
    json["melody"] = run_.melody;
    auto outputs = Json::parse(summary.getOutputsJson().cStr(), nullptr, false);
    json.erase("outputsJson");
    json["outputs"] = outputs.is_discarded() ? Json::object() : std::move(outputs);
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    if (display_) {
      live_.keep();
      std::fputs("\n", stdout);
    }
    auto options = view();
    if (!display_) options.columns = kPipedColumns;
    std::fputs(summary_text(summary, run_.melody, run_.id, options).c_str(), stdout);
  }
  std::fflush(stdout);
}

void Watch::lose(const Error& error) {
  finished_ = true;
  live_.keep();
  context_.fail(
      bootstrap::kExitFailed,
      fmt::format("{}; `symphony run --resume {}` takes the run up again", error.message, run_.id));
}

}  // namespace

void watch_run(Context& context, Session& session, const WatchedRun& run, Watching watching) {
  Watch{context, session, run, watching}.follow();
}

}  // namespace symphony::cli
