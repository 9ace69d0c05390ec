#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "runtime/testing/plain_supervisor.hpp"
#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using ProbeRef = WaitingRef<protocol::Probe>;

ComponentFactory probe(ProbeScript script = {}) {
  return [script](Host& host) { return std::make_unique<Probe>(host, script); };
}

const auto kHello = [](messages::EchoRequest::Builder request) { request.setText("hello"); };

TEST(Component, AnswersThroughAnIncarnationThatIsFoundByName) {
  TestNode node;
  node.spawn("/test/probe", probe());
  const auto answer = ProbeRef{node.asker()}.echo(kHello).get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_STREQ((*answer)->getText().cStr(), "hello");
}

TEST(Component, AnAskFailsAtOnceWhenNobodyIsThere) {
  TestNode node;
  const auto before = node.clocks().mono();
  const auto answer = ProbeRef{node.asker()}.echo(kHello).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::UNAVAILABLE);
  EXPECT_EQ(node.clocks().mono(), before);
}

TEST(Component, AnUnansweredAskEndsAtItsDeadline) {
  TestNode node;
  node.spawn("/test/probe", probe());
  const auto before = node.clocks().mono();
  const auto answer = ProbeRef{node.asker()}.keep().within(250ms).get();
  EXPECT_EQ(answer.error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_EQ(node.clocks().mono(), before + 250ms);
}

TEST(Component, WhatAHandlerAsksInheritsTheSmallerDeadline) {
  TestNode node;
  node.spawn("/test/a", probe());
  node.spawn("/test/b", probe());
  ProbeRef a{node.asker(), "/test/a"};
  const auto answer = a.forward([](auto request) {
                         request.setTo("/test/b");
                         request.setTimeoutMs(60'000);
                       })
                          .within(300ms)
                          .get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_EQ((*answer)->getEcho().getDeadlineInMs(), 300);
}

TEST(Component, AHandlersOwnAskTimesOutOnItsOwn) {
  TestNode node;
  node.spawn("/test/a", probe());
  ProbeRef a{node.asker(), "/test/a"};
  const auto answer = a.forward([](auto request) { request.setTo("/test/nobody"); }).get();
  EXPECT_EQ(answer.error().code, Errc::UNAVAILABLE);
}

TEST(Component, AHandlerThatThrowsKillsItsIncarnationAndItsRequesterIsTold) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  const auto answer = ref.crash([](auto request) { request.setMessage("boom"); }).get();
  EXPECT_EQ(answer.error().code, Errc::INTERNAL);
  EXPECT_NE(answer.error().message.find("crash threw: boom"), std::string::npos)
      << answer.error().message;
  node.settle();
  EXPECT_FALSE(node.lives("/test/probe"));
  const auto snapshot = node.telemetry().find("/test/probe")->snapshot();
  ASSERT_EQ(snapshot.errors.size(), 1u);
  EXPECT_NE(snapshot.errors[0].text.find("boom"), std::string::npos);
}

TEST(Component, AStepThatOutlivesItsActorIsDroppedWithIt) {
  TestNode node;
  std::shared_ptr<Step> kept;
  class Slow final : public PlainSupervisor {
   public:
    Slow(Host& host, std::shared_ptr<Step>& kept) : PlainSupervisor(host), kept_(kept) {}
    void start(Step step) override { kept_ = std::make_shared<Step>(std::move(step)); }

   private:
    std::shared_ptr<Step>& kept_;
  };
  const auto status = node.try_spawn(
      {"/test/slow", "", [&](Host& host) { return std::make_unique<Slow>(host, kept); }});
  EXPECT_EQ(status.error().code, Errc::DEADLINE_EXCEEDED);
  node.settle();
  ASSERT_NE(kept, nullptr);
  kept->done();
}

TEST(Component, AStepThatThrowsFailsWithWhatWasThrown) {
  class Broken final : public PlainSupervisor {
   public:
    explicit Broken(Host& host, bool late) : PlainSupervisor(host) {
      if (!late) throw std::runtime_error("broken from birth");
    }
    void start(Step step) override {
      const Step mine = std::move(step);
      throw std::runtime_error("broken when started");
    }
  };
  TestNode node;
  for (const bool late : {false, true}) {
    const auto status = node.try_spawn(
        {"/test/broken", "", [=](Host& host) { return std::make_unique<Broken>(host, late); }});
    EXPECT_EQ(status.error().code, Errc::INTERNAL);
    EXPECT_NE(status.error().message.find(late ? "broken when started" : "broken from birth"),
              std::string::npos)
        << status.error().message;
  }
}

TEST(Component, WhatIsInFlightWhenAComponentDiesIsUnavailable) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  std::vector<Errc> answers;
  ref.keep().then([&](auto answer) { answers.push_back(answer.error().code); });
  ref.crash().then([&](auto answer) { answers.push_back(answer.error().code); });
  ref.echo(kHello).then([&](auto answer) { answers.push_back(answer.error().code); });
  node.settle();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), Errc::UNAVAILABLE), 2);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), Errc::INTERNAL), 1);
}

TEST(Component, ARefFindsTheNextIncarnation) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  const auto first = (*ref.echo(kHello).get())->getIncarnation();
  (void)ref.crash().get();
  node.spawn("/test/probe", probe());
  EXPECT_GT((*ref.echo(kHello).get())->getIncarnation(), first);
}

TEST(Component, AFullMailboxRefusesAtTheSender) {
  TestNode node;
  node.spawn("/test/probe", probe(), 10);
  ProbeRef ref{node.asker()};
  int taken = 0;
  Status last;
  for (int i = 0; i < 20; ++i) {
    last = ref.count();
    taken += last.ok() ? 1 : 0;
  }
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(last.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(last.error().retryable);
  EXPECT_EQ(ref.echo(kHello).get().error().code, Errc::OVERLOADED);
  EXPECT_EQ(node.dead_letters().count(), 10u);
  node.settle();
  EXPECT_EQ((*ref.counted().get())->getCount(), 10u);
}

TEST(Component, AMailboxThatIsFullOfLargeMessagesStillTakesSmallOnes) {
  TestNode node;
  node.spawn("/test/probe", probe());
  int answered = 0, refused = 0;
  // The same words each time: they count each time, too.
  constexpr std::size_t kLarge = std::size_t{64} << 20;
  const auto target = node.asker().resolve("/test/probe");
  const auto send = [&](const Words& words) {
    Envelope request;
    request.header.protocol = protocol::Probe::kId;
    request.header.method = protocol::Probe::Counted::kOrdinal;
    request.words = words;
    node.asker().ask(*target, std::move(request), kNoDeadline, [&](Result<Words> answer) {
      if (answer.ok()) {
        ++answered;
      } else {
        ++refused;
        EXPECT_EQ(answer.error().code, Errc::OVERLOADED);
        EXPECT_TRUE(answer.error().retryable);
      }
    });
  };
  const auto words_of = [](std::size_t bytes) {
    return Words::build<messages::EchoRequest>(
        [&](auto request) { request.initData(static_cast<unsigned>(bytes)); });
  };
  const auto large = words_of(kLarge);
  for (int i = 0; i < 10; ++i) send(large);
  EXPECT_EQ(refused, 7) << "three of them and their heads are less than 256 MiB";
  for (int i = 0; i < 10; ++i) send(words_of(100));
  node.settle();
  EXPECT_EQ(answered, 13);
  EXPECT_EQ(refused, 7);
  for (int i = 0; i < 3; ++i) send(large);  // there is room again
  node.settle();
  EXPECT_EQ(answered, 16);
  send(words_of(5 * kLarge));  // one always fits
  node.settle();
  EXPECT_EQ(answered, 17);
}

TEST(Component, SupervisionIsNeverRefused) {
  TestNode node;
  node.spawn("/test/probe", probe(), 1);
  ProbeRef ref{node.asker()};
  (void)ref.count();
  EXPECT_TRUE(ref.health().get().ok());
  EXPECT_TRUE(ref.describe().get().ok());
}

TEST(Component, ACancelledRequestReachesItsComponentAndFailsAtTheAsker) {
  TestNode node;
  std::vector<std::string> notes;
  ProbeScript script;
  script.note = [&](std::string note) { notes.push_back(std::move(note)); };
  node.spawn("/test/probe", probe(script));
  ProbeRef ref{node.asker()};
  Errc code{};
  const auto correlation = ref.keep().then([&](auto answer) { code = answer.error().code; });
  node.settle();
  ref.cancel(correlation);
  node.settle();
  EXPECT_EQ(code, Errc::CANCELLED);
  EXPECT_EQ(notes.back(), "cancelled");
}

TEST(Component, ADrainedComponentRefusesWhatIsNewAndAnswersWhatItAccepted) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  Result<Msg<messages::EchoResponse>> accepted = Error{};
  ref.echo(kHello).then([&](auto answer) { accepted = std::move(answer); });
  ASSERT_TRUE(ref.drain().get().ok());
  EXPECT_TRUE(accepted.ok());
  EXPECT_EQ(ref.echo(kHello).get().error().code, Errc::UNAVAILABLE);
}

TEST(Component, DescribesItselfAndWhatItCounted) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  for (int i = 0; i < 5; ++i) (void)ref.echo(kHello).get();
  const auto description = ref.describe().get();
  ASSERT_TRUE(description.ok());
  EXPECT_STREQ((*description)->getProtocol().cStr(), "Probe");
  EXPECT_EQ((*description)->getState(), messages::ComponentState::READY);
  EXPECT_EQ((*description)->getMethods().size(), protocol::Probe::info().methods.size());
  EXPECT_GE((*description)->getStats().getProcessed(), 5u);
}

TEST(Component, AStepOutOfOrderIsRefused) {
  TestNode node;
  node.spawn("/test/probe", probe());
  ProbeRef ref{node.asker()};
  EXPECT_EQ(ref.prepare().get().error().code, Errc::FAILED_PRECONDITION);
  EXPECT_TRUE(ref.echo(kHello).get().ok());
}

TEST(Component, BlockingWorkComesBackToTheComponent) {
  class Worker final : public PlainSupervisor {
   public:
    using PlainSupervisor::PlainSupervisor;
    void tree(Call<protocol::Supervisor::Tree> call) override {
      host().run_blocking([] { return std::string{"worked"}; },
                          [call = std::move(call)](Result<std::string> result) mutable {
                            call.reply([&](auto out) { out.initRoot().setName(*result); });
                          });
    }
  };
  TestNode node;
  node.spawn("/test/worker", [](Host& host) { return std::make_unique<Worker>(host); });
  const auto answer = WaitingRef<protocol::Supervisor>{node.asker(), "/test/worker"}.tree().get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_STREQ((*answer)->getRoot().getName().cStr(), "worked");
}

TEST(Component, TheSameSeedGivesTheSameHistory) {
  const auto history = [](std::uint64_t seed) {
    TestNode node{seed};
    std::vector<std::string> notes;
    for (int i = 0; i < 5; ++i) node.spawn("/test/" + std::to_string(i), probe());
    for (int i = 0; i < 5; ++i) {
      ProbeRef ref{node.asker(), "/test/" + std::to_string(i)};
      ref.echo([&](auto r) { r.setNumber(i); }).then([&](auto answer) {
        notes.push_back(std::to_string((*answer)->getNumber()));
      });
    }
    node.settle();
    std::string all;
    for (const auto& note : notes) all += note;
    return all;
  };
  EXPECT_EQ(history(7), history(7));
  bool differs = false;
  for (std::uint64_t seed = 1; seed < 20; ++seed) differs |= history(seed) != history(seed + 1);
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace symphony::runtime
