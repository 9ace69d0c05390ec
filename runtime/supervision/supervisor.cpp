#include "runtime/supervision/supervisor.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "messages/component.protocol.hpp"
#include "runtime/component/services.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {

struct Supervisor::Child {
  explicit Child(ChildPlan plan)
      : component(std::make_shared<const ComponentSpec>(std::move(plan.component))),
        prepare_timeout(plan.spec.prepare_timeout),
        start_timeout(plan.spec.start_timeout),
        stop_timeout(plan.spec.drain_timeout + plan.spec.stop_timeout),
        is_supervisor(plan.is_supervisor) {}
  const std::string& id() const noexcept { return component->name; }

  const std::shared_ptr<const ComponentSpec> component;
  const Nanos prepare_timeout;
  const Nanos start_timeout;
  const Nanos stop_timeout;  // with the time to drain
  const bool is_supervisor;
  std::uint64_t incarnation = 0;
  std::unique_ptr<ChildHandle> handle;  // the incarnation that is held
  bool asked_to_stop = false;
  std::shared_ptr<const Incarnation> last = {};  // of those it had
  // Who waits for it to be ready for the first time, and to be removed.
  std::unique_ptr<Call<protocol::Supervisor::StartChild>> starter = {};
  std::unique_ptr<Call<protocol::Supervisor::RemoveChild>> remover = {};
};

namespace {

// How much of the time for a tree those below have for theirs: three quarters.
constexpr std::pair<int, int> kTreeShare{3, 4};

// The core, which knows what step it was, gives up a child that is late before its ask does.
constexpr Nanos kStepGrace = std::chrono::seconds(1);

SupervisorCore make_core(SupervisorSpec spec, const std::vector<ChildPlan>& children,
                         Random& random) {
  spec.children.clear();
  for (const auto& child : children) spec.children.push_back(child.spec);
  auto core = SupervisorCore::make(std::move(spec), random);
  if (!core) throw std::invalid_argument("bad supervision spec: " + to_string(core.error()));
  return std::move(core).value();
}

void write_child(const ChildSnapshot& child, messages::TreeNode::Builder out) {
  out.setName(child.id);
  out.setKind(std::string{to_string(child.kind)});
  out.setState(std::string{to_string(child.state)});
  out.setIncarnation(child.incarnation);
  out.setRestarts(child.restarts);
  out.setLastExit(child.last_exit);
}

// The answers of the child supervisors, gathered; replies when the last reference goes.
struct Gathering {
  Gathering(Call<protocol::Supervisor::Tree> open, SupervisorSnapshot taken)
      : call(std::move(open)), snapshot(std::move(taken)) {}
  ~Gathering() {
    call.reply([&](messages::TreeResponse::Builder out) {
      auto root = out.initRoot();
      root.setName(snapshot.id);
      root.setState(std::string{to_string(snapshot.state)});
      root.setStrategy(std::string{to_string(snapshot.strategy)});
      auto nodes = root.initChildren(static_cast<unsigned>(snapshot.children.size()));
      for (unsigned i = 0; i < snapshot.children.size(); ++i) {
        const auto below = subtrees.find(snapshot.children[i].id);
        if (below != subtrees.end()) nodes.setWithCaveats(i, below->second->getRoot());
        write_child(snapshot.children[i], nodes[i]);
        nodes[i].setUnanswered(asked.contains(snapshot.children[i].id) && below == subtrees.end());
      }
    });
  }
  Call<protocol::Supervisor::Tree> call;
  SupervisorSnapshot snapshot;
  std::set<std::string> asked;
  std::map<std::string, Msg<messages::TreeResponse>> subtrees;
};

}  // namespace

Supervisor::Supervisor(Host& host, SupervisorSpec spec, std::vector<ChildPlan> children,
                       ChildTemplates templates)
    : ComponentOf(host),
      core_(make_core(std::move(spec), children, host.services().random)),
      templates_(std::move(templates)) {
  for (auto& plan : children) {
    SYMPHONY_ASSERT(plan.spec.id == plan.component.name);
    auto child = std::make_unique<Child>(std::move(plan));
    children_.emplace(child->id(), std::move(child));
  }
}

Supervisor::~Supervisor() noexcept {
  // Only after a crash: a supervisor that is stopped or gives up has no living children.
  for (auto& [id, child] : children_)
    if (child->handle != nullptr) child->handle->kill();
}

void Supervisor::start(Step step) {
  starting_.emplace(std::move(step));
  on_event(StartRequested{});
}

void Supervisor::stop(Step step) {
  if (core_.ended()) return step.done();
  stopping_.emplace(std::move(step));
  on_event(StopRequested{});
}

void Supervisor::on_event(const SupervisorEvent& event) {
  carry_out(core_.on_event(event, host().now()));
}

void Supervisor::carry_out(const SupervisorCore::Effects& effects) {
  for (const auto& effect : effects)
    std::visit([this](const auto& one) { carry_out(one); }, effect);
}

Supervisor::Child* Supervisor::living(const std::string& id, std::uint64_t incarnation) {
  const auto found = children_.find(id);
  if (found == children_.end()) return nullptr;
  auto& child = *found->second;
  return child.handle != nullptr && child.incarnation == incarnation ? &child : nullptr;
}

// ---- effects ------------------------------------------------------------------------------------

void Supervisor::carry_out(const Spawn& effect) {
  auto& child = *children_.find(effect.id)->second;
  child.incarnation = effect.incarnation;
  child.asked_to_stop = false;
  auto spawned = host().spawner().spawn(
      child.component, static_cast<std::uint32_t>(effect.incarnation),
      [this, id = effect.id, incarnation = effect.incarnation] { on_child_exit(id, incarnation); });
  if (!spawned) {
    // An event of its own: other effects of this one are still to be carried out.
    host().mailbox()->post(
        [this, id = effect.id, incarnation = effect.incarnation, reason = spawned.error().message] {
          host().log().error("a child cannot be made", {{"child", id}, {"reason", reason}});
          on_event(ChildExited{id, incarnation, ExitKind::kFailed, reason});
        });
    return;
  }
  child.handle = std::move(spawned).value();
  child.last = child.handle->life();
  if (effect.incarnation > 1) host().log().info("restarting", {{"child", effect.id}});
  // One whose supervisor died may be about to end: half the time to prepare is left for that.
  const auto patience = std::min(child.stop_timeout, child.prepare_timeout / 2);
  child.handle->when_alone(patience, [this, id = effect.id, n = effect.incarnation] {
    auto* alone = living(id, n);
    if (alone != nullptr && !alone->asked_to_stop) ask_prepare(*alone);
  });
}

// For one step: that incarnation, named or not.
Ref<protocol::Component> Supervisor::step_of(const Child& child) const {
  return {host(), child.handle->target()};
}

// The core keeps the deadlines of the steps; an ask here ends with them or with the incarnation.
void Supervisor::ask_prepare(Child& child) {
  const auto by = host().now() + child.prepare_timeout + kStepGrace;
  step_of(child).prepare().by(by).then([this, id = child.id(), n = child.incarnation](auto answer) {
    auto* prepared = living(id, n);
    if (prepared == nullptr) return;
    if (!answer) return prepared->handle->fail(answer.error().message);
    on_event(ChildPrepared{id, n});
    prepared = living(id, n);  // the event may have ended it
    if (prepared != nullptr && !prepared->asked_to_stop) ask_start(*prepared);
  });
}

void Supervisor::ask_start(Child& child) {
  const auto by = host().now() + child.start_timeout + kStepGrace;
  step_of(child).start().by(by).then([this, id = child.id(), n = child.incarnation](auto answer) {
    auto* started = living(id, n);
    if (started == nullptr) return;
    if (!answer) return started->handle->fail(answer.error().message);
    if (!started->asked_to_stop) {
      started->handle->publish();
      if (auto starter = std::exchange(started->starter, nullptr)) starter->reply();
    }
    on_event(ChildReady{id, n});
  });
}

void Supervisor::carry_out(const Stop& effect) {
  auto* child = living(effect.id, effect.incarnation);
  if (child == nullptr) return;
  child->asked_to_stop = true;
  step_of(*child)
      .drain()
      .by(effect.drain_by)
      .then([this, id = effect.id, n = effect.incarnation, stop_by = effect.stop_by](auto) {
        auto* drained = living(id, n);
        if (drained == nullptr) return;
        drained->handle->withdraw();
        ask_stop(*drained, stop_by);
      });
}

void Supervisor::ask_stop(Child& child, MonoTime stop_by) {
  step_of(child).stop().by(stop_by).then(
      [this, id = child.id(), n = child.incarnation](auto answer) {
        auto* stopped = living(id, n);
        if (stopped == nullptr || answer) return;
        if (answer.error().code == Errc::DEADLINE_EXCEEDED)
          note_left_behind(*stopped, &answer.error());
        stopped->handle->fail(answer.error().message);
      });
}

// The first one counts: what is above it is late because of it.
void Supervisor::note_left_behind(const Child& child, const Error* reason) {
  if (!stopping_ || left_behind_) return;
  if (child.is_supervisor && reason != nullptr) {
    left_behind_ = reason->message;  // which names the one below
    return;
  }
  const auto time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(child.stop_timeout);
  left_behind_ = child.id() + " did not stop within " + std::to_string(time_ms.count()) + " ms";
}

void Supervisor::carry_out(const Abandon& effect) {
  auto* child = living(effect.id, effect.incarnation);
  if (child == nullptr) return;
  host().log().warn("a stuck child is fenced",
                    {{"child", effect.id}, {"incarnation", effect.incarnation}});
  if (child->asked_to_stop) note_left_behind(*child, nullptr);
  child->handle->fence();
  child->handle.reset();
}

void Supervisor::carry_out(const ArmTimer& effect) {
  host().cancel_timer(timer_);
  // Not for the request that led to it: a child that is started anew has a deadline of its own.
  host().on_own_behalf([&] {
    timer_ = host().after(effect.at - host().now(),
                          [this, token = effect.token] { on_event(TimerFired{token}); });
  });
}

void Supervisor::carry_out(const Removed& effect) {
  auto child = std::move(children_.extract(effect.id).mapped());
  if (child->last != nullptr) host().spawner().forget(*child->last);
  if (child->starter)
    child->starter->fail(
        {Errc::UNAVAILABLE, effect.id + " did not start: " +
                                (effect.reason.empty() ? "it was removed" : effect.reason)});
  if (child->remover) child->remover->reply();
}

void Supervisor::carry_out(const Ready&) {
  if (starting_) starting_->done();
  starting_.reset();
}

void Supervisor::carry_out(const Stopped&) {
  if (starting_) starting_->fail({Errc::CANCELLED, "stopped while starting"});
  starting_.reset();
  if (stopping_ && left_behind_)
    stopping_->fail({Errc::DEADLINE_EXCEEDED, *left_behind_});
  else if (stopping_)
    stopping_->done();
  stopping_.reset();
}

void Supervisor::carry_out(const Failed& effect) {
  const Error error{Errc::UNAVAILABLE, effect.child + ": " + effect.reason, effect.child};
  if (starting_) {
    auto step = std::move(*starting_);
    starting_.reset();
    return step.fail(error);
  }
  if (stopping_) return carry_out(Stopped{});
  host().die(error.message);
}

void Supervisor::on_child_exit(const std::string& id, std::uint64_t incarnation) {
  auto* child = living(id, incarnation);
  if (child == nullptr) return;
  const std::string reason = child->handle->incarnation().reason();
  child->handle.reset();
  if (!reason.empty()) host().log().error("a child died", {{"child", id}, {"reason", reason}});
  on_event(ChildExited{id, incarnation, reason.empty() ? ExitKind::kNormal : ExitKind::kFailed,
                       reason.empty() ? "normal" : reason});
}

// ---- protocol -----------------------------------------------------------------------------------

void Supervisor::tree(Call<protocol::Supervisor::Tree> call) {
  // What comes in by then is still in time to be passed on, and the rest is told to be missing.
  const auto left = call.header().deadline - host().now();
  const auto answer_by = host().now() + left / kTreeShare.second * kTreeShare.first;
  auto gathering = std::make_shared<Gathering>(std::move(call), core_.snapshot());
  for (const auto& [id, child] : children_) {
    if (!child->is_supervisor || child->handle == nullptr) continue;
    Ref<protocol::Supervisor> below{host(), child->handle->target()};
    gathering->asked.emplace(id);
    below.tree().by(answer_by).then(
        [gathering, id = std::string{id}](Result<Msg<messages::TreeResponse>> answer) {
          if (answer) gathering->subtrees.emplace(id, std::move(answer).value());
        });
  }
}

void Supervisor::replace(Call<protocol::Supervisor::Replace> call) {
  const std::string id = call->getChild().cStr();
  if (living(id, call->getIncarnation()) == nullptr)
    return call.fail(
        {Errc::NOT_FOUND, "no child " + id + " of that incarnation lives here", "child"});
  const ChildStuck stuck{id, call->getIncarnation(), call->getReason().cStr()};
  call.reply();
  on_event(stuck);
}

void Supervisor::start_child(Call<protocol::Supervisor::StartChild> call) {
  const std::string kind = call->getTemplate().cStr();
  const std::string id = call->getName().cStr();
  const auto found = templates_.find(kind);
  if (found == templates_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, make] : templates_) names.push_back(name);
    return call.fail(
        {Errc::NOT_FOUND,
         host().name() + " has no template \"" + kind + "\"" + suggestion_suffix(kind, names),
         "template"});
  }
  auto plan = found->second(id, call->getArgument());
  if (!plan) return call.fail(plan.error());
  plan->spec.id = plan->component.name = id;
  auto effects = core_.add(plan->spec, host().now());
  if (!effects) return call.fail(effects.error());
  auto child = std::make_unique<Child>(std::move(plan).value());
  child->starter = std::make_unique<Call<protocol::Supervisor::StartChild>>(std::move(call));
  children_.emplace(child->id(), std::move(child));
  // It outlives the request that led to it.
  host().on_own_behalf([&] { carry_out(*effects); });
}

void Supervisor::remove_child(Call<protocol::Supervisor::RemoveChild> call) {
  const std::string id = call->getChild().cStr();
  auto effects = core_.remove(id, host().now());
  if (!effects) return call.fail(effects.error());
  children_.at(id)->remover =
      std::make_unique<Call<protocol::Supervisor::RemoveChild>>(std::move(call));
  host().on_own_behalf([&] { carry_out(*effects); });
}

void Supervisor::cancelled(const Header& request) {
  const auto is_meant = [&](const auto& call) {
    return call && call->header().sender == request.sender &&
           (request.correlation == 0 || call->header().correlation == request.correlation);
  };
  for (auto& [id, child] : children_) {
    if (is_meant(child->starter)) child->starter.reset();
    if (is_meant(child->remover)) child->remover.reset();
  }
}

ChildPlan supervisor_plan(SupervisorSpec spec, std::vector<ChildPlan> children, ChildSpec as_child,
                          std::string summary, ChildTemplates templates) {
  as_child.id = spec.id;
  ComponentSpec component;
  component.name = spec.id;
  component.summary = std::move(summary);
  component.make = [spec = std::move(spec), children,
                    templates = std::move(templates)](Host& host) {
    return std::make_unique<Supervisor>(host, spec, children, templates);
  };
  return {std::move(as_child), std::move(component), std::move(children), true};
}

}  // namespace symphony::runtime
