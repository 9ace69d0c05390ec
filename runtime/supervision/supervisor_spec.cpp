// Reading a specification: validation, start order, and the names of things.
#include "runtime/supervision/supervisor_spec.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "runtime/supervision/supervisor_core.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {
namespace {

Error invalid(std::string field, std::string message) {
  return Error{Errc::INVALID_ARGUMENT, std::move(message), std::move(field)};
}

// `field`: where the child stands, "children[3]." or "".
std::optional<Error> check_child(const ChildSpec& child, const std::string& field) {
  if (child.id.empty()) return invalid(field + "id", "a child needs an id");
  if (child.prepare_timeout.count() <= 0 || child.start_timeout.count() <= 0)
    return invalid(field + "start_timeout", "prepare and start need positive timeouts");
  if (child.drain_timeout.count() < 0 || child.stop_timeout.count() <= 0)
    return invalid(field + "stop_timeout",
                   "drain needs a timeout of 0 or more, stop a positive one");
  return std::nullopt;
}

std::string field_of(std::size_t child) { return "children[" + std::to_string(child) + "]."; }

std::string too_many() {
  return "a supervisor has at most " + std::to_string(SupervisorCore::kChildrenMax) + " children";
}

std::optional<Error> check_spec(const SupervisorSpec& spec) {
  if (spec.children.size() > SupervisorCore::kChildrenMax) return invalid("children", too_many());
  if (spec.intensity.window.count() <= 0)
    return invalid("intensity.window", "the window of restarts must be positive");
  if (spec.backoff.initial.count() < 0 || spec.backoff.max < spec.backoff.initial)
    return invalid("backoff", "a backoff must grow from initial (0 or more) to max");
  if (!(spec.backoff.jitter >= 0.0 && spec.backoff.jitter <= 1.0))
    return invalid("backoff.jitter", "the jitter must lie between 0 and 1");
  for (std::size_t i = 0; i < spec.children.size(); ++i)
    if (auto error = check_child(spec.children[i], field_of(i))) return error;
  return std::nullopt;
}

Error no_sibling(const ChildSpec& child, const std::string& need, const std::string& field,
                 const std::vector<std::string>& ids) {
  return invalid(field + "needs", "child " + child.id + " needs " + need +
                                      ", which is not a sibling" + suggestion_suffix(need, ids));
}

// needs[i]: the positions of what child i needs.
Result<std::vector<std::vector<std::size_t>>> resolve_needs(const SupervisorSpec& spec) {
  std::map<std::string, std::size_t> by_id;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const std::string& id = spec.children[i].id;
    if (!by_id.emplace(id, i).second)
      return invalid(field_of(i) + "id", "there are two children with the id " + id);
    ids.push_back(id);
  }
  std::vector<std::vector<std::size_t>> needs(spec.children.size());
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    for (const std::string& id : spec.children[i].needs) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) return no_sibling(spec.children[i], id, field_of(i), ids);
      if (std::find(needs[i].begin(), needs[i].end(), found->second) == needs[i].end())
        needs[i].push_back(found->second);
    }
  }
  return needs;
}

// Kahn's algorithm, always taking the first child that may start: children keep their order unless
// their needs say otherwise. The order is short when there is a cycle.
std::vector<std::size_t> start_order(const std::vector<std::vector<std::size_t>>& needs) {
  std::vector<std::vector<std::size_t>> needed_by(needs.size());
  std::vector<std::size_t> missing(needs.size());
  std::vector<std::size_t> free;  // a heap, smallest first
  for (std::size_t i = 0; i < needs.size(); ++i) {
    missing[i] = needs[i].size();
    for (const std::size_t need : needs[i]) needed_by[need].push_back(i);
    if (missing[i] == 0) free.push_back(i);
  }
  std::vector<std::size_t> order;
  std::make_heap(free.begin(), free.end(), std::greater<>{});
  while (!free.empty()) {
    std::pop_heap(free.begin(), free.end(), std::greater<>{});
    const std::size_t next = free.back();
    free.pop_back();
    order.push_back(next);
    for (const std::size_t other : needed_by[next]) {
      if (--missing[other] > 0) continue;
      free.push_back(other);
      std::push_heap(free.begin(), free.end(), std::greater<>{});
    }
  }
  return order;
}

}  // namespace

Result<SupervisorCore> SupervisorCore::make(SupervisorSpec spec, Random& random) {
  if (auto error = check_spec(spec)) return *error;
  auto needs = resolve_needs(spec);
  if (!needs) return needs.error();
  const std::vector<std::size_t> order = start_order(*needs);
  if (order.size() < spec.children.size()) {
    std::vector<bool> ordered(spec.children.size());
    for (const std::size_t i : order) ordered[i] = true;
    std::string stuck;
    for (std::size_t i = 0; i < ordered.size(); ++i)
      if (!ordered[i]) stuck += (stuck.empty() ? "" : ", ") + spec.children[i].id;
    return invalid("children", "these children need one another in a circle: " + stuck);
  }

  auto children = std::exchange(spec.children, {});
  SupervisorCore core(std::move(spec), random);
  std::vector<Child*> made(children.size());
  for (const std::size_t i : order) {
    std::vector<Child*> needed;
    for (const std::size_t need : (*needs)[i]) needed.push_back(made[need]);
    made[i] = &core.insert(std::move(children[i]), std::move(needed));
  }
  return core;
}

Result<SupervisorCore::Effects> SupervisorCore::add(ChildSpec spec, MonoTime now) {
  SYMPHONY_ASSERT(now >= now_);
  if (state_ != SupervisorState::kStarting && state_ != SupervisorState::kRunning)
    return Error{Errc::FAILED_PRECONDITION,
                 spec_.id + " is " + std::string{to_string(state_)} + " and takes no children"};
  if (auto error = check_child(spec, "")) return *error;
  if (find(spec.id) != nullptr)
    return Error{Errc::ALREADY_EXISTS, "there is a child " + spec.id + " already", "id"};
  if (children_.size() >= kChildrenMax) return Error{Errc::RESOURCE_EXHAUSTED, too_many(), "id"};
  std::vector<Child*> needs;
  for (const std::string& id : spec.needs) {
    Child* need = find(id);
    if (need == nullptr) {
      std::vector<std::string> ids;
      for (const auto& [place, child] : children_) ids.push_back(child.spec.id);
      return no_sibling(spec, id, "", ids);
    }
    if (need->on_trial || need->leaving)
      return Error{Errc::FAILED_PRECONDITION,
                   id + (need->leaving ? " is being removed" : " was never ready yet"), "needs"};
    if (std::find(needs.begin(), needs.end(), need) == needs.end()) needs.push_back(need);
  }
  now_ = now;
  Child& child = insert(std::move(spec), std::move(needs));
  child.added = child.on_trial = true;
  // While a group goes down nobody may begin to need it.
  if (!held_.empty()) hold(child);
  Effects effects;
  settle(now, effects);
  return effects;
}

std::string_view to_string(ChildKind kind) noexcept {
  switch (kind) {
    case ChildKind::kPermanent:
      return "permanent";
    case ChildKind::kTransient:
      return "transient";
    case ChildKind::kTemporary:
      return "temporary";
  }
  return "?";
}

std::string_view to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::kOneForOne:
      return "one-for-one";
    case Strategy::kOneForAll:
      return "one-for-all";
    case Strategy::kRestForOne:
      return "rest-for-one";
  }
  return "?";
}

std::string_view to_string(ChildState state) noexcept {
  switch (state) {
    case ChildState::kWaiting:
      return "waiting";
    case ChildState::kBackingOff:
      return "backing off";
    case ChildState::kPreparing:
      return "preparing";
    case ChildState::kStarting:
      return "starting";
    case ChildState::kReady:
      return "ready";
    case ChildState::kStopping:
      return "stopping";
    case ChildState::kFinished:
      return "finished";
  }
  return "?";
}

std::string_view to_string(SupervisorState state) noexcept {
  switch (state) {
    case SupervisorState::kIdle:
      return "idle";
    case SupervisorState::kStarting:
      return "starting";
    case SupervisorState::kRunning:
      return "running";
    case SupervisorState::kStopping:
      return "stopping";
    case SupervisorState::kStopped:
      return "stopped";
    case SupervisorState::kFailed:
      return "failed";
  }
  return "?";
}

}  // namespace symphony::runtime
