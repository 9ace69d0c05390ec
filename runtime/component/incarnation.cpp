#include "runtime/component/incarnation.hpp"

namespace symphony::runtime {

void Incarnation::fence() {
  std::function<void()> release;
  {
    const std::lock_guard lock(mutex_);
    fenced_.store(true, std::memory_order_release);
    release.swap(release_);
  }
  if (release) release();
}

void Incarnation::on_fence(std::function<void()> release) {
  {
    const std::lock_guard lock(mutex_);
    if (ended()) return;
    if (!fenced()) return release_.swap(release);  // the former one is dropped after the lock
  }
  release();
}

void Incarnation::end() {
  std::function<void()> dropped;  // after the lock: it may own what takes long to let go of
  const std::lock_guard lock(mutex_);
  ended_.store(true, std::memory_order_release);
  dropped.swap(release_);
}

}  // namespace symphony::runtime
