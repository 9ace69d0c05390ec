// What threads share of the component runtime, between real threads and without CAF's scheduler:
// the thread sanitizer sees all of it. (The actors here are reply boxes, which have no mailbox.)
#include <gtest/gtest.h>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/no_stages.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "messages/component.protocol.hpp"
#include "runtime/blocking/blocking.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/reply_box.hpp"
#include "runtime/component/services.hpp"
#include "runtime/component/thread_asker.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Health = WaitingRef<protocol::Component>;

constexpr auto kPatience = 60s;

// A node without components. Its actors run nothing by themselves.
struct Bare {
  SystemClocks clocks;
  SeededRandom random{1};
  ThreadTicker ticker;
  InlineBlocking blocking;
  Log log{clocks, {.node = "test"}};
  TelemetryRegistry telemetry;
  Registry registry;
  DeadLetters dead_letters;
  Fences fences;
  Services services{clocks,    random,   ticker,       blocking, log,
                    telemetry, registry, dead_letters, fences,   std::chrono::seconds(60)};
  ActorRuntime actors{{.deterministic = true}};

  ~Bare() {
    registry.clear();
    actors.abandon_actors();
  }
  caf::strong_actor_ptr box() {
    caf::actor_config config;
    auto& system = actors.system();
    return caf::actor_cast<caf::strong_actor_ptr>(caf::make_actor<ReplyBox, caf::actor>(
        system.next_actor_id(), system.node(), &system, config));
  }
};

ReplyBox& box_of(const caf::strong_actor_ptr& actor) {
  return *static_cast<ReplyBox*>(caf::actor_cast<caf::abstract_actor*>(actor));
}

void answer(const caf::strong_actor_ptr& asker, caf::message_id mid) {
  Envelope response;
  response.header.kind = Kind::response;
  response.words = Words::build<messages::HealthResponse>([](auto out) { out.setHealthy(true); });
  asker->enqueue(
      caf::make_mailbox_element(nullptr, mid.response_id(), caf::no_stages, std::move(response)),
      nullptr);
}

// Answers on threads of its own, out of order; now and then not at all.
class Answering final : public Inbox {
 public:
  explicit Answering(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Answering() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    threads_.clear();
  }
  Status offer(Envelope&&, caf::strong_actor_ptr sender, caf::message_id mid,
               caf::execution_unit*) override {
    const std::lock_guard lock(mutex_);
    if (++offered_ % 16 == 0) return Error{Errc::OVERLOADED, "full", "", true};
    if (offered_ % 16 == 1) return {};  // never answered
    waiting_.emplace_back(std::move(sender), mid);
    changed_.notify_one();
    return {};
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto [asker, mid] = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      answer(asker, mid);
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<caf::strong_actor_ptr, caf::message_id>> waiting_;
  std::uint64_t offered_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

TEST(Concurrent, EachAskOfManyThreadsIsAnsweredOnceWhateverHappensMeanwhile) {
  constexpr int kThreads = 4, kAsks = 1000;
  Bare node;
  const auto receiver = node.box();
  std::atomic<int> answered = 0, fenced = 0, refused = 0, wrong = 0;
  ThreadAsker asker{node.actors.system(), node.services};
  {
    Answering sink{3};
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        const Health ref{asker, std::make_unique<LocalTarget>("/x", Address{receiver, &sink})};
        for (int i = 0; i < kAsks; ++i)
          ref.health().within(kPatience).then([&](auto result) {
            if (result)
              ++answered;
            else if (result.error().code == Errc::OVERLOADED)
              ++refused;
            else if (result.error().code == Errc::UNAVAILABLE)
              ++fenced;
            else
              ++wrong;
          });
      });
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) node.fences.announce({receiver->id(), "/x"});
    });
    threads.clear();
  }
  node.fences.announce({receiver->id(), "/x"});  // those that nobody answers
  EXPECT_EQ(answered + refused + fenced, kThreads * kAsks);
  EXPECT_LE(refused, kThreads * kAsks / 16);  // or fenced before they were
  EXPECT_EQ(wrong, 0);
}

TEST(Concurrent, AThreadThatWaitsHearsOfTheAnswerAndOfTheDeadline) {
  Bare node;
  const auto receiver = node.box();
  Answering sink{2};
  ThreadAsker asker{node.actors.system(), node.services};
  std::atomic<int> answered = 0, late = 0, refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        const Health ref{asker, std::make_unique<LocalTarget>("/x", Address{receiver, &sink})};
        for (int i = 0; i < 32; ++i) {
          const auto result = ref.health().within(500ms).get();
          if (result)
            ++answered;
          else if (result.error().code == Errc::DEADLINE_EXCEEDED)
            ++late;
          else
            ++refused;
        }
      });
  }
  EXPECT_EQ(refused, 4 * 32 / 16);
  EXPECT_GE(late, 4 * 32 / 16);  // on a busy machine more
  EXPECT_EQ(answered + late + refused, 4 * 32);
}

TEST(Concurrent, ANamesIncarnationsComeAndGoWhileItIsUsed) {
  Bare node;
  const std::vector boxes{node.box(), node.box(), node.box()};
  Answering sink{1};
  std::atomic<bool> over = false;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      LocalTarget target{node.registry.entry("/name").value()};
      while (!over) {
        const Address& address = target.address();
        ASSERT_EQ(static_cast<bool>(address), address.id() != 0);
        (void)node.registry.living();
        ASSERT_NE(node.registry.find("/name"), nullptr);
      }
    });
  const auto slot = node.registry.entry("/name").value();
  for (int i = 0; i < 3000; ++i) {
    const auto& box = boxes[static_cast<std::size_t>(i) % boxes.size()];
    slot->set({box, &sink});
    slot->clear(boxes[static_cast<std::size_t>(i + 1) % boxes.size()].get());  // another's: stays
    ASSERT_EQ(slot->current().first.id(), box->id());
    slot->clear(box.get());
    ASSERT_FALSE(slot->current().first);
  }
  over = true;
}

// ---- reply boxes and fences, one thing at a time ------------------------------------------------

struct Outcomes {
  std::vector<Errc> all;
  ReplyBox::Done done() {
    return [this](Result<Words> result) { all.push_back(result ? Errc{} : result.error().code); };
  }
};

std::uint64_t expect(const caf::strong_actor_ptr& box, std::uint64_t receiver, Deadline deadline,
                     Outcomes& outcomes) {
  auto done = outcomes.done();
  const auto id = box_of(box).expect(receiver, deadline, done);
  SYMPHONY_ASSERT(id.ok());
  return *id;
}

TEST(ReplyBox, FailsWhatIsDueAndLooksOnceInAnInterval) {
  Bare node;
  const auto box = node.box();
  Outcomes outcomes;
  const Deadline start = Deadline{} + 1h;
  expect(box, 1, start + 1s, outcomes);
  const auto later = expect(box, 1, start + 3s, outcomes);
  box_of(box).expire(start + 900ms);
  EXPECT_TRUE(outcomes.all.empty());
  box_of(box).expire(start + 1s);  // too soon after the last look
  EXPECT_TRUE(outcomes.all.empty());
  box_of(box).expire(start + 900ms + ReplyBox::kExpiryInterval);
  EXPECT_EQ(outcomes.all, (std::vector{Errc::DEADLINE_EXCEEDED}));
  EXPECT_TRUE(box_of(box).take(later).has_value());
  EXPECT_FALSE(box_of(box).take(later).has_value());
}

TEST(ReplyBox, FailsAllThatWaitsWhenItIsClosed) {
  Bare node;
  const auto box = node.box();
  Outcomes outcomes;
  for (int i = 0; i < 3; ++i) expect(box, 1, kNoDeadline, outcomes);
  box_of(box).kill_proxy(nullptr, caf::exit_reason::user_shutdown);
  EXPECT_EQ(outcomes.all, std::vector<Errc>(3, Errc::UNAVAILABLE));
}

TEST(ReplyBox, GivesEachAnswerToItsOwnContinuation) {
  Bare node;
  const auto box = node.box();
  Outcomes first, second;
  const auto id = expect(box, 1, kNoDeadline, first);
  expect(box, 1, kNoDeadline, second);
  answer(box, caf::make_message_id(id));
  answer(box, caf::make_message_id(id));  // no second time
  EXPECT_EQ(first.all.size(), 1u);
  EXPECT_TRUE(second.all.empty());
}

TEST(Fences, FailWhatWasAskedOfTheIncarnationThatIsMeantAndNothingElse) {
  Bare node;
  const auto box = node.box();
  node.fences.tell(caf::weak_actor_ptr{box.get()});
  Outcomes of_fenced, of_others;
  expect(box, 7, kNoDeadline, of_fenced);
  expect(box, 8, kNoDeadline, of_others);
  node.fences.announce({7, "/x"});
  EXPECT_EQ(of_fenced.all, (std::vector{Errc::UNAVAILABLE}));
  EXPECT_TRUE(of_others.all.empty());
}

TEST(Fences, RememberTheLivingHoweverManyAreGone) {
  Bare node;
  std::vector<caf::strong_actor_ptr> living;
  Outcomes outcomes;
  for (std::size_t i = 0; i < 2 * Fences::kAskersAtLeast; ++i) {
    auto box = node.box();
    node.fences.tell(caf::weak_actor_ptr{box.get()});
    if (i % 2 == 1) continue;  // gone again
    expect(box, 7, kNoDeadline, outcomes);
    living.push_back(std::move(box));
  }
  node.fences.announce({7, "/x"});
  EXPECT_EQ(outcomes.all.size(), living.size());
}

TEST(Concurrent, AskersComeAndGoWhileFencesAreAnnounced) {
  Bare node;
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const auto box = node.box();
          node.fences.tell(caf::weak_actor_ptr{box.get()});
          ReplyBox::Done done = [&](Result<Words>) { ++failed; };
          ASSERT_TRUE(box_of(box).expect(7, kNoDeadline, done).ok());
          if (i % 10 == 0) node.fences.announce({7, "/x"});
          box_of(box).kill_proxy(nullptr, caf::exit_reason::user_shutdown);
        }
      });
  }
  EXPECT_EQ(failed, 3 * 500);
}

}  // namespace
}  // namespace symphony::runtime
