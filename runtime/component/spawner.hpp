// Bringing components to life: the one place where actors are spawned. Used by the supervisor.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/component/component.hpp"
#include "runtime/component/incarnation.hpp"
#include "runtime/settings/setting_text.hpp"

namespace symphony::runtime {

// What is needed to make an incarnation: shared by all that are made from it.
struct ComponentSpec {
  std::string name;     // registry name, "/pit/dag"
  std::string summary;  // one line for `describe`
  ComponentFactory make;
  std::size_t mailbox_max = 100'000;       // requests and one-way messages that may wait
  std::vector<SettingText> settings = {};  // those it was made from, for `describe`
};

// A spawned incarnation, as its supervisor holds it. Not thread-safe.
class ChildHandle {
 public:
  virtual ~ChildHandle() = default;
  virtual const Incarnation& incarnation() const noexcept = 0;
  virtual std::shared_ptr<const Incarnation> life() const noexcept = 0;
  // For asks that go to this very incarnation, named or not.
  virtual std::unique_ptr<Target> target() const = 0;
  // Runs `then` on the host's component once no earlier incarnation lives under this name. One that
  // does (its supervisor died before it) is asked to exit, and given up after `patience`.
  virtual void when_alone(Nanos patience, kj::Function<void()> then) = 0;
  // Makes it what its name means.
  virtual void publish() = 0;
  // Its name means nobody, and it takes no new requests.
  virtual void withdraw() = 0;
  // Ends it after the message it is handling.
  virtual void kill() = 0;
  // The same, and says why.
  virtual void fail(std::string reason) = 0;
  // Gives it up: withdraws it, fails what was asked of it and drops whatever it still says. For one
  // that is stuck.
  virtual void fence() = 0;
};

class Spawner {
 public:
  virtual ~Spawner() = default;
  // `on_exit` runs on the host's component, once, after the incarnation has ended (never for one
  // that was fenced and stays stuck). Fails with resourceExhausted when the node has too many
  // components, and with unavailable in a host that was given up.
  virtual Result<std::unique_ptr<ChildHandle>> spawn(std::shared_ptr<const ComponentSpec> spec,
                                                     std::uint32_t incarnation,
                                                     std::function<void()> on_exit) = 0;
  // The name of a child that is no more and will not be again: nobody is shown it any longer.
  virtual void forget(const Incarnation& last) = 0;
};

}  // namespace symphony::runtime
