// What every part of a node is: a component.
//
// A component is a plain class that answers one protocol. It is written without a word of CAF:
//
//     class Greeter final : public ComponentOf<protocol::Greeter> {
//      public:
//       using ComponentOf::ComponentOf;
//       void greet(Call<protocol::Greeter::Greet> call) override {
//         call.reply([&](auto response) { response.setText("hello"); });
//       }
//     };
//
// The runtime gives it a `Host`: the actor around it. Everything of a component (constructor,
// handlers, continuations, timers, destructor) runs on that actor, one thing at a time: no locks.
// A component whose handler throws is destroyed; its supervisor makes a new one ("incarnation").
// Never block in a handler: `host().run_blocking` does that elsewhere.
//
// What a handler asks and starts is done for its request, and inherits from it: the trace, and the
// deadline, since an answer that comes later helps nobody. So do the continuations of that, on and
// on. Work of the component's own, which goes on after the request is answered, begins in
// `host().on_own_behalf`.
#pragma once

#include <kj/common.h>
#include <kj/function.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "messages/call.hpp"
#include "messages/protocol.hpp"
#include "messages/ref.hpp"
#include "runtime/component/inherited.hpp"
#include "runtime/log/log.hpp"
#include "runtime/time/clocks.hpp"
#include "runtime/time/timer_wheel.hpp"

namespace symphony::runtime {

struct Services;

// One lifecycle step that must be finished with `done` or `fail`, now or later. One that is
// dropped counts as failed; one that is dropped by an exception leaves the answer to the crash.
class Step {
 public:
  explicit Step(kj::Function<void(Status)> finish) : finish_(kj::mv(finish)) {}
  Step(Step&&) = default;
  ~Step() noexcept(false) {
    if (open_ && std::uncaught_exceptions() == 0)
      finish(Error{Errc::INTERNAL, "the step was dropped unfinished"});
  }

  void done() { finish(Status{}); }
  void fail(Error error) { finish(std::move(error)); }
  void finish(Status status) {
    if (open_.take()) finish_(std::move(status));
  }

 private:
  // True until taken or moved from.
  struct Flag {
    Flag() = default;
    Flag(Flag&& other) noexcept : value(other.take()) {}
    bool take() noexcept { return std::exchange(value, false); }
    explicit operator bool() const noexcept { return value; }
    bool value = true;
  };

  kj::Function<void(Status)> finish_;
  Flag open_;
};

// A way into a component from any thread; harmless once the component is gone.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  // Runs `task` on the component, after what waits already. Never refused. Thread-safe. When the
  // component itself posts, the task goes on with the request that is being handled.
  virtual void post(kj::Function<void()> task) const = 0;
};

// The actor around a component, as the component sees it.
class Host : public Asker {
 public:
  virtual const std::string& name() const noexcept = 0;
  virtual std::uint32_t incarnation() const noexcept = 0;
  virtual const Services& services() const noexcept = 0;
  virtual const Logger& log() const noexcept = 0;

  // Runs `fire` after `delay` (10 ms grain, counted from now), unless cancelled. One that is due
  // after the deadline of the request that is being handled is not part of it: it inherits no
  // deadline.
  virtual TimerHandle after(Nanos delay, kj::Function<void()> fire) = 0;
  virtual void cancel_timer(TimerHandle timer) = 0;

  virtual std::shared_ptr<const Mailbox> mailbox() const = 0;

  // Whether this incarnation was given up by its supervisor: for what speaks in its name elsewhere
  // (see FencedWriter). Callable on any thread, also when the component is gone.
  virtual std::function<bool()> fence() const = 0;

  // One line about what the component is doing, for `ps` and `describe`.
  virtual void set_state_line(std::string line) = 0;

  // Ends this incarnation as failed once the current handler returns.
  virtual void die(std::string reason) = 0;

  // Has `release` run should this incarnation be fenced, in place of one given before: to let go
  // of what its successor needs (a socket, a lock) while a thread is stuck in here. It runs once,
  // on another thread, and must not wait, throw, or touch the component.
  virtual void on_fence(std::function<void()> release) = 0;

  // Runs `body()` now, as work of the component's own: what it asks and starts inherits nothing
  // from the request that is being handled.
  template <class Body>
  void on_own_behalf(Body&& body);

  // For supervisors: makes components (see spawner.hpp).
  virtual class Spawner& spawner() = 0;

  // Runs `work()` on the blocking pool, then `done(Result<R>)` on this component, where R is what
  // `work` returns (a Result<R> is passed on, not nested). `done` gets `overloaded` when the pool
  // is full and `internal` when `work` threw. `done` stays on the component's thread: it is
  // destroyed there, with the component when that ends first. `work` is destroyed on the pool's.
  template <class Work, class Done>
  void run_blocking(Work work, Done done);

 protected:
  virtual void submit_blocking(kj::Function<Status()> work, kj::Function<void(Status)> done) = 0;
  // What the code that runs now inherited, and what it shall go on with.
  virtual Inherited exchange_inherited(const Inherited& inherited) noexcept = 0;
};

class Component {
 public:
  explicit Component(Host& host) noexcept : host_(host) {}
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  virtual ~Component() = default;

  // ---- lifecycle, in this order; each has a deadline in the child's spec ----
  virtual void prepare(Step step) { step.done(); }  // acquire what is needed; may fail
  virtual void start(Step step) { step.done(); }    // begin; when done, the component is ready
  virtual void drain(Step step) { step.done(); }    // finish what was accepted
  virtual void stop(Step step) { step.done(); }     // let go of everything

  // The answer to this request (same sender and correlation) is wanted no longer: its asker took it
  // back, or its deadline has passed and the runtime has said so to the asker. A component that
  // keeps Calls drops the one that is meant. Not called for a Call that was answered.
  virtual void cancelled(const Header& /*request*/) {}

  virtual const ProtocolInfo& protocol() const noexcept = 0;
  // Hands a message of protocol() to its handler; false when there is none for it.
  virtual bool dispatch(Incoming&& incoming) = 0;

 protected:
  Host& host() const noexcept { return host_; }

 private:
  Host& host_;
};

template <class P>
class ComponentOf : public Component, public P::Handlers {
 public:
  using Component::Component;
  const ProtocolInfo& protocol() const noexcept final { return P::info(); }
  bool dispatch(Incoming&& incoming) final { return P::dispatch(*this, std::move(incoming)); }
};

using ComponentFactory = std::function<std::unique_ptr<Component>(Host&)>;

namespace detail {
template <class T>
struct BlockingResult {
  using type = Result<T>;
};
template <class T>
struct BlockingResult<Result<T>> {
  using type = Result<T>;
};
}  // namespace detail

template <class Body>
void Host::on_own_behalf(Body&& body) {
  const auto outer = exchange_inherited({});
  KJ_DEFER(exchange_inherited(outer));
  std::forward<Body>(body)();
}

template <class Work, class Done>
void Host::run_blocking(Work work, Done done) {
  using Answer = typename detail::BlockingResult<std::invoke_result_t<Work&>>::type;
  auto answer = std::make_shared<std::optional<Answer>>();
  submit_blocking(
      [work = std::move(work), answer]() mutable {
        if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
          work();
          answer->emplace();
        } else {
          answer->emplace(work());
        }
        return Status{};
      },
      [done = std::move(done), answer](Status status) mutable {
        if (!status) return done(Answer{std::move(status).error()});
        done(std::move(**answer));
      });
}

}  // namespace symphony::runtime
