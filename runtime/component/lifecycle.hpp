// The Component protocol, which every component answers through its actor: describe, health and
// the steps of a life, in their order.
#pragma once

#include <string>

#include "messages/component.protocol.hpp"
#include "runtime/component/actor.hpp"

namespace symphony::runtime {

class Lifecycle final : public protocol::Component::Handlers {
 public:
  explicit Lifecycle(ComponentActor& actor) noexcept : actor_(actor) {}

  void describe(Call<protocol::Component::Describe> call) override;
  void health(Call<protocol::Component::Health> call) override;
  void prepare(Call<protocol::Component::Prepare> call) override;
  void start(Call<protocol::Component::Start> call) override;
  void drain(Call<protocol::Component::Drain> call) override;
  void stop(Call<protocol::Component::Stop> call) override;

 private:
  using State = messages::ComponentState;

  // Takes the step `during` from state `from` and goes to `after` when it is finished.
  template <class M, class Take>
  void take_step(Call<M> call, State from, State during, State after, Take&& take);

  ComponentActor& actor_;
};

}  // namespace symphony::runtime
