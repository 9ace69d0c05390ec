// Asking components from threads that are not actors: main(), blocking work, a test.
#pragma once

#include <caf/actor_control_block.hpp>

#include <functional>
#include <memory>
#include <string_view>

#include "messages/ref.hpp"
#include "runtime/component/reply_box.hpp"
#include "runtime/component/services.hpp"

namespace caf {
class actor_system;
}

namespace symphony::runtime {

// Thread-safe; its Refs are not: one per thread. Continuations given to then() run on the thread
// that answers and must be short. A then() whose answer never comes is answered with
// `deadlineExceeded` when the asker is used next or closed; get() is exact.
class ThreadAsker final : public WaitingAsker {
 public:
  // How get() waits: returns when `ready()` is true or the deadline has passed. In production it
  // blocks the thread; a deterministic test runs the other actors meanwhile.
  using Pump = std::function<void(const std::function<bool()>& ready, Deadline deadline)>;

  // Both must outlive the asker. `pump` empty: block.
  ThreadAsker(caf::actor_system& system, const Services& services, Pump pump = {});
  ~ThreadAsker() override;
  ThreadAsker(const ThreadAsker&) = delete;
  ThreadAsker& operator=(const ThreadAsker&) = delete;

  std::unique_ptr<Target> resolve(std::string_view name) override;
  std::uint64_t ask(Target& target, Envelope request, Deadline deadline, AskDone done) override;
  Result<Words> ask_and_wait(Target& target, Envelope request, Deadline deadline) override;
  Status tell(Target& target, Envelope notice) override;
  void cancel(Target& target, std::uint64_t correlation) override;
  Deadline now() const override;

 private:
  const Services& services_;
  Pump pump_;
  caf::strong_actor_ptr box_actor_;
  ReplyBox* box_;
};

}  // namespace symphony::runtime
