// Asking a component by name.
//
// `Ref<P>` (generated for each protocol P) has one function a method:
//
//     Ref<protocol::Dag> dag{*this};                       // the protocol's own $name
//     dag.create([&](auto request) { request.setRun(id); })
//         .within(2s)
//         .then([this](Result<Msg<CreateResponse>> answer) { … });
//
// A Ref names a component and finds its living incarnation each time it is used: it survives
// restarts and moves. Every ask has a deadline (the smaller of its own and that of the request
// being handled), and fails at once with `unavailable` when nobody is there.
// A Ref belongs to its asker: use it on that component's thread only. A thread outside of the
// actors asks through a WaitingRef<P>, whose asks have `get()` beside `then()`; with a component's
// `get()` does not compile.
#pragma once

#include <kj/function.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "messages/envelope.hpp"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony {

// The generated protocols' data: see messages/protocol.hpp.
struct MethodInfo;

// What a name resolved to, cached by one Ref. Made by an Asker, meaningful to it alone.
class Target {
 public:
  virtual ~Target() = default;
  virtual const std::string& name() const noexcept = 0;
};

using AskDone = kj::Function<void(Result<Words>)>;

// Whoever can send requests: a component, a thread, a client at the far end of a link.
class Asker {
 public:
  virtual ~Asker() = default;
  virtual std::unique_ptr<Target> resolve(std::string_view name) = 0;
  // Calls `done` exactly once: a component's on its own thread, never from inside `ask`; other
  // askers' on whatever thread knows the answer. Returns the correlation, for `cancel`.
  // `deadline` kNoDeadline: the asker's default timeout.
  virtual std::uint64_t ask(Target& target, Envelope request, Deadline deadline, AskDone done) = 0;
  // `overloaded` when the receiver's mailbox is full, `unavailable` when nobody is there.
  virtual Status tell(Target& target, Envelope notice) = 0;
  // Tells the receiver that the answer is no longer wanted; `done` is called with `cancelled`.
  virtual void cancel(Target& target, std::uint64_t correlation) = 0;
  virtual Deadline now() const = 0;
};

// One whose thread may block: a client at the far end of a link, a thread that is no actor. A
// component is none.
class WaitingAsker : public Asker {
 public:
  // Blocks until the answer is there, at most until the deadline.
  virtual Result<Words> ask_and_wait(Target& target, Envelope request, Deadline deadline) = 0;
};

// One request that is about to be sent. A: what is known of the asker.
template <class M, class A = Asker>
class [[nodiscard]] Ask {
 public:
  using Response = typename M::Response;

  Ask(A& asker, Target& target, Envelope request)
      : asker_(&asker), target_(&target), request_(std::move(request)) {}

  // Counted from now.
  Ask within(std::chrono::nanoseconds timeout) && {
    deadline_ = asker_->now() + timeout;
    return std::move(*this);
  }
  Ask by(Deadline deadline) && {
    deadline_ = deadline;
    return std::move(*this);
  }

  // Sends; `done(Result<Msg<Response>>)` runs on the asker's thread.
  template <class Done>
  std::uint64_t then(Done&& done) && {
    return asker_->ask(*target_, std::move(request_), deadline_,
                       [done = std::forward<Done>(done)](Result<Words> answer) mutable {
                         done(typed(std::move(answer)));
                       });
  }
  // Sends and blocks.
  Result<Msg<Response>> get() && {
    static_assert(std::derived_from<A, WaitingAsker>,
                  "a component must not wait for an answer: use then(); a thread that is no actor "
                  "asks through a WaitingRef");
    return typed(asker_->ask_and_wait(*target_, std::move(request_), deadline_));
  }

 private:
  static Result<Msg<Response>> typed(Result<Words> answer) {
    if (!answer) return std::move(answer).error();
    return Msg<Response>{std::move(answer).value()};
  }

  A* asker_;
  Target* target_;
  Envelope request_;
  Deadline deadline_ = kNoDeadline;
};

// What the generated Ref<P, A> have in common.
template <class A>
class RefBase {
 public:
  RefBase(A& asker, std::string_view name) : asker_(&asker), target_(asker.resolve(name)) {}
  RefBase(A& asker, std::unique_ptr<Target> target) : asker_(&asker), target_(std::move(target)) {}
  const std::string& name() const noexcept { return target_->name(); }
  A& asker() const noexcept { return *asker_; }
  void cancel(std::uint64_t correlation) const { asker_->cancel(*target_, correlation); }

 protected:
  template <class M, class Fill>
  Ask<M, A> make_ask(Fill&& fill) const {
    return Ask<M, A>{*asker_, *target_, make<M>(Kind::request, std::forward<Fill>(fill))};
  }
  template <class M, class Fill>
  Status make_tell(Fill&& fill) const {
    return asker_->tell(*target_, make<M>(Kind::notice, std::forward<Fill>(fill)));
  }

 private:
  template <class M, class Fill>
  static Envelope make(Kind kind, Fill&& fill) {
    Envelope envelope;
    envelope.header.protocol = M::Protocol::kId;
    envelope.header.method = M::kOrdinal;
    envelope.header.kind = kind;
    envelope.header.urgent = M::kUrgent;
    envelope.words = Words::build<typename M::Request>(std::forward<Fill>(fill));
    return envelope;
  }

  A* asker_;
  std::unique_ptr<Target> target_;
};

// Specialised by generated code, for each protocol P. A: Asker, or WaitingAsker for threads that
// may wait.
template <class P, class A = Asker>
class Ref;

template <class P>
using WaitingRef = Ref<P, WaitingAsker>;

}  // namespace symphony
