// Runs that end with their client, the feed of runs, and what runs have of their caller.
#include <gtest/gtest.h>

#include "tests/actors/orchestration/engine/engine_fixture.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::RunStatus;
using test::EngineNode;
using test::melody;
using test::World;

constexpr const char* kEngine = "/orchestration/engine";

// Fails, and waits for an hour before it tries again.
const std::string kWaiting = melody(R"(
[nodes.a]
use = "test.script"
retry = { attempts = 2, backoff_ms = 3600000, max_backoff_ms = 3600000 }
)");

class EngineAttach : public ::testing::Test {
 protected:
  EngineAttach() {
    world.script = [](const Json&, OperatorContext&) -> Result<Json> {
      return Error{Errc::UNAVAILABLE, "not yet"};
    };
  }

  auto ask_attached(EngineNode& node) {
    return node.engine().run([](messages::StartRunRequest::Builder request) {
      request.setText(kWaiting);
      request.setDirectory("/home/me");
      request.setAttached(true);
    });
  }
  std::string start_attached(EngineNode& node) {
    const auto started = ask_attached(node).get();
    EXPECT_TRUE(started.ok()) << to_string(started.error());
    return started.ok() ? (*started)->getRun().cStr() : "";
  }
  std::uint64_t attach(EngineNode& node) {
    return node.engine().attach().within(24h).then([](auto) {});
  }
  void leave(EngineNode& node, std::uint64_t attached) {
    auto& asker = node.node().asker();
    const auto target = asker.resolve(kEngine);
    asker.cancel(*target, attached);
    node.node().settle();
  }
  RunStatus status(EngineNode& node, const std::string& id) {
    const auto shown = node.dag().show([&](auto request) { request.setRun(id); }).get();
    EXPECT_TRUE(shown.ok()) << to_string(shown.error());
    return shown.ok() ? (*shown)->getRow().getStatus() : RunStatus::PENDING;
  }

  World world;
};

// One more client, with a mailbox of its own: it is told from others by that.
class Client {
 public:
  explicit Client(EngineNode& node)
      : node_(node), asker_(node.node().new_asker()), engine_(*asker_) {
    attached_ = engine_.attach().within(24h).then([](auto) {});
  }
  std::string resume(const std::string& run) {
    const auto resumed = engine_
                             .resume([&](messages::ResumeRunRequest::Builder request) {
                               request.setRun(run);
                               request.setAttached(true);
                             })
                             .get();
    return resumed ? (*resumed)->getRun().cStr() : resumed.error().message;
  }
  void leave() {
    engine_.cancel(attached_);
    node_.node().settle();
  }

 private:
  EngineNode& node_;
  std::unique_ptr<runtime::ThreadAsker> asker_;
  WaitingRef<protocol::Engine> engine_;
  std::uint64_t attached_ = 0;
};

TEST_F(EngineAttach, ARunEndsWithTheClientThatItIsAttachedTo) {
  EngineNode node(world);
  const auto attached = attach(node);
  const auto own = start_attached(node);
  const auto others = node.start(kWaiting);
  node.node().settle();
  EXPECT_EQ(status(node, own), RunStatus::RUNNING);
  leave(node, attached);
  node.node().advance(100ms);
  EXPECT_EQ(status(node, own), RunStatus::CANCELLED);
  EXPECT_EQ(status(node, others), RunStatus::RUNNING);
}

TEST_F(EngineAttach, OneThatIsStillBeingStartedEndsAsWell) {
  EngineNode node(world);
  const auto attached = attach(node);
  std::string run;
  ask_attached(node).then([&](auto started) {
    if (started) run = (*started)->getRun().cStr();
  });
  node.node().step();
  leave(node, attached);
  node.node().advance(100ms);
  const auto runs = node.runs();
  for (const auto& id : runs) EXPECT_EQ(status(node, id), RunStatus::CANCELLED);
}

TEST_F(EngineAttach, WhoIsNotAttachedCannotAttachARun) {
  EngineNode node(world);
  const auto refused = ask_attached(node).get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_TRUE(node.runs().empty());
}

TEST_F(EngineAttach, AClientIsAttachedOnce) {
  EngineNode node(world);
  (void)attach(node);
  const auto again = node.engine().attach().within(24h).get();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::ALREADY_EXISTS);
}

TEST_F(EngineAttach, ACancelledRunIsResumedWithoutFurtherAdo) {
  EngineNode node(world);
  const auto attached = attach(node);
  const auto id = start_attached(node);
  leave(node, attached);
  node.node().advance(100ms);
  ASSERT_EQ(status(node, id), RunStatus::CANCELLED);
  world.script = [](const Json&, OperatorContext&) -> Result<Json> {
    return Json{{"value", "now"}};
  };
  EXPECT_EQ(node.finish(node.resume(id)).status, RunStatus::SUCCEEDED);
}

// The next client is faster than the news of the death of the one before.
TEST_F(EngineAttach, ARunThatAnotherClientHasResumedOutlivesTheFirst) {
  EngineNode node(world);
  const auto attached = attach(node);
  const auto id = start_attached(node);
  Client other{node};
  ASSERT_EQ(other.resume(id), id);
  leave(node, attached);
  node.node().advance(100ms);
  EXPECT_EQ(status(node, id), RunStatus::RUNNING);
  other.leave();
  node.node().advance(100ms);
  EXPECT_EQ(status(node, id), RunStatus::CANCELLED) << "and ends with the last of them";
}

// However far the cancellation has come when the next client asks.
TEST_F(EngineAttach, ARunThatIsBeingCancelledIsResumedOnceItHasEnded) {
  for (int steps = 0; steps < 60; ++steps) {
    World own;
    own.script = [](const Json&, OperatorContext&) -> Result<Json> {
      return Error{Errc::UNAVAILABLE, "not yet"};
    };
    EngineNode node(own);
    const auto attached = attach(node);
    const auto id = start_attached(node);
    Client other{node};
    node.node().settle();
    own.script = [](const Json&, OperatorContext&) -> Result<Json> {
      return Json{{"value", "now"}};
    };
    auto& asker = node.node().asker();
    const auto target = asker.resolve(kEngine);
    asker.cancel(*target, attached);
    for (int i = 0; i < steps; ++i) node.node().step();
    ASSERT_EQ(other.resume(id), id) << steps;
    ASSERT_EQ(node.finish(id).status, RunStatus::SUCCEEDED) << steps;
  }
}

TEST_F(EngineAttach, ARunThatWasLeftToTheNodeIsNobodysByBeingResumed) {
  EngineNode node(world);
  const auto id = node.start(kWaiting);
  Client other{node};
  EXPECT_EQ(other.resume(id), "run " + id + " is under way");
  other.leave();
  node.node().advance(100ms);
  EXPECT_EQ(status(node, id), RunStatus::RUNNING);
}

TEST_F(EngineAttach, ANodeThatBootsGoesOnWithRunsThatWereLeftToItAlone) {
  std::string attached;
  std::string left;
  {
    EngineNode node(world);
    (void)attach(node);
    attached = start_attached(node);
    left = node.start(kWaiting);
    node.node().settle();
  }
  EngineNode node(world);
  node.node().settle();
  EXPECT_TRUE(node.progress(left).ok());
  EXPECT_EQ(node.progress(attached).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(status(node, attached), RunStatus::RUNNING);
  EXPECT_EQ(node.resume(attached), attached);
}

TEST_F(EngineAttach, TellsHowManyRunsThereIsWorkFor) {
  EngineNode node(world);
  const auto under_way = [&] { return (*node.engine().under_way().get())->getRuns(); };
  node.node().settle();
  EXPECT_EQ(under_way(), 0U);
  const auto id = node.start(kWaiting);
  EXPECT_EQ(under_way(), 1U);
  ASSERT_TRUE(node.engine().cancel_run([&](auto request) { request.setRun(id); }).get().ok());
  EXPECT_EQ(under_way(), 0U);
}

TEST_F(EngineAttach, TheFeedTellsOfRunsAsTheyBeginAndEnd) {
  EngineNode node(world);
  std::vector<std::string> told;
  std::uint64_t cursor = 0;
  const std::function<void()> follow = [&] {
    node.engine()
        .feed([&](auto request) { request.setCursor(cursor); })
        .within(24h)
        .then([&](Result<Msg<messages::RunFeedResponse>> page) {
          if (!page) return;
          for (const auto change : (*page)->getChanges())
            told.push_back(std::string(change.getRun().cStr()) + " " +
                           std::to_string(static_cast<int>(change.getStatus())));
          cursor = (*page)->getNext();
          follow();
        });
  };
  follow();
  const auto id = node.start(kWaiting);
  node.node().settle();
  const auto running = id + " " + std::to_string(static_cast<int>(RunStatus::RUNNING));
  EXPECT_EQ(told, std::vector{running});
  ASSERT_TRUE(node.engine().cancel_run([&](auto request) { request.setRun(id); }).get().ok());
  node.node().settle();
  const auto cancelled = id + " " + std::to_string(static_cast<int>(RunStatus::CANCELLED));
  EXPECT_EQ(told, (std::vector{running, cancelled}));
  (void)node.resume(id);
  node.node().settle();
  EXPECT_EQ(told, (std::vector{running, cancelled, running}));
}

TEST_F(EngineAttach, OperatorsAreGivenTheDirectoryAndTheChosenEnvironmentOfTheCaller) {
  EngineOptions options;
  options.environment = {{"PATH", "/node"}, {"HOME", "/node"}};
  EngineNode node(world, options);
  std::vector<std::string> seen;
  std::string directory;
  world.script = [&](const Json&, OperatorContext& context) -> Result<Json> {
    seen = context.environment();
    directory = context.directory();
    return Json{{"value", nullptr}};
  };
  const auto text = melody(R"(
[nodes.a]
use = "test.script"
env = { SET = "here" }
pass_env = ["SECRET"]
)");
  const auto start = [&](bool with_secret) {
    return node.engine()
        .run([&](messages::StartRunRequest::Builder request) {
          request.setText(text);
          request.setDirectory("/home/me");
          auto variables = request.initEnvironment(with_secret ? 3 : 1);
          variables[0].setName("PATH");
          variables[0].setValue("/bin");
          if (!with_secret) return;
          variables[1].setName("OTHER");
          variables[1].setValue("x");
          variables[2].setName("SECRET");
          variables[2].setValue("s");
        })
        .get();
  };
  const auto refused = start(false);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ((*refused)->getProblems().size(), 1U);
  const auto started = start(true);
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(node.finish((*started)->getRun().cStr()).status, RunStatus::SUCCEEDED);
  EXPECT_EQ(seen, (std::vector<std::string>{"PATH=/bin", "SECRET=s", "SET=here"}));
  EXPECT_EQ(directory, "/home/me");
}

}  // namespace
}  // namespace symphony::actors
