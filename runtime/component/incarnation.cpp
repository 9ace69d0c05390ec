#include "runtime/component/incarnation.hpp"

#include <utility>

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

void Incarnation::finish() {
  std::vector<std::function<void()>> followers;
  {
    const std::lock_guard lock(mutex_);
    finished_.store(true, std::memory_order_release);
    followers.swap(followers_);
  }
  for (const auto& follow : followers) follow();
}

void Incarnation::on_finish(std::function<void()> then) {
  {
    const std::lock_guard lock(mutex_);
    if (!finished()) return followers_.push_back(std::move(then));
  }
  then();
}

}  // namespace symphony::runtime
