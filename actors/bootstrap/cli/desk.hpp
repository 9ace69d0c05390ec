// Where the one thread of a command waits: for answers, for Ctrl-C and for time.
//
// SIGINT, SIGTERM and SIGHUP are blocked from its construction on and read here. Answers arrive on
// the link's thread; what is to be done with them happens on the command's.
//
//     auto answer = desk.await(engine.run(…));       // cancelled: Ctrl-C came first
//     desk.ask(engine.progress(…), [&](auto answer) { … });
//     while (!done) desk.turn(100ms);
#pragma once

#include <kj/function.h>
#include <signal.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "messages/ref.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::cli {

// The signals that a desk reads.
sigset_t held_back_signals();
// As a shell has it: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
constexpr int exit_code_of(int signal) { return 128 + signal; }

// Must outlive the client whose answers it is given. One thread, but for `post`.
class Desk {
 public:
  Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // Hands work to the desk's thread. Any thread.
  void post(kj::Function<void()> work);
  // Waits at most `patience` for work or a signal, and does all the work that is there.
  void turn(std::chrono::milliseconds patience);
  // The same until there is something to read from the file, or its end; false: a signal came that
  // nobody was told of yet.
  bool await_readable(int file_descriptor);
  // How many signals came. Whoever asks was told of them.
  int interrupts() const noexcept { return told_ = interrupts_; }
  // Whether one came that nobody was told of yet.
  bool tell_of_signal() noexcept { return std::exchange(told_, interrupts_) != interrupts_; }
  // What they say the command should end with. REQUIRES: interrupts() > 0.
  int exit_code() const noexcept { return exit_code_of(signal_); }

  // Sends; `done(Result<Msg<Response>>)` is called from a later turn().
  template <class M, class Done>
  std::uint64_t ask(Ask<M> ask, Done&& done) {
    return std::move(ask).then([this, done = std::forward<Done>(done)](auto answer) mutable {
      post([done = std::move(done), answer = std::move(answer)]() mutable {
        done(std::move(answer));
      });
    });
  }

  // Sends and takes turns until the answer is there, or a signal came that nobody was told of yet:
  // `cancelled`. One that comes together with an answer is told by the next wait.
  template <class M>
  Result<Msg<typename M::Response>> await(Ask<M> ask) {
    using Answer = Result<Msg<typename M::Response>>;
    auto slot = std::make_shared<std::optional<Answer>>();
    this->ask(std::move(ask), [slot](Answer answer) { slot->emplace(std::move(answer)); });
    while (!slot->has_value()) {
      if (tell_of_signal()) return Error{Errc::CANCELLED, "interrupted"};
      turn(kAnyTime);
    }
    return std::move(**slot);
  }

  static constexpr std::chrono::milliseconds kAnyTime{60'000};

 private:
  void read_signals();
  void work_off();

  std::mutex mutex_;
  std::deque<kj::Function<void()>> work_;
  runtime::Descriptor wake_;     // eventfd
  runtime::Descriptor signals_;  // signalfd
  int interrupts_ = 0;
  mutable int told_ = 0;  // of them
  int signal_ = 0;        // the last one
};

// Asks under way, at most so many; answers are handled in the order of the asks. After the first
// error nothing more is handled, and every call returns that error.
template <class M>
class Pipeline {
 public:
  using Answer = Result<Msg<typename M::Response>>;
  using Handle = kj::Function<Status(const Msg<typename M::Response>&)>;

  // REQUIRES: asks_max > 0.
  Pipeline(Desk& desk, std::size_t asks_max) : desk_(desk), asks_max_(asks_max) {}

  // Sends once there is room; handles answers while it waits.
  Status send(Ask<M> ask, Handle handle) {
    if (auto made_room = settle(asks_max_ - 1); !made_room) return made_room;
    auto slot = std::make_shared<std::optional<Answer>>();
    desk_.ask(std::move(ask), [slot](Answer answer) { slot->emplace(std::move(answer)); });
    under_way_.push_back({std::move(slot), std::move(handle)});
    return {};
  }
  // Handles every answer that is still to come.
  Status finish() { return settle(0); }

 private:
  struct UnderWay {
    std::shared_ptr<std::optional<Answer>> slot;
    Handle handle;
  };

  // Handles answers until at most `asks` are under way.
  Status settle(std::size_t asks) {
    while (!error_ && !under_way_.empty()) {
      auto& first = under_way_.front();
      if (!first.slot->has_value()) {
        if (under_way_.size() <= asks) break;
        if (desk_.tell_of_signal())
          error_ = Error{Errc::CANCELLED, "interrupted"};
        else
          desk_.turn(Desk::kAnyTime);
        continue;
      }
      const auto& answer = **first.slot;
      const Status handled = answer ? first.handle(*answer) : Status{answer.error()};
      if (!handled) error_ = handled.error();
      under_way_.pop_front();
    }
    return error_ ? Status{*error_} : Status{};
  }

  Desk& desk_;
  const std::size_t asks_max_;
  std::deque<UnderWay> under_way_;
  std::optional<Error> error_;
};

}  // namespace symphony::cli
