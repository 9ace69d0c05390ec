#include "runtime/component/registry.hpp"

#include <utility>

namespace symphony::runtime {

std::pair<Address, std::uint64_t> NameEntry::current() const {
  const std::lock_guard lock(mutex_);
  return {address_, generation_.load(std::memory_order_relaxed)};
}

void NameEntry::set(Address address) {
  Address previous;  // released after the lock: the last reference may run a destructor
  const std::lock_guard lock(mutex_);
  previous = std::exchange(address_, std::move(address));
  generation_.fetch_add(1, std::memory_order_release);
}

void NameEntry::clear(const caf::actor_control_block* actor) {
  Address previous;
  const std::lock_guard lock(mutex_);
  if (address_.actor.get() != actor) return;
  previous = std::exchange(address_, Address{});
  generation_.fetch_add(1, std::memory_order_release);
}

Registry::Registry() : nowhere_(std::make_shared<NameEntry>("")) {}

std::shared_ptr<NameEntry> Registry::entry(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= kNamesMax) return nowhere_;
  return entries_.emplace(std::string{name}, std::make_shared<NameEntry>(std::string{name}))
      .first->second;
}

std::shared_ptr<NameEntry> Registry::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second;
}

std::vector<std::string> Registry::living() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_)
    if (entry->current().first) names.push_back(name);
  return names;
}

void Registry::clear() {
  std::map<std::string, std::shared_ptr<NameEntry>, std::less<>> entries;
  {
    const std::lock_guard lock(mutex_);
    entries = entries_;
  }
  for (const auto& [name, entry] : entries) entry->set({});
}

LocalTarget::LocalTarget(std::string name, Address address)
    : entry_(std::make_shared<NameEntry>(std::move(name))) {
  entry_->set(std::move(address));
}

const Address& LocalTarget::address() {
  if (entry_->generation() != seen_) std::tie(cached_, seen_) = entry_->current();
  return cached_;
}

void DeadLetters::record(std::string_view target, const Header& header, std::string_view reason) {
  count_.fetch_add(1, std::memory_order_relaxed);
  Sample sample{std::string{target}, header.protocol, header.method, std::string{reason}};
  const std::lock_guard lock(mutex_);
  if (ring_.size() < kSamplesMax) {
    ring_.push_back(std::move(sample));
  } else {
    ring_[next_] = std::move(sample);
    next_ = (next_ + 1) % kSamplesMax;
  }
}

std::vector<DeadLetters::Sample> DeadLetters::samples() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> samples(ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
  samples.insert(samples.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_));
  return samples;
}

}  // namespace symphony::runtime
