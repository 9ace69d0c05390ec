#include "runtime/link/byte_budget.hpp"

#include <algorithm>
#include <utility>

#include "messages/result.hpp"

namespace symphony::runtime {

bool ByteBudget::take(Taker who, std::size_t bytes) {
  if (const auto kept = kept_.find(who); kept != kept_.end()) {
    SYMPHONY_ASSERT(kept->second == bytes);
    kept_.erase(kept);
    return true;
  }
  if (line_.empty() && fits(bytes)) {
    held_bytes_ += bytes;
    return true;
  }
  const auto waits = [who](const Waiting& one) { return one.who == who; };
  if (std::none_of(line_.begin(), line_.end(), waits)) line_.push_back({who, bytes});
  return false;
}

std::vector<ByteBudget::Taker> ByteBudget::give_back(std::size_t bytes) {
  SYMPHONY_ASSERT(bytes <= held_bytes_);
  held_bytes_ -= bytes;
  return serve();
}

std::vector<ByteBudget::Taker> ByteBudget::leave(Taker who) {
  if (const auto kept = kept_.find(who); kept != kept_.end()) {
    held_bytes_ -= kept->second;
    kept_.erase(kept);
  }
  std::erase_if(line_, [who](const Waiting& one) { return one.who == who; });
  return serve();
}

std::vector<ByteBudget::Taker> ByteBudget::serve() {
  std::vector<Taker> named;
  for (; !line_.empty() && fits(line_.front().bytes); line_.pop_front()) {
    const auto& first = line_.front();
    held_bytes_ += first.bytes;
    kept_.emplace(first.who, first.bytes);
    named.push_back(first.who);
  }
  return named;
}

std::vector<std::weak_ptr<Paused>> InboundBudget::take_out(const std::vector<Taker>& named) {
  std::vector<std::weak_ptr<Paused>> paused;
  for (const auto who : named) {
    auto node = waiting_.extract(who);
    if (!node.empty()) paused.push_back(std::move(node.mapped()));
  }
  return paused;
}

bool InboundBudget::take(Taker who, std::size_t bytes, std::weak_ptr<Paused> paused) {
  const std::lock_guard lock{mutex_};
  if (budget_for(bytes).take(who, bytes)) return true;
  waiting_.insert_or_assign(who, std::move(paused));
  return false;
}

void InboundBudget::insist(std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  budget_for(bytes).insist(bytes);
}

void InboundBudget::give_back(std::size_t bytes) {
  std::vector<std::weak_ptr<Paused>> paused;
  {
    const std::lock_guard lock{mutex_};
    auto& budget = budget_for(bytes);
    const auto named = budget.give_back(bytes);
    if (named.empty()) return;
    paused = take_out(named);
  }
  for (const auto& one : paused)
    if (const auto alive = one.lock()) alive->resume();
}

void InboundBudget::leave(Taker who) {
  std::vector<std::weak_ptr<Paused>> paused;
  {
    const std::lock_guard lock{mutex_};
    waiting_.erase(who);
    for (auto& budget : budgets_)
      for (auto& one : take_out(budget.leave(who))) paused.push_back(std::move(one));
  }
  for (const auto& one : paused)
    if (const auto alive = one.lock()) alive->resume();
}

bool InboundBudget::anybody_waits() const {
  const std::lock_guard lock{mutex_};
  return budgets_[0].anybody_waits() || budgets_[1].anybody_waits();
}

std::size_t InboundBudget::held_bytes() const {
  const std::lock_guard lock{mutex_};
  return budgets_[0].held_bytes() + budgets_[1].held_bytes();
}

}  // namespace symphony::runtime
