// Names to living incarnations.
//
// A name has one entry for as long as anybody holds on to it or stands in it; incarnations come and
// go in it. A Ref holds on to the entry and looks at its generation (one atomic load) before each
// use, so that nobody takes a lock or looks up a string to send a message.
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ref.hpp"

namespace symphony::runtime {

class Incarnation;

// An actor that takes envelopes and can say no. Thread-safe.
class Inbox {
 public:
  virtual ~Inbox() = default;
  // `overloaded` when its mailbox is full, `unavailable` when it takes nothing any more.
  virtual Status offer(Envelope&& envelope, caf::strong_actor_ptr sender, caf::message_id mid,
                       caf::execution_unit* context) = 0;
};

// An actor and its inbox: valid as long as `actor` is held.
struct Address {
  caf::strong_actor_ptr actor;
  Inbox* inbox = nullptr;
  explicit operator bool() const noexcept { return inbox != nullptr; }
  // Tells incarnations apart; 0 for an empty address.
  std::uint64_t id() const noexcept { return actor ? actor->id() : 0; }
};

// An incarnation that was made for a name, whether or not it may be found there.
struct Holder {
  caf::weak_actor_ptr actor;
  std::weak_ptr<Incarnation> life;
};

// The place of one name. Thread-safe.
class NameEntry {
 public:
  explicit NameEntry(std::string name) : name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }
  // The living incarnation, or an empty address.
  std::pair<Address, std::uint64_t> current() const;
  void set(Address address);
  // Empties the entry, provided `actor` is still the one in it.
  void clear(const caf::actor_control_block* actor);

  // From now on `next` holds the name; returns who held it before. So that two that were made by
  // different supervisors find one another: the earlier one may not be finished yet.
  Holder hold(Holder next);
  // `actor` holds the name no more.
  void release(const caf::actor_control_block* actor);
  // Nobody holds the name or can be found there.
  bool vacant() const;

 private:
  const std::string name_;
  std::atomic<std::uint64_t> generation_{1};
  mutable std::mutex mutex_;
  Address address_;
  Holder holder_;
};

// Names that nobody holds on to and nobody stands in are forgotten, now and then.
class Registry {
 public:
  // How many names there may be: those of all components, and as many that are only asked for.
  static constexpr std::size_t kNamesMax = std::size_t{1} << 18;
  // Below so many it is not looked for names to forget.
  static constexpr std::size_t kNamesAtLeast = 1024;

  // The entry of `name`, made when it is new; resourceExhausted when there are too many.
  Result<std::shared_ptr<NameEntry>> entry(std::string_view name);
  // The entry of `name`, or null when there is none.
  std::shared_ptr<NameEntry> find(std::string_view name) const;
  // Names with a living incarnation, sorted.
  std::vector<std::string> living() const;
  // How many names are known.
  std::size_t size() const;
  // Empties every entry; for the end of a node.
  void clear();

 private:
  using Entries = std::map<std::string_view, std::shared_ptr<NameEntry>>;  // each by its own name

  void forget();

  mutable std::mutex mutex_;
  Entries entries_;
  std::size_t names_max_ = kNamesAtLeast;  // until it is looked for names to forget
};

// What a Ref of a local asker holds. Used by the asker's thread only.
class LocalTarget final : public Target {
 public:
  explicit LocalTarget(std::shared_ptr<NameEntry> entry) : entry_(std::move(entry)) {}
  // Whoever bears the name. Should the registry be full: nobody ever.
  LocalTarget(Registry& registry, std::string_view name);
  // Bound to one actor for good, whatever the registry says: a supervisor's view of a child.
  LocalTarget(std::string name, Address address);
  const std::string& name() const noexcept override { return entry_->name(); }
  // The living incarnation now; empty when there is none.
  const Address& address();

 private:
  std::shared_ptr<NameEntry> entry_;
  std::uint64_t seen_ = 0;
  Address cached_;
};

// Messages that found nobody: counted, and the latest kept for people to see. Thread-safe.
class DeadLetters {
 public:
  static constexpr std::size_t kSamplesMax = 64;
  struct Sample {
    std::string target;
    std::uint64_t protocol = 0;
    std::uint16_t method = 0;
    std::string reason;
  };
  void record(std::string_view target, const Header& header, std::string_view reason);
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::vector<Sample> samples() const;  // oldest first

 private:
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  std::vector<Sample> ring_;
  std::size_t next_ = 0;
};

}  // namespace symphony::runtime
