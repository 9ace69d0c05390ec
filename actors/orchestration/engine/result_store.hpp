// The results of a run's nodes, as far as memory allows.
//
// Every result is in the journal or in the artifact store, or will soon be; what is kept here saves
// reading it again. The least recently used go first when `bytes_max` is reached, but for those
// that are held because the journal may not have them yet. What is kept of every node whatever its
// size: that it was skipped, the range of its children, the digest of a large result.
//
// Thread-safe: workers read while the engine adds. What was handed out stays valid.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/orchestration/engine/work.hpp"

namespace symphony::actors {

// How many lists and objects of a result may lie in each other, as of an input.
inline constexpr std::size_t kMaxResultDepth = 64;

// About how much memory a value takes. REQUIRES: it is not nested deeper than a result may be, by
// much: recursive.
std::size_t memory_of(const Json& value);

// Whether lists and objects lie deeper in each other than that. Looks no deeper itself.
bool is_deeper_than(const Json& value, std::size_t levels);

class ResultStore {
 public:
  using Value = std::shared_ptr<const Json>;
  using Items = std::shared_ptr<const std::vector<Json>>;

  explicit ResultStore(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // ---- facts, kept for good
  void note_skipped(NodeId node);
  void note_children(NodeIndex node, NodeId first, std::uint32_t count);
  void note_digest(NodeId node, std::string digest);
  bool skipped(NodeId node) const;
  struct Children {
    NodeId first = 0;
    std::uint32_t count = 0;
  };
  std::optional<Children> children_of(NodeIndex node) const;
  std::optional<std::string> digest_of(NodeId node) const;

  // ---- values, kept while there is room
  // `held`: kept in any case until it is journalled.
  void put(NodeId node, Value value, bool held = false);
  void journalled(NodeId node);
  Value find(NodeId node);  // null when it has to be read again
  // The results of all children of a mapped node, as one list.
  void put_list(NodeIndex node, Value list);
  Value find_list(NodeIndex node);
  // What a mapped node is mapped over: kept until it has ended, since each child needs its own.
  void put_items(NodeIndex node, Items items);
  Items find_items(NodeIndex node) const;
  void drop_items(NodeIndex node);

  std::size_t bytes() const;
  void clear();  // values only

 private:
  enum class Kind : std::uint8_t { result, list };
  struct Entry {
    std::uint64_t key = 0;
    std::size_t bytes = 0;
    Value value;
  };
  static std::uint64_t key_of(Kind kind, NodeId node) noexcept {
    return std::uint64_t{static_cast<std::uint8_t>(kind)} << 32 | node;
  }
  void add(Entry entry);
  Entry* touch(std::uint64_t key);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::unordered_map<NodeId, Value> held_;
  std::unordered_map<NodeIndex, Items> items_;
  std::unordered_set<NodeId> skipped_;
  std::unordered_map<NodeIndex, Children> children_;
  std::unordered_map<NodeId, std::string> digests_;
};

}  // namespace symphony::actors
