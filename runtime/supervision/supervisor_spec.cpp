// Reading a specification: validation, start order, and the names of things.
#include "runtime/supervision/supervisor_spec.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/supervision/supervisor_core.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {
namespace {

Error invalid(std::string field, std::string message) {
  return Error{Errc::INVALID_ARGUMENT, std::move(message), std::move(field)};
}

std::string field_of(std::size_t child, const char* name) {
  return "children[" + std::to_string(child) + "]." + name;
}

std::optional<Error> check_numbers(const SupervisorSpec& spec) {
  if (spec.children.size() > SupervisorCore::kChildrenMax)
    return invalid("children", "a supervisor has at most " +
                                   std::to_string(SupervisorCore::kChildrenMax) + " children");
  if (spec.intensity.window.count() <= 0)
    return invalid("intensity.window", "the window of restarts must be positive");
  if (spec.backoff.initial.count() < 0 || spec.backoff.max < spec.backoff.initial)
    return invalid("backoff", "a backoff must grow from initial (0 or more) to max");
  if (!(spec.backoff.jitter >= 0.0 && spec.backoff.jitter <= 1.0))
    return invalid("backoff.jitter", "the jitter must lie between 0 and 1");
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const ChildSpec& child = spec.children[i];
    if (child.prepare_timeout.count() <= 0 || child.start_timeout.count() <= 0)
      return invalid(field_of(i, "start_timeout"), "prepare and start need positive timeouts");
    if (child.drain_timeout.count() < 0 || child.stop_timeout.count() <= 0)
      return invalid(field_of(i, "stop_timeout"),
                     "drain needs a timeout of 0 or more, stop a positive one");
  }
  return std::nullopt;
}

// needs[i]: the positions of what child i needs.
Result<std::vector<std::vector<std::size_t>>> resolve_needs(const SupervisorSpec& spec) {
  std::map<std::string, std::size_t> by_id;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const std::string& id = spec.children[i].id;
    if (id.empty()) return invalid(field_of(i, "id"), "a child needs an id");
    if (!by_id.emplace(id, i).second)
      return invalid(field_of(i, "id"), "there are two children with the id " + id);
    ids.push_back(id);
  }
  std::vector<std::vector<std::size_t>> needs(spec.children.size());
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    for (const std::string& id : spec.children[i].needs) {
      const auto found = by_id.find(id);
      if (found == by_id.end())
        return invalid(field_of(i, "needs"), "child " + spec.children[i].id + " needs " + id +
                                                 ", which is not a sibling" +
                                                 suggestion_suffix(id, ids));
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
  if (auto error = check_numbers(spec)) return *error;
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

  std::vector<std::size_t> place(order.size());
  for (std::size_t at = 0; at < order.size(); ++at) place[order[at]] = at;
  std::vector<Child> children(order.size());
  for (std::size_t at = 0; at < order.size(); ++at) {
    children[at].spec = std::move(spec.children[order[at]]);
    for (const std::size_t need : (*needs)[order[at]]) {
      children[at].needs.push_back(place[need]);
      children[place[need]].needed_by.push_back(at);
    }
  }
  spec.children.clear();
  return SupervisorCore(std::move(spec), std::move(children), random);
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
