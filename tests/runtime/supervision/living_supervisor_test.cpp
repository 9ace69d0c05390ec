// Children that come to a supervisor and leave it while it runs, and those that one leaves behind.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <thread>

#include "runtime/supervision/supervisor.hpp"
#include "runtime/testing/live_node.hpp"
#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using ProbeRef = WaitingRef<protocol::Probe>;
using SupervisorRef = WaitingRef<protocol::Supervisor>;

const std::string kSupervisor = "/test/supervisor";

ChildPlan plan_of(const std::string& name, ComponentFactory make) {
  ChildPlan plan;
  plan.spec.id = plan.component.name = name;
  plan.component.make = std::move(make);
  return plan;
}

ComponentFactory probe(ProbeScript script = {}) {
  return [script](Host& host) { return std::make_unique<Probe>(host, script); };
}

SupervisorSpec spec(std::string id = kSupervisor) {
  SupervisorSpec spec;
  spec.id = std::move(id);
  return spec;
}

// "probe", whose argument is the reason for which it does not start; "bomb" ends the supervisor.
ChildTemplates templates() {
  return {{"probe",
           [](const std::string& name, kj::ArrayPtr<const kj::byte> argument) -> Result<ChildPlan> {
             const std::string reason(argument.asChars().begin(), argument.size());
             if (reason == "refused") return Error{Errc::INVALID_ARGUMENT, "no", "argument"};
             ProbeScript script;
             if (!reason.empty())
               script.prepare = [reason] { return Error{Errc::NOT_FOUND, reason}; };
             return plan_of(name, probe(script));
           }},
          {"bomb", [](const std::string&, kj::ArrayPtr<const kj::byte>) -> Result<ChildPlan> {
             throw std::runtime_error("the supervisor is to end");
           }}};
}

class LivingSupervisor : public testing::Test {
 protected:
  LivingSupervisor() {
    const auto plan = supervisor_plan(spec(), {plan_of("/a", probe())}, {}, "", templates());
    EXPECT_TRUE(node.try_spawn(plan.component));
  }
  Status start(const std::string& name, const std::string& argument = "",
               const std::string& kind = "probe") {
    const auto answer = supervisor
                            .start_child([&](auto request) {
                              request.setTemplate(kind);
                              request.setName(name);
                              request.setArgument(kj::StringPtr(argument.c_str()).asBytes());
                            })
                            .get();
    return answer ? Status{} : Status{answer.error()};
  }
  Status remove(const std::string& name) {
    const auto answer =
        supervisor.remove_child([&](auto request) { request.setChild(name); }).get();
    return answer ? Status{} : Status{answer.error()};
  }
  std::vector<std::string> children() {
    std::vector<std::string> names;
    const auto tree = supervisor.tree().get();
    for (const auto child : (*tree)->getRoot().getChildren()) names.push_back(child.getName());
    return names;
  }
  TestNode node;
  SupervisorRef supervisor{node.asker(), kSupervisor};
};

TEST_F(LivingSupervisor, TakesAChildThatAnswersOnceItIsSaidToBeStarted) {
  ASSERT_TRUE(start("/b"));
  EXPECT_TRUE((ProbeRef{node.asker(), "/b"}.echo().get().ok()));
  EXPECT_EQ(children(), (std::vector<std::string>{"/a", "/b"}));
  (void)ProbeRef{node.asker(), "/b"}.crash().get();
  node.advance(1s);
  EXPECT_EQ((*ProbeRef{node.asker(), "/b"}.echo().get())->getIncarnation(), 2u);
  EXPECT_EQ(start("/b").error().code, Errc::ALREADY_EXISTS);
}

TEST_F(LivingSupervisor, SaysWhyAChildDidNotStartAndForgetsIt) {
  const auto failed = start("/b", "the disk is missing");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message.rfind("/b did not start: ", 0), 0u) << failed.error().message;
  EXPECT_NE(failed.error().message.find("the disk is missing"), std::string::npos);
  EXPECT_EQ(children(), (std::vector<std::string>{"/a"}));
  EXPECT_EQ(node.telemetry().find("/b"), nullptr);
  EXPECT_EQ(start("/b", "refused").error().field, "argument");
  const auto unknown = start("/b", "", "prob");
  EXPECT_EQ(unknown.error().code, Errc::NOT_FOUND);
  EXPECT_NE(unknown.error().message.find("did you mean \"probe\""), std::string::npos)
      << unknown.error().message;
  EXPECT_TRUE(start("/b")) << "the name is free";
}

TEST_F(LivingSupervisor, LetsGoOfAChildAndOfItsName) {
  ASSERT_TRUE(start("/b"));
  ASSERT_TRUE(remove("/b"));
  EXPECT_FALSE(node.lives("/b"));
  EXPECT_EQ(node.telemetry().find("/b"), nullptr) << "nobody is shown it any longer";
  EXPECT_EQ(children(), (std::vector<std::string>{"/a"}));
  EXPECT_EQ(remove("/b").error().code, Errc::NOT_FOUND);
  ASSERT_TRUE(start("/b"));
  EXPECT_EQ((*ProbeRef{node.asker(), "/b"}.echo().get())->getIncarnation(), 1u);
}

TEST_F(LivingSupervisor, GoesOnWithAChildWhoseAskerGaveUp) {
  supervisor
      .start_child([](auto request) {
        request.setTemplate("probe");
        request.setName("/b");
      })
      .within(1ms)
      .then([](auto) {});
  node.advance(1s);
  EXPECT_TRUE(node.lives("/b"));
  ASSERT_TRUE(remove("/b"));
}

TEST(Registry, ForgetsNamesThatNobodyHoldsOnTo) {
  Registry registry;
  const auto held = registry.entry("/held").value();
  for (std::size_t i = 0; i < 3 * Registry::kNamesMax; ++i)
    ASSERT_TRUE(registry.entry("/name/" + std::to_string(i)).ok());
  EXPECT_LE(registry.size(), Registry::kNamesAtLeast);
  EXPECT_EQ(registry.find("/held"), held);
}

TEST(Registry, GivesNobodyTheEntryOfAnotherWhenItIsFull) {
  Registry registry;
  std::vector<std::shared_ptr<NameEntry>> held;
  for (std::size_t i = 0; i < Registry::kNamesMax; ++i)
    held.push_back(registry.entry("/name/" + std::to_string(i)).value());
  const auto refused = registry.entry("/one/more");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(LocalTarget(registry, "/one/more").address()) << "nobody";
  held.pop_back();
  EXPECT_TRUE(registry.entry("/one/more").ok()) << "there is room again";
}

// ---- what a supervisor leaves behind ------------------------------------------------------------

// How many of one name live, and ever lived, at once.
struct Census {
  std::atomic<int> born{0}, living{0}, most{0};
  std::latch stuck{1};    // has the first one got stuck
  std::latch release{1};  // and may it go on
};

class Counted final : public Probe {
 public:
  Counted(Host& host, Census& census) : Probe(host), census_(census) {
    ++census_.born;
    census_.most = std::max(census_.most.load(), ++census_.living);
  }
  ~Counted() override { --census_.living; }
  // The first one that is asked gets stuck.
  void keep(Call<protocol::Probe::Keep> call) override {
    census_.stuck.count_down();
    census_.release.wait();
    call.reply();
  }

 private:
  Census& census_;
};

// An outer supervisor, an inner one with a child in which a thread is stuck; the inner one has
// died.
class LeftBehind : public testing::Test {
 protected:
  void lose_the_supervisor(Nanos stop_timeout) {
    auto child =
        plan_of("/a", [this](Host& host) { return std::make_unique<Counted>(host, census); });
    child.spec.stop_timeout = stop_timeout;
    auto inner = supervisor_plan(spec("/test/inner"), {child}, {}, "", templates());
    node.spawn(kSupervisor, supervisor_plan(spec(), {inner}, {}, "").component.make);
    // Its answer never comes, or says that it went away.
    ProbeRef{node.asker(), "/a"}.keep().then([](auto) {});
    census.stuck.wait();
    (void)SupervisorRef{node.asker(), "/test/inner"}
        .start_child([](auto request) { request.setTemplate("bomb"); })
        .get();
  }
  std::string state_of_child() {
    const auto tree = SupervisorRef{node.asker(), "/test/inner"}.tree().get();
    if (!tree) return "";
    return (*tree)->getRoot().getChildren()[0].getState();
  }
  bool answers() { return ProbeRef{node.asker(), "/a"}.echo().within(100ms).get().ok(); }

  Census census;
  LiveNode node{4};
};

TEST_F(LeftBehind, ASuccessorsChildWaitsForTheOneThatStillWorks) {
  lose_the_supervisor(1min);
  const auto restarted = [&] {
    const auto tree = SupervisorRef{node.asker(), kSupervisor}.tree().get();
    if (!tree) return false;
    const auto inner = (*tree)->getRoot().getChildren()[0];
    return inner.getIncarnation() == 2u && inner.getChildren().size() == 1 &&
           std::string{inner.getChildren()[0].getState().cStr()} == "preparing";
  };
  while (!restarted()) std::this_thread::yield();
  EXPECT_FALSE(answers()) << "the name means nobody meanwhile";
  EXPECT_EQ(census.born, 1);
  census.release.count_down();
  while (!answers()) std::this_thread::yield();
  EXPECT_EQ(census.born, 2);
  EXPECT_EQ(census.most, 1) << "never both at once";
}

TEST_F(LeftBehind, OneThatStaysStuckIsGivenUp) {
  lose_the_supervisor(100ms);
  while (!answers()) std::this_thread::yield();
  EXPECT_EQ(census.born, 2);
  EXPECT_EQ(census.living, 2) << "the stuck one cannot be ended";
  census.release.count_down();
  while (census.living != 1) std::this_thread::yield();
  EXPECT_TRUE(answers());
}

// ---- a tree with a stuck supervisor -------------------------------------------------------------

TEST(SupervisorTree, TellsWhatItKnowsWhenASupervisorBelowIsStuck) {
  std::latch stuck{1}, release{1};
  ChildTemplates stopping;
  stopping["stuck"] = [&](const std::string&, kj::ArrayPtr<const kj::byte>) -> Result<ChildPlan> {
    stuck.count_down();
    release.wait();
    return Error{Errc::INTERNAL, "it was stuck"};
  };
  LiveNode node{4};
  node.spawn(
      kSupervisor,
      supervisor_plan(spec(),
                      {supervisor_plan(spec("/test/inner"), {}, {}, "", stopping),
                       supervisor_plan(spec("/test/other"), {plan_of("/b", probe())}, {}, "")},
                      {}, "")
          .component.make);
  SupervisorRef{node.asker(), "/test/inner"}
      .start_child([](auto request) { request.setTemplate("stuck"); })
      .then([](auto) {});
  stuck.wait();
  const auto tree = SupervisorRef{node.asker(), kSupervisor}.tree().within(800ms).get();
  release.count_down();
  ASSERT_TRUE(tree.ok()) << to_string(tree.error());
  const auto children = (*tree)->getRoot().getChildren();
  ASSERT_EQ(children.size(), 2u);
  EXPECT_TRUE(children[0].getUnanswered());
  EXPECT_STREQ(children[0].getName().cStr(), "/test/inner");
  EXPECT_STREQ(children[0].getState().cStr(), "ready");
  EXPECT_FALSE(children[1].getUnanswered());
  EXPECT_EQ(children[1].getChildren().size(), 1u);
}

}  // namespace
}  // namespace symphony::runtime
