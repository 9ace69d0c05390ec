#include "runtime/component/host.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "runtime/blocking/blocking.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/spawn.hpp"

namespace symphony::runtime {
namespace {

using std::chrono::milliseconds;

// Between two attempts of a retried ask: doubles from the first to the second.
constexpr milliseconds kRetryDelayMin{10};
constexpr milliseconds kRetryDelayMax{1000};

class ActorMailbox final : public Mailbox {
 public:
  explicit ActorMailbox(caf::weak_actor_ptr actor) : actor_(std::move(actor)) {}
  void post(kj::Function<void()> task) const override {
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(actor_))
      alive->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), caf::no_stages,
                                               make_task(kj::mv(task))),
                     nullptr);
  }

 private:
  caf::weak_actor_ptr actor_;
};

class ActorCradle final : public Cradle {
 public:
  ActorCradle(Spawned spawned, const Services& services)
      : spawned_(std::move(spawned)),
        slot_(services.registry.slot(spawned_.life->name())),
        fences_(services.fences) {}
  ~ActorCradle() override { withdraw(); }

  const Incarnation& incarnation() const noexcept override { return *spawned_.life; }
  std::unique_ptr<Target> target() const override {
    return std::make_unique<SlotTarget>(spawned_.life->name(), spawned_.address);
  }
  void publish() override {
    if (!spawned_.life->ended()) slot_->set(spawned_.address);
  }
  void withdraw() override { slot_->clear(spawned_.address.actor.get()); }
  void kill() override {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(spawned_.address.actor),
                        caf::exit_reason::kill);
  }
  void fail(std::string reason) override {
    spawned_.life->set_reason(std::move(reason));
    kill();
  }
  void fence() override {
    spawned_.life->close();
    spawned_.life->fence();
    withdraw();
    fences_.announce({spawned_.address.id(), spawned_.life->name()});
    kill();  // should it not be stuck after all
  }

 private:
  Spawned spawned_;
  std::shared_ptr<Slot> slot_;
  Fences& fences_;
};

}  // namespace

ActorHost::ActorHost(ComponentActor& actor)
    : actor_(actor), log_(actor.services_.log.logger(actor.life_->name())) {}

const Logger& ActorHost::log() const noexcept {
  const auto& trace = actor_.inherited_.trace;
  if (!trace.present()) return log_;
  if (trace != traced_) {
    traced_log_ = log_.with_trace(Uuid::from_halves(trace.trace_high, trace.trace_low), trace.span);
    traced_ = trace;
  }
  return traced_log_;
}

std::unique_ptr<Target> ActorHost::resolve(std::string_view target_name) {
  return std::make_unique<SlotTarget>(actor_.services_.registry.slot(target_name));
}

// ---- asking -------------------------------------------------------------------------------------

struct ActorHost::Retry {
  std::unique_ptr<SlotTarget> target;
  Envelope request;
  Deadline deadline;
  AskDone done;
  milliseconds delay = kRetryDelayMin;
};

std::uint64_t ActorHost::ask(Target& target, Envelope request, AskOptions options, AskDone done) {
  if (!options.retry)
    return actor_.send_request(static_cast<SlotTarget&>(target), std::move(request), options,
                               kj::mv(done));
  auto retry = std::make_shared<Retry>(
      Retry{std::make_unique<SlotTarget>(actor_.services_.registry.slot(target.name())),
            std::move(request),
            std::min(options.deadline == kNoDeadline ? now() + actor_.services_.ask_timeout
                                                     : options.deadline,
                     actor_.inherited_.deadline),
            kj::mv(done)});
  ask_with_retries(std::move(retry));
  return 0;
}

void ActorHost::ask_with_retries(std::shared_ptr<Retry> retry) {
  auto& target = *retry->target;
  actor_.send_request(target, retry->request, {retry->deadline, false},
                      [this, retry](Result<Words> answer) {
                        const bool again = !answer.ok() && answer.error().retryable &&
                                           answer.error().code != Errc::DEADLINE_EXCEEDED &&
                                           now() + retry->delay < retry->deadline;
                        if (!again) return retry->done(std::move(answer));
                        after(retry->delay, [this, retry] { ask_with_retries(retry); });
                        retry->delay = std::min(retry->delay * 2, kRetryDelayMax);
                      });
}

Result<Words> ActorHost::ask_and_wait(Target&, Envelope, AskOptions) {
  SYMPHONY_ASSERT(!"a component must not wait for an answer: use then()");
  std::abort();
}

Status ActorHost::tell(Target& target, Envelope notice) {
  auto& slot_target = static_cast<SlotTarget&>(target);
  notice.header.sender = actor_.id();
  notice.header.trace = actor_.inherited_.trace;
  notice.header.sent = now();
  const Header header = notice.header;
  const Address& address = slot_target.address();
  Status status =
      address ? address.sink->offer(std::move(notice), nullptr, caf::make_message_id(),
                                    actor_.context())
              : Status{Error{Errc::UNAVAILABLE, "nobody answers to " + target.name(), "", true}};
  if (!status) actor_.services_.dead_letters.record(target.name(), header, status.error().message);
  return status;
}

void ActorHost::cancel(Target& target, std::uint64_t correlation) {
  auto ask = actor_.asks_.take(correlation);
  if (!ask) return;
  actor_.wheel_.cancel(ask->timer);
  Envelope envelope;
  envelope.header.kind = Kind::cancel;
  envelope.header.correlation = correlation;
  (void)tell(target, std::move(envelope));
  mailbox()->post([done = kj::mv(ask->done)]() mutable {
    done(Error{Errc::CANCELLED, "the request was cancelled"});
  });
}

// ---- timers, blocking work, the outside ---------------------------------------------------------

TimerHandle ActorHost::after(Nanos delay, kj::Function<void()> fire) {
  const auto timer =
      actor_.wheel_.arm(now() + delay, {0, std::make_unique<kj::Function<void()>>(kj::mv(fire))});
  SYMPHONY_ASSERT(timer);
  actor_.wake_for_first_timer();
  return timer;
}

std::shared_ptr<const Mailbox> ActorHost::mailbox() const {
  return std::make_shared<ActorMailbox>(caf::weak_actor_ptr{actor_.ctrl()});
}

void ActorHost::set_state_line(std::string line) {
  actor_.life_->stats().set_state_line(std::move(line));
}

void ActorHost::submit_blocking(kj::Function<void()> work, kj::Function<void(Status)> done) {
  // `done` belongs to this actor's thread: only a shared pointer to it travels.
  auto shared_work = std::make_shared<kj::Function<void()>>(kj::mv(work));
  auto shared_done = std::make_shared<kj::Function<void(Status)>>(kj::mv(done));
  const auto home = mailbox();
  const auto submitted = actor_.services_.blocking.submit(
      [shared_work] {
        (*shared_work)();
        return Status{};
      },
      [home, shared_done](Status status) {
        home->post([shared_done, status = std::move(status)]() mutable {
          (*shared_done)(std::move(status));
        });
      });
  if (!submitted) home->post([shared_done, error = submitted.error()] { (*shared_done)(error); });
}

std::unique_ptr<Cradle> ActorHost::spawn(const ComponentSpec& spec, std::uint32_t incarnation,
                                         kj::Function<void()> on_exit) {
  auto ended = std::make_shared<kj::Function<void()>>(kj::mv(on_exit));
  auto spawned =
      spawn_component(actor_.system(), actor_.services_, spec, incarnation,
                      [home = mailbox(), ended] { home->post([ended] { (*ended)(); }); });
  return std::make_unique<ActorCradle>(std::move(spawned), actor_.services_);
}

}  // namespace symphony::runtime
