// A component that speaks the Supervisor protocol and does nothing: tests override what they need.
#pragma once

#include "messages/supervisor.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::runtime {

class PlainSupervisor : public ComponentOf<protocol::Supervisor> {
 public:
  using ComponentOf::ComponentOf;
  void tree(Call<protocol::Supervisor::Tree> call) override { call.reply(); }
  void replace(Call<protocol::Supervisor::Replace> call) override { call.reply(); }
  void start_child(Call<protocol::Supervisor::StartChild> call) override { call.reply(); }
  void remove_child(Call<protocol::Supervisor::RemoveChild> call) override { call.reply(); }
};

}  // namespace symphony::runtime
