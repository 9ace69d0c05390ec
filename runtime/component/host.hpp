// What a component sees of its actor: asking, timers, blocking work, spawning.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/component/actor.hpp"

namespace symphony::runtime {

class ActorHost final : public Host, public Spawner {
 public:
  explicit ActorHost(ComponentActor& actor);

  // Asker
  std::unique_ptr<Target> resolve(std::string_view name) override;
  std::uint64_t ask(Target& target, Envelope request, Deadline deadline, AskDone done) override;
  Status tell(Target& target, Envelope notice) override;
  void cancel(Target& target, std::uint64_t correlation) override;
  Deadline now() const override { return actor_.present(); }

  // Host
  const std::string& name() const noexcept override { return actor_.life_->name(); }
  std::uint32_t incarnation() const noexcept override { return actor_.life_->number(); }
  const Services& services() const noexcept override { return actor_.services_; }
  const Logger& log() const noexcept override;
  TimerHandle after(Nanos delay, kj::Function<void()> fire) override;
  void cancel_timer(TimerHandle timer) override { actor_.cancel(timer); }
  std::shared_ptr<const Mailbox> mailbox() const override;
  std::function<bool()> fence() const override;
  void set_state_line(std::string line) override;
  void die(std::string reason) override { actor_.crash(std::move(reason)); }
  void on_fence(std::function<void()> release) override {
    actor_.life_->on_fence(std::move(release));
  }
  Spawner& spawner() override { return *this; }

  // Spawner
  Result<std::unique_ptr<ChildHandle>> spawn(std::shared_ptr<const ComponentSpec> spec,
                                             std::uint32_t incarnation,
                                             std::function<void()> on_exit) override;
  void forget(const Incarnation& last) override;

 private:
  void submit_blocking(kj::Function<Status()> work, kj::Function<void(Status)> done) override;
  Inherited exchange_inherited(const Inherited& inherited) noexcept override;

  ComponentActor& actor_;
  mutable std::unique_ptr<Logger> log_;  // made for the first record
  // With the trace of the message being handled; renewed when that changes.
  struct TracedLog {
    Logger log;
    TraceContext trace;
  };
  mutable std::unique_ptr<TracedLog> traced_;
};

}  // namespace symphony::runtime
