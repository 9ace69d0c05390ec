#include "runtime/component/fences.hpp"

#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/no_stages.hpp>

#include <algorithm>
#include <utility>

namespace symphony::runtime {

void Fences::tell(caf::weak_actor_ptr asker) {
  const std::lock_guard lock(mutex_);
  if (askers_.size() >= askers_max_) {
    std::erase_if(askers_, [](const caf::weak_actor_ptr& one) { return one->strong_refs == 0; });
    askers_max_ = std::max(kAskersAtLeast, 2 * askers_.size());
  }
  askers_.push_back(std::move(asker));
}

void Fences::announce(const Fenced& fenced) {
  std::vector<caf::weak_actor_ptr> askers;
  {
    const std::lock_guard lock(mutex_);
    askers = askers_;
  }
  for (const auto& one : askers)
    if (const auto asker = caf::actor_cast<caf::strong_actor_ptr>(one))
      asker->enqueue(
          caf::make_mailbox_element(nullptr, caf::make_message_id(), caf::no_stages, fenced),
          nullptr);
}

Error fenced_error(const Fenced& fenced) {
  return {Errc::UNAVAILABLE, fenced.name + " got stuck and was given up", "", true};
}

}  // namespace symphony::runtime
