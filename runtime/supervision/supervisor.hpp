// The supervisor component: carries out what SupervisorCore decides.
//
// Its children start during its own `start` step, which ends when all are ready; its `stop` step
// ends when none lives, and fails with deadlineExceeded, naming the child, when one below it had to
// be left behind. A supervisor whose children die too often dies itself ("escalates"), with
// the reason, and its own supervisor decides what to do.
//
// Children are added to it by name and argument: a *template* makes the plan, so that whoever asks
// may be anywhere. What was added is not known to a supervisor that is started anew.
#pragma once

#include <kj/common.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "messages/supervisor.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/component/spawner.hpp"
#include "runtime/supervision/supervisor_core.hpp"

namespace symphony::runtime {

// One child as data: what the core needs to decide and the spawner needs to make it.
// `spec.id` and `component.name` are the same.
struct ChildPlan {
  ChildSpec spec;
  ComponentSpec component;
  std::vector<ChildPlan> children = {};  // of a supervisor
  bool is_supervisor = false;
};

// Makes the plan of a child that is called `name`, or says what is wrong with `argument`. It is
// used by every incarnation of the supervisor.
using ChildTemplate = std::function<Result<ChildPlan>(const std::string& name,
                                                      kj::ArrayPtr<const kj::byte> argument)>;
using ChildTemplates = std::map<std::string, ChildTemplate, std::less<>>;

class Supervisor final : public ComponentOf<protocol::Supervisor> {
 public:
  // REQUIRES: a spec that SupervisorCore::make accepts; `spec.children` is taken from `children`.
  Supervisor(Host& host, SupervisorSpec spec, std::vector<ChildPlan> children,
             ChildTemplates templates = {});
  ~Supervisor() noexcept override;

  void start(Step step) override;
  void stop(Step step) override;

  void tree(Call<protocol::Supervisor::Tree> call) override;
  void replace(Call<protocol::Supervisor::Replace> call) override;
  void start_child(Call<protocol::Supervisor::StartChild> call) override;
  void remove_child(Call<protocol::Supervisor::RemoveChild> call) override;
  void cancelled(const Header& request) override;

 private:
  struct Child;

  void on_event(const SupervisorEvent& event);
  void carry_out(const SupervisorCore::Effects& effects);
  void carry_out(const Spawn& effect);
  void carry_out(const Stop& effect);
  void carry_out(const Abandon& effect);
  void carry_out(const ArmTimer& effect);
  void carry_out(const Removed& effect);
  void carry_out(const Ready& effect);
  void carry_out(const Stopped& effect);
  void carry_out(const Failed& effect);

  // The child, if that incarnation of it is the one being held.
  Child* living(const std::string& id, std::uint64_t incarnation);
  Ref<protocol::Component> step_of(const Child& child) const;
  void ask_prepare(Child& child);
  void ask_start(Child& child);
  void ask_stop(Child& child, MonoTime stop_by);
  void on_child_exit(const std::string& id, std::uint64_t incarnation);
  void note_left_behind(const Child& child, const Error* reason);

  SupervisorCore core_;
  std::unordered_map<std::string_view, std::unique_ptr<Child>> children_;  // by their ids
  const ChildTemplates templates_;
  std::optional<Step> starting_;
  std::optional<Step> stopping_;
  std::optional<std::string> left_behind_;  // who did not stop in time, as a sentence
  TimerHandle timer_;
};

// The plan of a supervisor as a child of another.
ChildPlan supervisor_plan(SupervisorSpec spec, std::vector<ChildPlan> children, ChildSpec as_child,
                          std::string summary, ChildTemplates templates = {});

}  // namespace symphony::runtime
