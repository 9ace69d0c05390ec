#include "actors/orchestration/engine/result_store.hpp"

#include <utility>

namespace symphony::actors {
namespace {

constexpr std::size_t kNodeBytes = 32;  // of a value or member beside its text, about

}  // namespace

std::size_t memory_of(const Json& value) {
  std::size_t bytes = kNodeBytes;
  if (value.is_string()) return bytes + value.get_ref<const std::string&>().size();
  if (value.is_array())
    for (const Json& item : value) bytes += memory_of(item);
  if (value.is_object())
    for (const auto& member : value.items())
      bytes += kNodeBytes + member.key().size() + memory_of(member.value());
  return bytes;
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

void ResultStore::put_text(NodeId node, std::string text) {
  Entry entry;
  entry.key = key_of(Kind::result, node);
  entry.bytes = kNodeBytes + text.size();
  entry.text = std::move(text);
  add(std::move(entry));
}

ResultStore::Value ResultStore::find(NodeId node) {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const Entry* entry = touch(key_of(Kind::result, node));
    if (entry == nullptr) {
      const auto held = held_.find(node);
      return held == held_.end() ? nullptr : held->second;
    }
    if (entry->value) return entry->value;
    text = entry->text;
  }
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return nullptr;
  auto value = std::make_shared<const Json>(std::move(parsed));
  put(node, value);
  return value;
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
  Entry entry;
  entry.key = key_of(Kind::items, node);
  for (const Json& item : *items) entry.bytes += memory_of(item);
  entry.items = std::move(items);
  add(std::move(entry));
}

ResultStore::Items ResultStore::find_items(NodeIndex node) {
  const std::lock_guard lock(mutex_);
  const Entry* entry = touch(key_of(Kind::items, node));
  return entry == nullptr ? nullptr : entry->items;
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
