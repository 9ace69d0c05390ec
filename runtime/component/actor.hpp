// The CAF actor around a component: mailbox, answers, deadlines, telemetry, the end of a life.
//
// This is the only class that takes messages out of a CAF mailbox. Its speed is that of every ask:
//   - a request is a CAF request whose id is an index into a slab of asks (no map);
//   - deadlines sit in a wheel owned by the actor; the node's ticker wakes it for the first only;
//   - the clock is read as a batch of messages begins and after each request.
// Limits: ComponentSpec::mailbox_max, ComponentActor::kMailboxBytesMax, kAsksMax, kWorksMax.
#pragma once

#include <caf/event_based_actor.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/caf_types.hpp"
#include "runtime/component/component.hpp"
#include "runtime/component/incarnation.hpp"
#include "runtime/component/inherited.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/component/spawner.hpp"
#include "runtime/system/slab.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {

class ActorHost;
class Lifecycle;

class ComponentActor final : public caf::event_based_actor {
 public:
  // How many asks of one component may wait for their answers.
  static constexpr std::size_t kAsksMax = std::size_t{1} << 22;
  // How much blocking work of one component may be under way.
  static constexpr std::size_t kWorksMax = std::size_t{1} << 20;

  ComponentActor(caf::actor_config& config, const Services& services,
                 std::shared_ptr<const ComponentSpec> spec, std::shared_ptr<Incarnation> life);
  ~ComponentActor() override;

  // Where messages come in.
  Inbox& inbox() noexcept { return inbox_; }

  // Bytes of requests and one-way messages that may wait, beside small ones. One always fits. More
  // than all connections of a node may bring in: from there comes backpressure, and no refusal.
  static constexpr std::size_t kMailboxBytesMax = std::size_t{256} << 20;

  // caf::event_based_actor
  caf::behavior make_behavior() override;
  caf::invoke_message_result consume(caf::mailbox_element& element) override;
  resume_result resume(caf::execution_unit* context, size_t max_throughput) override;
  void on_exit() override;
  const char* name() const override { return life_->name().c_str(); }

  // What the code that runs on this thread inherited, if that is code of this actor; else nothing.
  Inherited inherited_here() const noexcept;

 private:
  friend class ActorHost;
  friend class Lifecycle;
  class LocalResponder;

  // Not a base class: CAF's workers find out with dynamic_cast what they run, once for each turn
  // of an actor, and that takes longer the more bases there are.
  class ActorInbox final : public Inbox {
   public:
    explicit ActorInbox(ComponentActor& actor) noexcept : actor_(actor) {}
    Status offer(Envelope&& envelope, caf::strong_actor_ptr sender, caf::message_id mid,
                 caf::execution_unit* context) override;

   private:
    ComponentActor& actor_;
  };

  // A request that was sent and has no answer.
  struct PendingAsk {
    AskDone done;
    Inherited inherited;
    std::uint64_t receiver = 0;  // the actor that was asked
    TimerHandle timer = {};
  };

  // Blocking work that was handed in and has not ended.
  struct PendingWork {
    kj::Function<void(Status)> done;
    Inherited inherited;
  };

  // A timer of the component's own.
  struct Fire {
    kj::Function<void()> run;
    Inherited inherited;
  };

  // A request whose handler has returned without an answer.
  struct Kept {
    Header request;
    LocalResponder* responder;
  };

  // One of them is set.
  struct Timer {
    std::uint64_t ask = 0;
    std::unique_ptr<Fire> fire;
    std::unique_ptr<Kept> kept;
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
  // Now, in the midst of a handler: it may have run for long since its batch began.
  MonoTime present() const noexcept;
  // Runs the component's code: what it inherits, exceptions. Leaves the clock to be read again.
  // `what()` is named in the error when it throws.
  template <class What, class Body>
  void guarded(What&& what, const Inherited& context, Body&& body);
  // The same for code that handles no request, with its telemetry.
  template <class Body>
  void guarded_work(std::string_view what, const Inherited& context, Body&& body);
  void deliver(Incoming&& incoming);
  // Requests and cancellations reach the component no more.
  bool stopping() const noexcept;
  void crash(std::string reason);
  void answer_orphans(const std::string& reason);
  TimerHandle arm(MonoTime deadline, Timer timer);
  void cancel(TimerHandle timer);
  void wake_for_first_timer();
  void tick();
  // The answer to this ask did not come in time.
  void give_up(std::uint64_t ask);
  // The deadline of a Call that outlives its handler ends it, whatever becomes of its asker.
  void keep(const Header& request, LocalResponder& responder);
  void end_kept(Kept& kept);
  // Sends a request and files its continuation; see Asker::ask.
  std::uint64_t send_request(LocalTarget& target, Envelope request, Deadline deadline,
                             AskDone done);
  // Calls the continuation of an ask, or one that is not filed, with an error; not from in here.
  void fail_later(std::uint64_t id, Error error);
  void fail_later(AskDone done, const Inherited& inherited, Error error);
  // So that it hears of incarnations that are given up: costs nothing to one that never asks.
  void hear_of_fences();

  const Services& services_;
  const std::shared_ptr<const ComponentSpec> spec_;
  const std::shared_ptr<Incarnation> life_;
  ActorInbox inbox_{*this};
  std::unique_ptr<ActorHost> host_;
  std::unique_ptr<Lifecycle> lifecycle_;
  std::unique_ptr<Component> component_;

  Slab<PendingAsk> asks_{kAsksMax};
  Slab<PendingWork> works_{kWorksMax};
  bool hears_of_fences_ = false;
  std::unique_ptr<TimerWheel<Timer>> wheel_;  // made for the first timer
  TickerSubscription ticker_;
  MonoTime woken_at_ = MonoTime::max();  // the wake-up asked of the ticker

  std::atomic<std::size_t> waiting_bytes_{0};  // of counted messages in the mailbox

  MonoTime now_;
  bool now_is_fresh_ = false;
  Inherited inherited_;
  std::vector<Orphan> orphans_;
  bool answered_with_error_ = false;      // by the handler that runs
  LocalResponder* unanswered_ = nullptr;  // of the request whose handler runs
};

}  // namespace symphony::runtime
