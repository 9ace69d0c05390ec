#include "runtime/component/host.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/blocking/blocking.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::runtime {
namespace {

class ActorMailbox final : public Mailbox {
 public:
  explicit ActorMailbox(caf::weak_actor_ptr actor) : actor_(std::move(actor)) {}
  void post(kj::Function<void()> task) const override {
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(actor_);
    if (!alive) return;
    const auto* actor =
        static_cast<const ComponentActor*>(caf::actor_cast<caf::abstract_actor*>(alive));
    alive->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), caf::no_stages,
                                             make_task(kj::mv(task), actor->inherited_here())),
                   nullptr);
  }

 private:
  caf::weak_actor_ptr actor_;
};

void ask_to_exit(const caf::strong_actor_ptr& actor) {
  caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
}

// Gives up an incarnation: see ChildHandle::fence.
void fence_off(const caf::strong_actor_ptr& actor, Incarnation& life, NameEntry& entry,
               Fences& fences) {
  life.close();
  life.fence();
  entry.clear(actor.get());
  fences.announce({actor->id(), life.name()});
  ask_to_exit(actor);  // should it not be stuck after all
}

class ActorChildHandle final : public ChildHandle {
 public:
  ActorChildHandle(Spawned spawned, Host& host) : spawned_(std::move(spawned)), host_(host) {}
  ~ActorChildHandle() override { withdraw(); }

  const Incarnation& incarnation() const noexcept override { return *spawned_.life; }
  std::shared_ptr<const Incarnation> life() const noexcept override { return spawned_.life; }
  std::unique_ptr<Target> target() const override {
    return std::make_unique<LocalTarget>(spawned_.life->name(), spawned_.address);
  }
  void when_alone(Nanos patience, kj::Function<void()> then) override {
    const auto earlier = spawned_.earlier.life.lock();
    const auto actor = caf::actor_cast<caf::strong_actor_ptr>(spawned_.earlier.actor);
    if (!earlier || !actor || earlier->finished() || earlier->fenced()) return then();
    host_.log().info("waits for one that a former supervisor left",
                     {{"child", earlier->name()}, {"incarnation", earlier->number()}});
    spawned_.entry->clear(actor.get());
    ask_to_exit(actor);
    // Whichever comes first. (A kj::Function made from a named lambda refers to it.)
    auto once = std::make_shared<std::optional<kj::Function<void()>>>(kj::mv(then));
    const auto go_on = [once] {
      if (auto next = std::exchange(*once, std::nullopt)) (*next)();
    };
    earlier->on_finish([home = host_.mailbox(), go_on] { home->post([go_on] { go_on(); }); });
    host_.after(patience, [go_on, once, earlier, entry = spawned_.entry, &host = host_,
                           weak = spawned_.earlier.actor] {
      if (!*once) return;
      host.log().warn("one that a former supervisor left is stuck, and is fenced",
                      {{"child", earlier->name()}, {"incarnation", earlier->number()}});
      if (const auto left = caf::actor_cast<caf::strong_actor_ptr>(weak))
        fence_off(left, *earlier, *entry, host.services().fences);
      go_on();
    });
  }
  void publish() override {
    if (!spawned_.life->ended()) spawned_.entry->set(spawned_.address);
  }
  void withdraw() override { spawned_.entry->clear(spawned_.address.actor.get()); }
  void kill() override { ask_to_exit(spawned_.address.actor); }
  void fail(std::string reason) override {
    spawned_.life->set_reason(std::move(reason));
    kill();
  }
  void fence() override {
    fence_off(spawned_.address.actor, *spawned_.life, *spawned_.entry, host_.services().fences);
  }

 private:
  Spawned spawned_;
  Host& host_;
};

}  // namespace

ActorHost::ActorHost(ComponentActor& actor) : actor_(actor) {}

const Logger& ActorHost::log() const noexcept {
  const auto& trace = actor_.inherited_.trace;
  if (log_ == nullptr)
    log_ = std::make_unique<Logger>(actor_.services_.log.logger(actor_.life_->name()));
  if (!trace.present()) return *log_;
  if (traced_ == nullptr || trace != traced_->trace)
    traced_ = std::make_unique<TracedLog>(TracedLog{
        log_->with_trace(Uuid::from_halves(trace.trace_high, trace.trace_low), trace.span), trace});
  return traced_->log;
}

std::unique_ptr<Target> ActorHost::resolve(std::string_view target_name) {
  return std::make_unique<LocalTarget>(actor_.services_.registry, target_name);
}

// ---- asking -------------------------------------------------------------------------------------

std::uint64_t ActorHost::ask(Target& target, Envelope request, Deadline deadline, AskDone done) {
  return actor_.send_request(static_cast<LocalTarget&>(target), std::move(request), deadline,
                             kj::mv(done));
}

Status ActorHost::tell(Target& target, Envelope notice) {
  if (actor_.life_->fenced()) return fenced_error({actor_.id(), actor_.life_->name()});
  auto& local = static_cast<LocalTarget&>(target);
  notice.header.sender = actor_.id();
  notice.header.trace = actor_.inherited_.trace;
  notice.header.sent = now();
  const Header header = notice.header;
  const Address& address = local.address();
  Status status =
      address ? address.inbox->offer(std::move(notice), nullptr, message_id_of(header),
                                     actor_.context())
              : Status{Error{Errc::UNAVAILABLE, "nobody answers to " + target.name(), "", true}};
  if (!status) actor_.services_.dead_letters.record(target.name(), header, status.error().message);
  return status;
}

void ActorHost::cancel(Target& target, std::uint64_t correlation) {
  auto ask = actor_.asks_.take(correlation);
  if (!ask) return;
  actor_.cancel(ask->timer);
  Envelope envelope;
  envelope.header.kind = Kind::cancel;
  envelope.header.correlation = correlation;
  (void)tell(target, std::move(envelope));
  actor_.fail_later(kj::mv(ask->done), ask->inherited,
                    {Errc::CANCELLED, "the request was cancelled"});
}

// ---- timers, blocking work, the outside ---------------------------------------------------------

TimerHandle ActorHost::after(Nanos delay, kj::Function<void()> fire) {
  if (actor_.life_->fenced()) return {};
  const MonoTime at = now() + delay;
  Inherited inherited = actor_.inherited_;
  if (at >= inherited.deadline) inherited.deadline = kNoDeadline;
  const auto timer = actor_.arm(at, {.fire = std::make_unique<ComponentActor::Fire>(
                                         ComponentActor::Fire{kj::mv(fire), inherited})});
  SYMPHONY_ASSERT(timer);
  actor_.wake_for_first_timer();
  return timer;
}

std::shared_ptr<const Mailbox> ActorHost::mailbox() const {
  return std::make_shared<ActorMailbox>(caf::weak_actor_ptr{actor_.ctrl()});
}

std::function<bool()> ActorHost::fence() const {
  return [life = actor_.life_] { return life->fenced(); };
}

void ActorHost::set_state_line(std::string line) {
  actor_.life_->stats().set_state_line(std::move(line));
}

void ActorHost::submit_blocking(kj::Function<Status()> work, kj::Function<void(Status)> done) {
  if (actor_.life_->fenced()) return;
  // `done` stays here: only its number travels.
  const auto ended = [home = caf::weak_actor_ptr{actor_.ctrl()}](std::uint64_t id, Status outcome) {
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(home))
      alive->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), caf::no_stages,
                                               WorkEnded{id, std::move(outcome)}),
                     nullptr);
  };
  SYMPHONY_ASSERT(!actor_.works_.full());
  const std::uint64_t id = actor_.works_.add({kj::mv(done), actor_.inherited_});
  const Status submitted = actor_.services_.blocking.submit(
      kj::mv(work), [ended, id](Status outcome) { ended(id, std::move(outcome)); });
  if (!submitted) ended(id, submitted);
}

Inherited ActorHost::exchange_inherited(const Inherited& inherited) noexcept {
  return std::exchange(actor_.inherited_, inherited);
}

Result<std::unique_ptr<ChildHandle>> ActorHost::spawn(std::shared_ptr<const ComponentSpec> spec,
                                                      std::uint32_t incarnation,
                                                      std::function<void()> on_exit) {
  // One that was given up starts nothing: its replacement has, or will.
  if (actor_.life_->fenced()) return fenced_error({actor_.id(), actor_.life_->name()});
  auto spawned = spawn_component(
      actor_.system(), actor_.services_, std::move(spec), incarnation,
      [home = mailbox(), on_exit = std::move(on_exit)] { home->post([on_exit] { on_exit(); }); });
  if (!spawned) return spawned.error();
  return std::unique_ptr<ChildHandle>{
      std::make_unique<ActorChildHandle>(std::move(spawned).value(), *this)};
}

void ActorHost::forget(const Incarnation& last) { actor_.services_.telemetry.close(last.stats()); }

}  // namespace symphony::runtime
