#include "actors/orchestration/engine/result_store.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {
namespace {

// Measured with glibc's malloc and nlohmann's containers: a value lies in its list or object.
constexpr std::size_t kValueBytes = sizeof(Json);
constexpr std::size_t kContainerBytes = 64;  // a text, list or object itself
constexpr std::size_t kMemberBytes = 96;     // the node of the tree that holds a member

}  // namespace

std::size_t memory_of(const Json& value) {
  std::size_t bytes = kValueBytes;
  if (value.is_structured() || value.is_string()) bytes += kContainerBytes;
  if (value.is_string()) return bytes + value.get_ref<const std::string&>().size();
  if (value.is_array())
    for (const Json& item : value) bytes += memory_of(item);
  if (value.is_object())
    for (const auto& member : value.items())
      bytes += kMemberBytes + member.key().size() + memory_of(member.value());
  return bytes;
}

bool is_deeper_than(const Json& value, std::size_t levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  return std::any_of(value.begin(), value.end(),
                     [levels](const Json& inner) { return is_deeper_than(inner, levels - 1); });
}

void ResultStore::note_skipped(NodeId node) {
  const std::lock_guard lock(mutex_);
  skipped_.insert(node);
}

void ResultStore::note_children(NodeIndex node, NodeId first, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  children_[node] = {first, count};
}

void ResultStore::note_digest(NodeId node, std::string digest) {
  const std::lock_guard lock(mutex_);
  digests_[node] = std::move(digest);
}

bool ResultStore::skipped(NodeId node) const {
  const std::lock_guard lock(mutex_);
  return skipped_.contains(node);
}

std::optional<ResultStore::Children> ResultStore::children_of(NodeIndex node) const {
  const std::lock_guard lock(mutex_);
  const auto found = children_.find(node);
  if (found == children_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> ResultStore::digest_of(NodeId node) const {
  const std::lock_guard lock(mutex_);
  const auto found = digests_.find(node);
  if (found == digests_.end()) return std::nullopt;
  return found->second;
}

void ResultStore::put(NodeId node, Value value, bool held) {
  if (held) {
    const std::lock_guard lock(mutex_);
    held_.insert_or_assign(node, value);
  }
  Entry entry;
  entry.key = key_of(Kind::result, node);
  entry.bytes = memory_of(*value);
  entry.value = std::move(value);
  add(std::move(entry));
}

void ResultStore::journalled(NodeId node) {
  Value value;  // released after the lock
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(node);
  if (found == held_.end()) return;
  value = std::move(found->second);
  held_.erase(found);
}

ResultStore::Value ResultStore::find(NodeId node) {
  const std::lock_guard lock(mutex_);
  if (const Entry* entry = touch(key_of(Kind::result, node))) return entry->value;
  const auto held = held_.find(node);
  return held == held_.end() ? nullptr : held->second;
}

void ResultStore::put_list(NodeIndex node, Value list) {
  Entry entry;
  entry.key = key_of(Kind::list, node);
  entry.bytes = memory_of(*list);
  entry.value = std::move(list);
  add(std::move(entry));
}

ResultStore::Value ResultStore::find_list(NodeIndex node) {
  const std::lock_guard lock(mutex_);
  const Entry* entry = touch(key_of(Kind::list, node));
  return entry == nullptr ? nullptr : entry->value;
}

void ResultStore::put_items(NodeIndex node, Items items) {
  const std::lock_guard lock(mutex_);
  items_.insert_or_assign(node, std::move(items));
}

ResultStore::Items ResultStore::find_items(NodeIndex node) const {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(node);
  return found == items_.end() ? nullptr : found->second;
}

void ResultStore::drop_items(NodeIndex node) {
  const std::lock_guard lock(mutex_);
  items_.erase(node);
}

std::size_t ResultStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ResultStore::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  by_key_.clear();
  held_.clear();
  items_.clear();
  bytes_ = 0;
}

void ResultStore::add(Entry entry) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = by_key_.try_emplace(entry.key);
  if (!is_new) {
    bytes_ -= found->second->bytes;
    entries_.erase(found->second);
  }
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  found->second = entries_.begin();
  while (bytes_ > bytes_max_ && !entries_.empty()) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

ResultStore::Entry* ResultStore::touch(std::uint64_t key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

}  // namespace symphony::actors
