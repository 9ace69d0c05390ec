// Who is there and how it fares: the published statistics of all components of a node, by name.
// Thread-safe. Looking up takes a short lock; recording takes none (see ComponentStats).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/telemetry/component_stats.hpp"

namespace symphony::runtime {

class TelemetryRegistry {
 public:
  // 100,000 for what runs on a node, and room for the node itself.
  static constexpr std::size_t kComponentsMax = std::size_t{1} << 17;

  // The statistics for a new incarnation of `name`: fresh for the first, continuing the counters of
  // its predecessor (with one more restart) for each later one. Fails with resourceExhausted when
  // there are kComponentsMax names; those of incarnations that are gone are forgotten before.
  Result<std::shared_ptr<ComponentStats>> open(const std::string& name, MonoTime now,
                                               std::uint32_t incarnation = 0);
  // Forgets a name, unless a later incarnation than `stats` holds it.
  void close(const ComponentStats& stats);

  // Null when there is no such component.
  [[nodiscard]] std::shared_ptr<ComponentStats> find(std::string_view name) const;
  // In the order of names.
  [[nodiscard]] std::vector<std::shared_ptr<const ComponentStats>> all() const;
  [[nodiscard]] std::vector<ComponentSnapshot> snapshot() const;
  // Those of incarnations that were succeeded or closed and still exist: fenced ones, above all, in
  // which a thread may be stuck. In no order.
  [[nodiscard]] std::vector<std::shared_ptr<const ComponentStats>> former() const;

 private:
  void note_former(const std::shared_ptr<ComponentStats>& stats);

  // How many former incarnations are noted before those that are gone are forgotten.
  static constexpr std::size_t kFormerAtLeast = 256;

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<const ComponentStats>> former_;
  std::size_t former_max_ = kFormerAtLeast;
  std::map<std::string_view, std::shared_ptr<ComponentStats>> by_name_;  // each by its own name
};

}  // namespace symphony::runtime
