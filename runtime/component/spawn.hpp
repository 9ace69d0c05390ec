// Making a component's actor. Used by the supervisor (through its Spawner) and by the root of a
// node; nobody else spawns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/component/incarnation.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/component/spawner.hpp"

namespace caf {
class actor_system;
}

namespace symphony::runtime {

struct Spawned {
  Address address;
  std::shared_ptr<Incarnation> life;
  std::shared_ptr<NameEntry> entry;
  Holder earlier;  // who held the name before
};

// The new actor holds its name, but is not found there yet (see ChildHandle::publish), and its
// component is made by `prepare`. `on_exit` runs on whatever thread ends it. Fails with
// resourceExhausted when the node has too many components or names.
Result<Spawned> spawn_component(caf::actor_system& system, const Services& services,
                                std::shared_ptr<const ComponentSpec> spec,
                                std::uint32_t incarnation, std::function<void()> on_exit);

}  // namespace symphony::runtime
