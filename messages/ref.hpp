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
// actors has an asker of its own kind and may use `get()`.
#pragma once

#include <kj/function.h>

#include <chrono>
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

struct AskOptions {
  Deadline deadline = kNoDeadline;  // kNoDeadline: the asker's default timeout
  bool retry = false;               // ask again on a retryable failure; idempotent methods only
};

using AskDone = kj::Function<void(Result<Words>)>;

// Whoever can send requests: a component, a thread, a client at the far end of a link.
class Asker {
 public:
  virtual ~Asker() = default;
  virtual std::unique_ptr<Target> resolve(std::string_view name) = 0;
  // Calls `done` exactly once: a component's on its own thread, never from inside `ask`; other
  // askers' on whatever thread knows the answer. Returns the correlation, for `cancel`.
  virtual std::uint64_t ask(Target& target, Envelope request, AskOptions options, AskDone done) = 0;
  // Blocks until the answer is there. Only for askers that are not components: those abort.
  virtual Result<Words> ask_and_wait(Target& target, Envelope request, AskOptions options) = 0;
  // `overloaded` when the receiver's mailbox is full, `unavailable` when nobody is there.
  virtual Status tell(Target& target, Envelope notice) = 0;
  // Tells the receiver that the answer is no longer wanted; `done` is called with `cancelled`.
  virtual void cancel(Target& target, std::uint64_t correlation) = 0;
  virtual Deadline now() const = 0;
};

// One request that is about to be sent.
template <class M>
class [[nodiscard]] Ask {
 public:
  using Response = typename M::Response;

  Ask(Asker& asker, Target& target, Envelope request)
      : asker_(&asker), target_(&target), request_(std::move(request)) {}

  Ask within(std::chrono::nanoseconds timeout) && {
    options_.deadline = asker_->now() + timeout;
    return std::move(*this);
  }
  Ask by(Deadline deadline) && {
    options_.deadline = deadline;
    return std::move(*this);
  }
  Ask retrying() && {
    static_assert(M::kIdempotent, "only an $idempotent method may be retried");
    options_.retry = true;
    return std::move(*this);
  }

  // Sends; `done(Result<Msg<Response>>)` runs on the asker's thread.
  template <class Done>
  std::uint64_t then(Done&& done) && {
    return asker_->ask(*target_, std::move(request_), options_,
                       [done = std::forward<Done>(done)](Result<Words> answer) mutable {
                         done(typed(std::move(answer)));
                       });
  }
  // Sends and blocks: for threads that are not actors.
  Result<Msg<Response>> get() && {
    return typed(asker_->ask_and_wait(*target_, std::move(request_), options_));
  }

 private:
  static Result<Msg<Response>> typed(Result<Words> answer) {
    if (!answer) return std::move(answer).error();
    return Msg<Response>{std::move(answer).value()};
  }

  Asker* asker_;
  Target* target_;
  Envelope request_;
  AskOptions options_;
};

// What the generated Ref<P> have in common.
class RefBase {
 public:
  RefBase(Asker& asker, std::string_view name) : asker_(&asker), target_(asker.resolve(name)) {}
  RefBase(Asker& asker, std::unique_ptr<Target> target)
      : asker_(&asker), target_(std::move(target)) {}
  const std::string& name() const noexcept { return target_->name(); }
  Asker& asker() const noexcept { return *asker_; }
  void cancel(std::uint64_t correlation) const { asker_->cancel(*target_, correlation); }

 protected:
  template <class M, class Fill>
  Ask<M> make_ask(Fill&& fill) const {
    return Ask<M>{*asker_, *target_, make<M>(Kind::request, std::forward<Fill>(fill))};
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
    envelope.words = Words::build<typename M::Request>(std::forward<Fill>(fill));
    return envelope;
  }

  Asker* asker_;
  std::unique_ptr<Target> target_;
};

// Specialised by generated code, one a protocol.
template <class P>
class Ref;

}  // namespace symphony
