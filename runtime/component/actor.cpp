#include "runtime/component/actor.hpp"

#include <kj/exception.h>
#include <caf/actor_system.hpp>
#include <caf/sec.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "messages/utf8.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/host.hpp"
#include "runtime/component/lifecycle.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::runtime {
namespace {

// A span's id follows from the request it serves, so that none has to be drawn or carried.
// (SplitMix64's finaliser.)
std::uint64_t span_of(const Header& request) noexcept {
  std::uint64_t z = request.correlation * 0x9e3779b97f4a7c15 + request.sender;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Inherited inherited_from(const Header& header) noexcept {
  Inherited context{header.deadline, header.trace};
  if (header.trace.present()) context.trace.span = span_of(header);
  return context;
}

std::string_view method_name(const Header& header) noexcept {
  const auto* method = find_method(header.protocol, header.method);
  return method == nullptr ? "a handler" : method->name;
}

// The actor whose code runs on this thread.
thread_local const ComponentActor* running_here = nullptr;

// Messages up to this size are bounded by their number, and cost nobody the counting.
std::size_t counted_bytes(const Envelope& envelope) noexcept {
  constexpr std::size_t kCountedFromBytes = 1024;
  const auto bytes = envelope.words.size_bytes();
  return bytes < kCountedFromBytes ? 0 : bytes;
}

std::string describe_exception() {
  try {
    throw;
  } catch (const kj::Exception& error) {
    return error.getDescription().cStr();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

// Where the answer to a request of this process goes. It answers once: `to_` is empty afterwards.
class ComponentActor::LocalResponder final : public Responder {
 public:
  LocalResponder(ComponentActor& self, caf::strong_actor_ptr to, caf::message_id mid)
      : self_(&self), life_(self.life_), to_(std::move(to)), mid_(mid) {
    self.unanswered_ = this;
  }
  ~LocalResponder() override {
    if (life_->ended()) return;
    if (self_->unanswered_ == this) self_->unanswered_ = nullptr;
    self_->cancel(deadline_);
  }

  void respond(Envelope answer) noexcept override {
    if (life_->fenced() || !to_) return;
    const bool alive = !life_->ended();
    if (answer.header.kind == Kind::failure && alive) self_->answered_with_error_ = true;
    send(std::move(answer), alive ? self_->context() : nullptr);
  }

  void abandon(const Header& request) noexcept override {
    if (life_->fenced() || !to_) return;
    if (life_->ended())
      return send(
          make_failure(request, {Errc::UNAVAILABLE, life_->name() + " went away", "", true}),
          nullptr);
    if (std::uncaught_exceptions() > 0) {
      self_->orphans_.push_back({std::move(to_), mid_, request});
      return;
    }
    self_->answered_with_error_ = true;
    send(make_failure(request, {Errc::INTERNAL, life_->name() + " gave no answer"}), nullptr);
  }

  // To be ended by this timer unless it answers first.
  void end_by(TimerHandle deadline) noexcept { deadline_ = deadline; }

 private:
  void send(Envelope answer, caf::execution_unit* context) noexcept {
    const auto to = std::move(to_);
    to->enqueue(
        caf::make_mailbox_element(nullptr, mid_.response_id(), caf::no_stages, std::move(answer)),
        context);
  }

  ComponentActor* self_;  // valid until life_->ended()
  std::shared_ptr<Incarnation> life_;
  caf::strong_actor_ptr to_;
  caf::message_id mid_;
  TimerHandle deadline_;
};

ComponentActor::ComponentActor(caf::actor_config& config, const Services& services,
                               std::shared_ptr<const ComponentSpec> spec,
                               std::shared_ptr<Incarnation> life)
    : caf::event_based_actor(config),
      services_(services),
      spec_(std::move(spec)),
      life_(std::move(life)),
      now_(services.clocks.mono()) {
  host_ = std::make_unique<ActorHost>(*this);
  lifecycle_ = std::make_unique<Lifecycle>(*this);
}

ComponentActor::~ComponentActor() = default;

caf::behavior ComponentActor::make_behavior() {
  // Never called: consume() takes everything. CAF ends actors that have no behavior.
  return {[](const Envelope&) {}};
}

Status ComponentActor::ActorInbox::offer(Envelope&& envelope, caf::strong_actor_ptr sender,
                                         caf::message_id mid, caf::execution_unit* context) {
  const Incarnation& life = *actor_.life_;
  auto& stats = life.stats();
  const bool supervision =
      envelope.header.protocol == protocol::Component::kId || envelope.header.kind == Kind::cancel;
  if (life.closed() && !supervision) {
    stats.message_refused();
    return Error{Errc::UNAVAILABLE, life.name() + " is shutting down", "", true};
  }
  // Racing senders may overshoot the limit by one each.
  if (stats.mailbox_depth() >= static_cast<std::int64_t>(actor_.spec_->mailbox_max) &&
      !supervision) {
    stats.message_refused();
    return Error{Errc::OVERLOADED, "the mailbox of " + life.name() + " is full", "", true};
  }
  const auto bytes = counted_bytes(envelope);
  if (bytes != 0) {
    const auto waiting = actor_.waiting_bytes_.load(std::memory_order_relaxed);
    if (waiting != 0 && waiting + bytes > kMailboxBytesMax && !supervision) {
      stats.message_refused();
      return Error{Errc::OVERLOADED,
                   "the mailbox of " + life.name() + " is full: " + std::to_string(waiting) +
                       " bytes wait, and " + std::to_string(bytes) + " more do not fit",
                   "", true};
    }
    actor_.waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  stats.message_enqueued();
  actor_.enqueue(
      caf::make_mailbox_element(std::move(sender), mid, caf::no_stages, std::move(envelope)),
      context);
  return {};
}

caf::resumable::resume_result ComponentActor::resume(caf::execution_unit* context,
                                                     size_t max_throughput) {
  now_is_fresh_ = false;
  const auto* outer = std::exchange(running_here, this);
  const auto result = caf::event_based_actor::resume(context, max_throughput);
  running_here = outer;
  return result;
}

Inherited ComponentActor::inherited_here() const noexcept {
  return running_here == this ? inherited_ : Inherited{};
}

caf::invoke_message_result ComponentActor::consume(caf::mailbox_element& element) {
  if (life_->fenced()) {
    quit(caf::sec::runtime_error);
    return caf::invoke_message_result::consumed;
  }
  if (!now_is_fresh_) read_clock();
  auto& content = element.content();
  if (content.match_elements<Envelope>()) {
    auto envelope = std::move(content.get_mutable_as<Envelope>(0));
    if (!element.mid.is_response()) {
      handle_request(element, std::move(envelope));
    } else if (envelope.header.kind == Kind::failure) {
      handle_answer(element.mid, read_failure(envelope));
    } else {
      handle_answer(element.mid, std::move(envelope.words));
    }
    return caf::invoke_message_result::consumed;
  }
  if (content.match_elements<Task>()) {
    const auto task = content.get_as<Task>(0);
    guarded_work("a task", task.inherited, [&] { (*task.run)(); });
    return caf::invoke_message_result::consumed;
  }
  if (content.match_elements<WorkEnded>()) {
    auto& ended = content.get_mutable_as<WorkEnded>(0);
    if (auto work = works_.take(ended.work))
      guarded_work("what follows blocking work", work->inherited,
                   [&] { work->done(std::move(ended.outcome)); });
    return caf::invoke_message_result::consumed;
  }
  if (content.match_elements<Fenced>()) {
    const auto fenced = content.get_as<Fenced>(0);
    asks_.each([&](std::uint64_t id, const PendingAsk& ask) {
      if (ask.receiver == fenced.actor) fail_later(id, fenced_error(fenced));
    });
    return caf::invoke_message_result::consumed;
  }
  if (element.mid.is_response()) {  // CAF's own word for a receiver that died
    handle_answer(element.mid, Error{Errc::UNAVAILABLE, "the receiver went away", "", true});
    return caf::invoke_message_result::consumed;
  }
  return caf::event_based_actor::consume(element);
}

void ComponentActor::read_clock() {
  now_ = services_.clocks.mono();
  now_is_fresh_ = true;
}

// Two system calls would be too many for each ask; the coarse clock costs nanoseconds.
MonoTime ComponentActor::present() const noexcept {
  return std::max(now_, services_.clocks.coarse());
}

template <class What, class Body>
void ComponentActor::guarded(What&& what, const Inherited& context, Body&& body) {
  inherited_ = context;
  try {
    body();
  } catch (...) {
    crash(std::string{what()} + " threw: " + valid_text(describe_exception()));
  }
  inherited_ = {};
  if (!orphans_.empty()) answer_orphans(life_->reason());
  now_is_fresh_ = false;
}

template <class Body>
void ComponentActor::guarded_work(std::string_view what, const Inherited& context, Body&& body) {
  life_->stats().work_began(now_);
  guarded([&] { return what; }, context, std::forward<Body>(body));
  life_->stats().work_ended(std::max(now_, services_.clocks.coarse()));
}

void ComponentActor::handle_request(caf::mailbox_element& element, Envelope&& envelope) {
  auto& stats = life_->stats();
  stats.message_dequeued();
  if (const auto bytes = counted_bytes(envelope))
    waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  const Header header = envelope.header;
  if (header.kind == Kind::cancel) {
    if (component_ != nullptr && !stopping())
      guarded_work("cancelled", {}, [&] { component_->cancelled(header); });
    return;
  }
  const MonoTime began = now_;
  if (header.deadline <= began) {
    stats.message_dropped(began);
    if (header.kind == Kind::request)
      LocalResponder{*this, std::move(element.sender), element.mid}.respond(make_failure(
          header, {Errc::DEADLINE_EXCEEDED, "the request was due before it was read", "", true}));
    return;
  }
  answered_with_error_ = false;
  stats.handler_began(header.method, began);
  guarded([&] { return method_name(header); }, inherited_from(header),
          [&] {
            Incoming incoming{std::move(envelope), nullptr};
            if (header.kind == Kind::request)
              incoming.responder =
                  std::make_unique<LocalResponder>(*this, std::move(element.sender), element.mid);
            deliver(std::move(incoming));
          });
  if (unanswered_ != nullptr) keep(header, *std::exchange(unanswered_, nullptr));
  read_clock();
  if (header.protocol == protocol::Component::kId)
    stats.work_ended(now_);
  else
    stats.handler_ended(began, now_, began - header.sent, answered_with_error_);
}

bool ComponentActor::stopping() const noexcept {
  const auto state = life_->state();
  return state == messages::ComponentState::STOPPING || state == messages::ComponentState::STOPPED;
}

void ComponentActor::deliver(Incoming&& incoming) {
  const Header& header = incoming.envelope.header;  // dispatch leaves it alone when it says no
  const auto refuse = [&](Error error) {
    if (incoming.responder != nullptr)
      incoming.responder->respond(make_failure(header, error));
    else
      services_.dead_letters.record(life_->name(), header, error.message);
  };
  if (header.protocol == protocol::Component::kId) {
    if (!protocol::Component::dispatch(*lifecycle_, std::move(incoming)))
      refuse({Errc::UNIMPLEMENTED, "components have no such method"});
    return;
  }
  if (component_ == nullptr)
    return refuse({Errc::UNAVAILABLE, life_->name() + " is not ready", "", true});
  if (stopping()) return refuse({Errc::UNAVAILABLE, life_->name() + " has stopped", "", true});
  if (header.protocol != component_->protocol().id || !component_->dispatch(std::move(incoming)))
    refuse({Errc::UNIMPLEMENTED, life_->name() + " has no such method"});
}

void ComponentActor::handle_answer(caf::message_id mid, Result<Words> answer) {
  auto ask = asks_.take(mid.request_id().integer_value());
  if (!ask) return;  // it was cancelled or timed out: too late
  cancel(ask->timer);
  guarded_work("a continuation", ask->inherited, [&] { ask->done(std::move(answer)); });
}

void ComponentActor::crash(std::string reason) {
  life_->set_reason(reason);
  life_->set_state(messages::ComponentState::FAILED);
  life_->close();
  life_->stats().note_error(services_.clocks.wall_ns(), Errc::INTERNAL, reason);
  answered_with_error_ = true;
  quit(caf::sec::runtime_error);
}

void ComponentActor::answer_orphans(const std::string& reason) {
  for (auto& orphan : std::exchange(orphans_, {}))
    orphan.to->enqueue(
        caf::make_mailbox_element(
            nullptr, orphan.mid.response_id(), caf::no_stages,
            make_failure(orphan.header, {Errc::INTERNAL, life_->name() + ": " + reason})),
        context());
}

void ComponentActor::on_exit() {
  life_->close();
  life_->end();
  ticker_.cancel();
  // May run from the last reference's release: no new reference to this actor from here on.
  const auto entry = services_.registry.find(life_->name());
  if (entry) entry->clear(ctrl());
  // What the component and its continuations still owe is answered by their destruction.
  std::exchange(asks_, Slab<PendingAsk>{kAsksMax});
  std::exchange(works_, Slab<PendingWork>{kWorksMax});
  wheel_.reset();
  component_.reset();
  if (entry) entry->release(ctrl());
  life_->finish();
}

// ---- asks and timers ----------------------------------------------------------------------------

std::uint64_t ComponentActor::send_request(LocalTarget& target, Envelope request, Deadline deadline,
                                           AskDone done) {
  if (life_->fenced()) return 0;  // it ends before it could hear an answer
  const MonoTime now = present();
  if (deadline == kNoDeadline) deadline = now + services_.ask_timeout;
  deadline = std::min(deadline, inherited_.deadline);
  if (asks_.full()) {
    fail_later(kj::mv(done), inherited_,
               {Errc::OVERLOADED, "too many asks of this component wait for answers", "", true});
    return 0;
  }
  if (!hears_of_fences_) hear_of_fences();
  const Address& address = target.address();
  const std::uint64_t ask = asks_.add({kj::mv(done), inherited_, address.id()});
  asks_.find(ask)->timer = arm(deadline, {.ask = ask});
  wake_for_first_timer();

  Header& header = request.header;
  header.correlation = ask;
  header.sender = id();
  header.deadline = deadline;
  header.trace = inherited_.trace;
  header.sent = now;
  if (!address) {
    fail_later(ask, {Errc::UNAVAILABLE, "nobody answers to " + target.name(), "", true});
    return ask;
  }
  const auto mid = message_id_of(header, ask);
  const auto status =
      address.inbox->offer(std::move(request), caf::strong_actor_ptr{ctrl()}, mid, context());
  if (!status) fail_later(ask, status.error());
  return ask;
}

void ComponentActor::fail_later(std::uint64_t ask, Error error) {
  enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(ask).response_id(),
                                    caf::no_stages, make_failure({}, error)),
          context());
}

void ComponentActor::fail_later(AskDone done, const Inherited& inherited, Error error) {
  enqueue(caf::make_mailbox_element(
              nullptr, caf::make_message_id(), caf::no_stages,
              make_task([done = kj::mv(done),
                         error = std::move(error)]() mutable { done(std::move(error)); },
                        inherited)),
          context());
}

void ComponentActor::hear_of_fences() {
  services_.fences.tell(caf::weak_actor_ptr{ctrl()});
  hears_of_fences_ = true;
}

TimerHandle ComponentActor::arm(MonoTime deadline, Timer timer) {
  if (wheel_ == nullptr) wheel_ = std::make_unique<TimerWheel<Timer>>(now_);
  return wheel_->arm(deadline, std::move(timer));
}

void ComponentActor::cancel(TimerHandle timer) {
  if (wheel_ != nullptr) wheel_->cancel(timer);
}

// REQUIRES: there was a timer.
void ComponentActor::wake_for_first_timer() {
  const auto next = wheel_->next_deadline();
  if (!next || *next >= woken_at_) return;
  if (!ticker_) {
    // The subscription ends with the actor: the weak pointer is for a wake-up under way.
    caf::weak_actor_ptr self{ctrl()};
    auto subscribed = services_.ticker.subscribe([self = std::move(self), this] {
      if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(self))
        alive->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), caf::no_stages,
                                                 make_task([this] { tick(); })),
                       nullptr);
    });
    SYMPHONY_ASSERT(subscribed.ok());
    ticker_ = std::move(subscribed).value();
  }
  woken_at_ = *next;
  ticker_.wake_at(woken_at_);
}

void ComponentActor::tick() {
  woken_at_ = MonoTime::max();
  wheel_->advance(now_, [&](Timer&& timer) {
    if (timer.ask != 0) return give_up(timer.ask);
    if (timer.kept) return end_kept(*timer.kept);
    inherited_ = timer.fire->inherited;
    timer.fire->run();
    inherited_ = {};
  });
  wake_for_first_timer();
}

void ComponentActor::give_up(std::uint64_t id) {
  auto ask = asks_.take(id);
  if (!ask) return;
  inherited_ = ask->inherited;
  ask->done(Error{Errc::DEADLINE_EXCEEDED, "no answer came in time", "", true});
  inherited_ = {};
}

void ComponentActor::keep(const Header& request, LocalResponder& responder) {
  if (life_->ended() || request.deadline == kNoDeadline) return;
  responder.end_by(
      arm(request.deadline, {.kept = std::make_unique<Kept>(Kept{request, &responder})}));
  wake_for_first_timer();
}

void ComponentActor::end_kept(Kept& kept) {
  kept.responder->respond(
      make_failure(kept.request,
                   {Errc::DEADLINE_EXCEEDED, life_->name() + " did not answer in time", "", true}));
  const bool of_component = kept.request.protocol != protocol::Component::kId;
  if (of_component && component_ != nullptr && !stopping()) component_->cancelled(kept.request);
}

Result<Spawned> spawn_component(caf::actor_system& system, const Services& services,
                                std::shared_ptr<const ComponentSpec> spec,
                                std::uint32_t incarnation, std::function<void()> on_exit) {
  auto entry = services.registry.entry(spec->name);
  if (!entry) return entry.error();
  auto stats = services.telemetry.open(spec->name, services.clocks.mono(), incarnation);
  if (!stats) return stats.error();
  auto life = std::make_shared<Incarnation>(spec->name, incarnation, std::move(stats).value());
  const caf::actor actor = system.spawn<ComponentActor>(services, std::move(spec), life);
  actor->attach_functor(std::move(on_exit));
  auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor);
  auto* made = static_cast<ComponentActor*>(caf::actor_cast<caf::abstract_actor*>(actor));
  auto earlier = (*entry)->hold({caf::weak_actor_ptr{strong.get()}, life});
  return Spawned{Address{std::move(strong), &made->inbox()}, std::move(life),
                 std::move(entry).value(), std::move(earlier)};
}

}  // namespace symphony::runtime
