// Who hears that an incarnation was given up.
//
// A thread that is stuck in an incarnation answers nothing that waits there, and nobody but that
// thread may look into its mailbox. So the askers give up instead: each keeps which actor it asked,
// and fails what it asked of one that is fenced.
#pragma once

#include <caf/actor_control_block.hpp>

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/component/caf_types.hpp"

namespace symphony::runtime {

// Thread-safe.
class Fences {
 public:
  // Below so many it is not looked for askers that are gone.
  static constexpr std::size_t kAskersAtLeast = 1024;

  // From here on `asker` is sent a Fenced for each incarnation that is given up, as long as it
  // lives. Before its first ask, and once.
  void tell(caf::weak_actor_ptr asker);
  // To all askers. REQUIRES: the incarnation takes no new requests any more. Whatever was offered
  // to it before is known to its asker by now, or will be refused.
  void announce(const Fenced& fenced);

 private:
  std::mutex mutex_;
  std::vector<caf::weak_actor_ptr> askers_;
  std::size_t askers_max_ = kAskersAtLeast;  // until those that are gone are looked for
};

// What the asker of one that was fenced gets.
Error fenced_error(const Fenced& fenced);

}  // namespace symphony::runtime
