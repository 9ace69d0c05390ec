// The CAF actor around a component: mailbox, answers, deadlines, telemetry, the end of a life.
//
// This is the only class that takes messages out of a CAF mailbox. Its speed is that of every ask:
//   - a request is a CAF request whose id is an index into a slab of pending asks (no map);
//   - deadlines sit in a wheel owned by the actor; the node's ticker wakes it for the first only;
//   - the clock is read as a batch of messages begins and after each request.
// Limits: ComponentSpec::mailbox_max, PendingAsks::kAsksMax.
#pragma once

#include <caf/event_based_actor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/caf_types.hpp"
#include "runtime/component/component.hpp"
#include "runtime/component/incarnation.hpp"
#include "runtime/component/nursery.hpp"
#include "runtime/component/pending_asks.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {

class ActorHost;
class Lifecycle;

class ComponentActor final : public caf::event_based_actor {
 public:
  ComponentActor(caf::actor_config& config, const Services& services, ComponentSpec spec,
                 std::shared_ptr<Incarnation> life);
  ~ComponentActor() override;

  // Where messages come in.
  Sink& door() noexcept { return door_; }

  // caf::event_based_actor
  caf::behavior make_behavior() override;
  caf::invoke_message_result consume(caf::mailbox_element& element) override;
  resume_result resume(caf::execution_unit* context, size_t max_throughput) override;
  void on_exit() override;
  const char* name() const override { return life_->name().c_str(); }

 private:
  friend class ActorHost;
  friend class Lifecycle;
  class LocalResponder;

  // Not a base class: CAF's workers find out with dynamic_cast what they run, once for each turn
  // of an actor, and that takes longer the more bases there are.
  class Door final : public Sink {
   public:
    explicit Door(ComponentActor& actor) noexcept : actor_(actor) {}
    Status offer(Envelope&& envelope, caf::strong_actor_ptr sender, caf::message_id mid,
                 caf::execution_unit* context) override;

   private:
    ComponentActor& actor_;
  };

  struct Timer {
    std::uint64_t ask = 0;  // 0: a timer of the component's own
    std::unique_ptr<kj::Function<void()>> fire;
  };

  // A request whose handler threw before it was answered.
  struct Orphan {
    caf::strong_actor_ptr to;
    caf::message_id mid;
    Header header;
  };

  void handle_request(caf::mailbox_element& element, Envelope&& envelope);
  void handle_answer(caf::message_id mid, Result<Words> answer);
  void read_clock();
  // Runs the component's code: what it inherits, exceptions. Leaves the clock to be read again.
  // `what` is for the error when it throws.
  template <class Body>
  void guarded(std::string_view what, const Inherited& context, Body&& body);
  // The same for code that handles no request, with its telemetry.
  template <class Body>
  void guarded_work(std::string_view what, const Inherited& context, Body&& body);
  void deliver(Incoming&& incoming);
  void crash(std::string reason);
  void answer_orphans(const std::string& reason);
  void wake_for_first_timer();
  void tick();
  // The answer to this ask did not come in time.
  void give_up(std::uint64_t ask);
  // Sends a request and files its continuation; see Asker::ask.
  std::uint64_t send_request(SlotTarget& target, Envelope request, AskOptions options,
                             AskDone done);
  void fail_later(std::uint64_t id, Error error);
  // So that it hears of incarnations that are given up: costs nothing to one that never asks.
  void hear_of_fences();

  const Services& services_;
  const ComponentSpec spec_;
  const std::shared_ptr<Incarnation> life_;
  Door door_{*this};
  std::unique_ptr<ActorHost> host_;
  std::unique_ptr<Lifecycle> lifecycle_;
  std::unique_ptr<Component> component_;

  PendingAsks asks_;
  bool hears_of_fences_ = false;
  TimerWheel<Timer> wheel_;
  TickerSubscription ticker_;
  MonoTime woken_at_ = MonoTime::max();  // the wake-up asked of the ticker

  MonoTime now_;
  bool now_is_fresh_ = false;
  Inherited inherited_;
  std::vector<Orphan> orphans_;
  bool answered_with_error_ = false;  // by the handler that runs
};

}  // namespace symphony::runtime
