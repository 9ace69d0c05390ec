#include "runtime/component/registry.hpp"

#include <algorithm>
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

Holder NameEntry::hold(Holder next) {
  const std::lock_guard lock(mutex_);
  return std::exchange(holder_, std::move(next));
}

void NameEntry::release(const caf::actor_control_block* actor) {
  Holder released;
  const std::lock_guard lock(mutex_);
  if (holder_.actor.get() == actor) released = std::exchange(holder_, {});
}

bool NameEntry::vacant() const {
  const std::lock_guard lock(mutex_);
  return !address_ && !holder_.actor;
}

Result<std::shared_ptr<NameEntry>> Registry::entry(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= std::min(names_max_, kNamesMax)) forget();
  if (entries_.size() >= kNamesMax)
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a node knows at most " + std::to_string(kNamesMax) + " names"};
  auto fresh = std::make_shared<NameEntry>(std::string{name});
  entries_.emplace(fresh->name(), fresh);
  return fresh;
}

// Nobody else gets at an entry that is only held here, as long as the lock is held.
void Registry::forget() {
  std::erase_if(entries_, [](const auto& each) {
    return each.second.use_count() == 1 && each.second->vacant();
  });
  names_max_ = std::max(kNamesAtLeast, 2 * entries_.size());
}

std::size_t Registry::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
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
    if (entry->current().first) names.emplace_back(name);
  return names;
}

void Registry::clear() {
  Entries entries;
  {
    const std::lock_guard lock(mutex_);
    entries = entries_;
  }
  for (const auto& [name, entry] : entries) entry->set({});
}

LocalTarget::LocalTarget(Registry& registry, std::string_view name) {
  auto entry = registry.entry(name);
  entry_ = entry ? std::move(entry).value() : std::make_shared<NameEntry>(std::string{name});
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
