// An actor without a mailbox: answers to the requests it sent are handed to their continuations at
// once, on the thread that answers. What threads outside of the actors, and peers beyond a link,
// ask with. Thread-safe.
#pragma once

#include <kj/function.h>
#include <caf/actor_proxy.hpp>

#include <cstdint>
#include <mutex>
#include <optional>

#include "messages/envelope.hpp"
#include "runtime/component/caf_types.hpp"
#include "runtime/system/slab.hpp"

namespace symphony::runtime {

class ReplyBox final : public caf::actor_proxy {
 public:
  // How many requests may wait for their answers.
  static constexpr std::size_t kPendingMax = 1u << 20;
  static constexpr std::chrono::milliseconds kExpiryInterval{500};
  using Done = kj::Function<void(Result<Words>)>;

  explicit ReplyBox(caf::actor_config& config);

  // Files `done` (moved from, unless it fails) for an answer of the actor `receiver` that is due at
  // `deadline`; the id to send the request with. `overloaded` when kPendingMax requests wait.
  Result<std::uint64_t> expect(std::uint64_t receiver, Deadline deadline, Done& done);
  // Takes the continuation back: an answer will be dropped. Nothing when it was answered already.
  std::optional<Done> take(std::uint64_t id);
  // Answers everything whose deadline has passed. Looks at most once every kExpiryInterval: cheap
  // to call before each request.
  void expire(Deadline now);

  using caf::actor_proxy::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* context) override;
  void kill_proxy(caf::execution_unit* context, caf::error reason) override;

 private:
  struct Pending {
    std::uint64_t receiver;
    Deadline deadline;
    Done done;
  };
  // Answers all that are `meant(const Pending&)` with this.
  template <class Meant>
  void fail_if(Meant&& meant, const Error& error);

  std::mutex mutex_;
  Deadline next_expiry_{};
  Slab<Pending> pending_{kPendingMax};
};

}  // namespace symphony::runtime
