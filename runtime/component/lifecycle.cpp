#include "runtime/component/lifecycle.hpp"

#include <capnp/schema.h>

#include <memory>
#include <utility>

#include "runtime/component/host.hpp"
#include "runtime/telemetry/component_stats.hpp"
#include "runtime/telemetry/telemetry_message.hpp"

namespace symphony::runtime {
namespace {

std::string state_name(messages::ComponentState state) {
  const auto enumerants = capnp::Schema::from<messages::ComponentState>().getEnumerants();
  return enumerants[static_cast<unsigned>(state)].getProto().getName().cStr();
}

void write_methods(const ProtocolInfo& protocol, messages::DescribeResponse::Builder out) {
  auto methods = out.initMethods(static_cast<unsigned>(protocol.methods.size()));
  for (unsigned i = 0; i < protocol.methods.size(); ++i) {
    const auto& info = protocol.methods[i];
    auto method = methods[i];
    method.setName(kj::StringPtr(info.name.data(), info.name.size()));
    method.setRequest(info.request().getShortDisplayName());
    if (info.response != nullptr) method.setResponse(info.response().getShortDisplayName());
    method.setOneway(info.oneway);
    method.setIdempotent(info.idempotent);
    method.setCursor(info.cursor);
    method.setInternal(info.internal);
  }
}

void write_settings(const std::vector<SettingText>& settings,
                    messages::DescribeResponse::Builder out) {
  auto rows = out.initSettings(static_cast<unsigned>(settings.size()));
  for (unsigned i = 0; i < settings.size(); ++i) {
    rows[i].setKey(settings[i].key);
    rows[i].setValue(settings[i].value);
    rows[i].setOrigin(settings[i].origin);
  }
}

}  // namespace

void Lifecycle::describe(Call<protocol::Component::Describe> call) {
  call.reply([&](messages::DescribeResponse::Builder out) {
    const auto& life = *actor_.life_;
    out.setName(life.name());
    out.setSummary(actor_.spec_->summary);
    out.setState(life.state());
    out.setIncarnation(life.number());
    if (actor_.component_ != nullptr) {
      const auto& protocol = actor_.component_->protocol();
      out.setProtocol(kj::StringPtr(protocol.title.data(), protocol.title.size()));
      write_methods(protocol, out);
    }
    const auto snapshot = life.stats().snapshot();
    out.setStateLine(snapshot.state_line);
    write_settings(actor_.spec_->settings, out);
    write_stats(snapshot, out.initStats());
  });
}

void Lifecycle::health(Call<protocol::Component::Health> call) {
  const auto state = actor_.life_->state();
  call.reply([&](messages::HealthResponse::Builder out) {
    out.setHealthy(state == State::READY);
    out.setDetail(state_name(state));
  });
}

template <class M, class Take>
void Lifecycle::take_step(Call<M> call, State from, State during, State after, Take&& take) {
  auto& life = *actor_.life_;
  if (life.state() != from)
    return call.fail({Errc::FAILED_PRECONDITION,
                      std::string{M::kTitle} + " is for a component that is " + state_name(from) +
                          ", this one is " + state_name(life.state())});
  life.set_state(during);
  auto open = std::make_shared<Call<M>>(std::move(call));
  // The step may be finished, or dropped, after the actor is gone: then the call is dropped too.
  take(Step{[this, open, during, after, shared_life = actor_.life_](Status status) {
    auto& self = *shared_life;
    if (self.ended()) return;
    if (self.state() != during)  // a stop does not wait for the step before it
      return open->fail({Errc::CANCELLED, self.name() + " is " + state_name(self.state())});
    if (!status) {
      self.set_state(State::FAILED);
      self.stats().note_error(actor_.services_.clocks.wall_ns(), status.error().code,
                              status.error().message);
      return open->fail(status.error());
    }
    self.set_state(after);
    open->reply();
    if (after == State::STOPPED) actor_.quit();
  }});
}

void Lifecycle::prepare(Call<protocol::Component::Prepare> call) {
  take_step(std::move(call), State::CREATED, State::PREPARING, State::PREPARED, [&](Step step) {
    actor_.component_ = actor_.spec_->make(*actor_.host_);
    actor_.component_->prepare(std::move(step));
  });
}

void Lifecycle::start(Call<protocol::Component::Start> call) {
  take_step(std::move(call), State::PREPARED, State::STARTING, State::READY,
            [&](Step step) { actor_.component_->start(std::move(step)); });
}

void Lifecycle::drain(Call<protocol::Component::Drain> call) {
  actor_.life_->close();
  take_step(std::move(call), State::READY, State::DRAINING, State::DRAINING,
            [&](Step step) { actor_.component_->drain(std::move(step)); });
}

void Lifecycle::stop(Call<protocol::Component::Stop> call) {
  actor_.life_->close();
  if (actor_.component_ == nullptr) {
    call.reply();
    return actor_.quit();
  }
  if (actor_.stopping())
    return call.fail({Errc::FAILED_PRECONDITION, actor_.life_->name() + " is stopping already"});
  take_step(std::move(call), actor_.life_->state(), State::STOPPING, State::STOPPED,
            [&](Step step) { actor_.component_->stop(std::move(step)); });
}

}  // namespace symphony::runtime
