// What a server holds of what its peers send: limited in bytes, whatever they do.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "messages/probe.protocol.hpp"
#include "runtime/system/process_usage.hpp"
#include "tests/runtime/link/simulation.hpp"
#include "tests/support/sanitized.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

constexpr std::size_t kKiB = 1024;

// Keeps every request, and counts the bytes of what it keeps.
class Keeping final : public Receiver {
 public:
  void receive(PeerId, std::string_view, Envelope request,
               std::unique_ptr<Responder> responder) override {
    bytes += request.words.size_bytes();
    most_bytes = std::max(most_bytes, bytes);
    kept.push_back({std::move(request), std::move(responder)});
  }
  void cancelled(PeerId, std::uint64_t) override { ++cancelled_; }
  void peer_connected(const PeerInfo&) override {}
  void peer_lost(PeerId, const Error&) override { ++lost; }
  void notice_refused(PeerId, std::string_view target, const Header&, const Error& why) override {
    refused.push_back(std::string{target} + ": " + why.message);
  }

  // Answers one of those it keeps; of a notice, it forgets it.
  void answer(std::size_t which) {
    auto one = std::move(kept[which]);
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(which));
    bytes -= one.envelope.words.size_bytes();
    if (one.responder == nullptr) return;
    Envelope answer{one.envelope.header,
                    Words::build<messages::HealthResponse>([](auto out) { out.setHealthy(true); })};
    answer.header.kind = Kind::response;
    one.responder->respond(std::move(answer));
  }

  std::deque<Incoming> kept;
  std::size_t bytes = 0, most_bytes = 0;
  int cancelled_ = 0, lost = 0;
  std::vector<std::string> refused;
};

// A server with some clients.
struct Crowd {
  Crowd(std::size_t count, LinkOptions limits, std::uint64_t seed = 1,
        MemoryLinkOptions link = {.delay_max = 1ms})
      : random(seed), network(clocks, random), server(limits, receiver, clocks) {
    for (std::size_t i = 0; i < count; ++i) {
      auto [client_end, server_end] = network.connect(with_uid(link));
      server.adopt(std::move(server_end));
      auto client = LinkClient::over(
          std::move(client_end),
          {.link = {.name = "client", .max_outbound_bytes = 64 * kKiB * kKiB}, .clocks = &clocks});
      SYMPHONY_ASSERT(client.ok());
      clients.push_back(std::move(*client));
    }
  }
  ~Crowd() {
    clients.clear();
    settle();
    while (!receiver.kept.empty()) receiver.answer(0);
    EXPECT_TRUE(server.stop(kPatience).ok());
    EXPECT_EQ(server.held_bytes(), 0u);
  }

  void ask(std::size_t client, std::size_t size_bytes) {
    ++asked;
    const auto target = clients[client]->resolve("/a");
    clients[client]->ask(*target, describe_request(size_bytes), clocks.mono() + 1h,
                         [this](auto answer) {
                           ++answered;
                           failed += answer.ok() ? 0 : 1;
                         });
  }
  Status tell(std::size_t client, std::size_t size_bytes) {
    auto notice = describe_request(size_bytes);
    notice.header.protocol = protocol::Probe::kId;
    notice.header.method = protocol::Probe::Count::kOrdinal;
    notice.header.kind = Kind::notice;
    return clients[client]->tell(*clients[client]->resolve("/a"), std::move(notice));
  }
  // Until nothing is left to be done now (or in the next minute).
  void settle() {
    for (auto next = network.next(); next && *next < clocks.mono() + 1min; next = network.next())
      network.advance();
  }

  ManualClocks clocks;
  SeededRandom random;
  MemoryNetwork network;
  Keeping receiver;
  LinkServer server;
  std::vector<std::unique_ptr<LinkClient>> clients;
  int asked = 0, answered = 0, failed = 0;
};

TEST(Inbound, APeerIsReadUntilItHasSentItsLimitAndAgainOnceSomethingIsAnswered) {
  Crowd crowd{1, {.max_inbound_bytes = 1024 * kKiB}};
  for (int i = 0; i < 32; ++i) crowd.ask(0, 200 * kKiB);
  crowd.settle();
  EXPECT_EQ(crowd.receiver.kept.size(), 5u);
  while (!crowd.receiver.kept.empty()) {
    EXPECT_LE(crowd.receiver.bytes, 1024 * kKiB);
    crowd.receiver.answer(0);
    crowd.settle();
  }
  EXPECT_EQ(crowd.answered, 32);
  EXPECT_EQ(crowd.failed, 0);
}

TEST(Inbound, AFrameLargerThanTheLimitIsReadAlone) {
  Crowd crowd{1, {.max_inbound_bytes = 100 * kKiB, .max_inbound_bytes_in_all = 200 * kKiB}};
  for (int i = 0; i < 3; ++i) crowd.ask(0, 900 * kKiB);
  for (int i = 1; i <= 3; ++i) {
    crowd.settle();
    ASSERT_EQ(crowd.receiver.kept.size(), 1u);
    crowd.receiver.answer(0);
  }
  crowd.settle();
  EXPECT_EQ(crowd.answered, 3);
}

TEST(Inbound, AllPeersTogetherHoldNoMoreThanTheServersLimit) {
  Crowd crowd{8, {.max_inbound_bytes = 1024 * kKiB, .max_inbound_bytes_in_all = 2048 * kKiB}};
  for (std::size_t i = 0; i < 64; ++i) crowd.ask(i % 8, 200 * kKiB);
  crowd.settle();
  EXPECT_EQ(crowd.receiver.kept.size(), 7u);  // large ones may have three quarters
  while (!crowd.receiver.kept.empty()) {
    crowd.receiver.answer(crowd.receiver.kept.size() / 2);
    crowd.settle();
  }
  EXPECT_LE(crowd.receiver.most_bytes, 1536 * kKiB);
  EXPECT_EQ(crowd.answered, 64);
  EXPECT_EQ(crowd.failed, 0);
}

TEST(Inbound, WhoOnlyAsksHowThingsAreIsAnsweredWhileTheMemoryIsFullOfLargeRequests) {
  Crowd crowd{3, {.max_inbound_bytes = 1024 * kKiB, .max_inbound_bytes_in_all = 1024 * kKiB}};
  crowd.ask(0, 500 * kKiB);
  crowd.ask(1, 500 * kKiB);
  crowd.settle();
  ASSERT_EQ(crowd.receiver.kept.size(), 1u);
  crowd.ask(2, 100);
  crowd.settle();
  ASSERT_EQ(crowd.receiver.kept.size(), 2u);
  crowd.receiver.answer(1);
  crowd.settle();
  EXPECT_EQ(crowd.answered, 1);
}

TEST(Inbound, NoticesCountAsLongAsTheirWordsAreKept) {
  Crowd crowd{1, {.max_inbound_bytes = 1024 * kKiB}};
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(crowd.tell(0, 200 * kKiB).ok());
  crowd.settle();
  EXPECT_EQ(crowd.receiver.kept.size(), 5u);
  int dealt_with = 0;
  for (; !crowd.receiver.kept.empty(); ++dealt_with) {
    crowd.receiver.answer(0);
    crowd.settle();
    EXPECT_LE(crowd.receiver.bytes, 1024 * kKiB);
  }
  EXPECT_EQ(dealt_with, 20);
}

TEST(Inbound, ANoticeThatIsNotLetInIsToldToTheReceiverAndHoldsNothing) {
  Crowd crowd{1, {}};
  auto notice = describe_request();
  notice.header.kind = Kind::notice;
  ASSERT_TRUE(crowd.clients[0]->tell(*crowd.clients[0]->resolve("/a"), notice).ok());
  crowd.settle();
  EXPECT_EQ(crowd.receiver.refused,
            std::vector<std::string>{"/a: Component.describe has an answer: ask it"});
  EXPECT_EQ(crowd.server.held_bytes(), 0u);
}

// A peer that is not read does not keep the node from hearing that it is gone.
TEST(Inbound, APeerThatGoesWhileItIsNotReadIsLostAtOnceAndHoldsNothing) {
  Crowd crowd{2, {.max_inbound_bytes = 400 * kKiB, .max_inbound_bytes_in_all = 600 * kKiB}};
  for (int i = 0; i < 4; ++i) crowd.ask(0, 300 * kKiB);
  crowd.settle();
  ASSERT_EQ(crowd.receiver.kept.size(), 1u);
  crowd.ask(1, 300 * kKiB);
  crowd.settle();
  ASSERT_EQ(crowd.receiver.kept.size(), 1u);
  crowd.clients[0].reset();
  crowd.settle();
  EXPECT_EQ(crowd.receiver.lost, 1);
  while (crowd.receiver.kept.size() > 1 || crowd.answered < 5) {
    ASSERT_FALSE(crowd.receiver.kept.empty());
    crowd.receiver.answer(0);
    crowd.settle();
  }
}

TEST(Inbound, APeerThatStopsInTheMiddleGoesWhenOthersWaitForItsMemory) {
  ManualClocks clocks;
  SeededRandom random{1};
  MemoryNetwork network{clocks, random};
  Keeping receiver;
  LinkServer server{{.max_inbound_bytes_in_all = 400 * kKiB}, receiver, clocks};
  auto [stalling, server_end] = network.connect(with_uid());
  server.adopt(std::move(server_end));
  const auto send = [&, &end = stalling](std::span<const iovec> pieces) {
    while (network.step()) {
    }
    return end->write(pieces).bytes;
  };
  auto greeting = encode_greeting({kLinkVersion, 0, "stalls"});
  const iovec hello{greeting.data(), greeting.size()};
  ASSERT_EQ(send({&hello, 1}), greeting.size());
  EncodedFrame frame;
  FrameHeader header;
  header.protocol = protocol::Component::kId;
  const auto request = describe_request(290 * kKiB);
  ASSERT_TRUE(frame.encode(header, "/a", request.words).ok());
  const iovec head{const_cast<std::byte*>(frame.head().data()), frame.head().size()};
  ASSERT_EQ(send({&head, 1}), frame.head().size());
  while (network.step()) {
  }
  EXPECT_GT(server.held_bytes(), 290 * kKiB);

  // Nobody else is there: it has all the time.
  clocks.advance(10 * LinkOptions::kStallTimeout);
  while (network.step()) {
  }
  EXPECT_EQ(receiver.lost, 0);

  auto [client_end, other_end] = network.connect(with_uid());
  server.adopt(std::move(other_end));
  auto client = LinkClient::over(std::move(client_end), {.clocks = &clocks});
  ASSERT_TRUE(client.ok());
  const auto target = (*client)->resolve("/a");
  (*client)->ask(*target, describe_request(100 * kKiB), clocks.mono() + 1h, [](auto) {});
  const auto before = clocks.mono();
  while (receiver.kept.empty()) ASSERT_TRUE(network.advance());
  EXPECT_EQ(receiver.lost, 1);
  EXPECT_LE(clocks.mono() - before, LinkOptions::kStallTimeout);
  receiver.answer(0);
  client = Error{};
  stalling.reset();
  EXPECT_TRUE(server.stop(kPatience).ok());
}

// Keeps what it is sent until it is told to answer the first; for threads.
class Slow final : public Receiver {
 public:
  void receive(PeerId, std::string_view, Envelope request,
               std::unique_ptr<Responder> responder) override {
    const std::lock_guard lock{mutex_};
    kept_.push_back({std::move(request), std::move(responder)});
    most_ = std::max(most_, kept_.size());
    came_.notify_all();
  }
  void cancelled(PeerId, std::uint64_t) override {}
  void peer_connected(const PeerInfo&) override {}
  void peer_lost(PeerId, const Error&) override {}

  bool answer_first_of(std::size_t count) {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, kPatience, [&] { return kept_.size() >= count; })) return false;
    auto first = std::move(kept_.front());
    kept_.pop_front();
    lock.unlock();
    Envelope answer{first.envelope.header, {}};
    answer.header.kind = Kind::response;
    first.responder->respond(std::move(answer));
    return true;
  }
  std::size_t most() {
    const std::lock_guard lock{mutex_};
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Incoming> kept_;
  std::size_t most_ = 0;
};

TEST(Inbound, EightMebibytesAtATimeStayWithinTheLimitHoweverFastTheyComeAndSlowlyTheyGo) {
  constexpr std::size_t kCount = 40;
  constexpr std::size_t kEach = 8 * kKiB * kKiB;
  const TempDir dir;
  SystemClocks clocks;
  Slow receiver;
  LinkServer server{{}, receiver, clocks};
  ASSERT_TRUE(server.listen(std::move(*UnixListener::listen(dir.socket(), clocks))).ok());
  std::atomic<std::size_t> answered{0};  // outlives the client, whose thread counts
  auto client = LinkClient::connect(
      dir.socket(), {.link = {.name = "fast", .max_outbound_bytes = 2 * kCount * kEach}});
  ASSERT_TRUE(client.ok());
  const auto target = (*client)->resolve("/a");
  const auto request = describe_request(kEach);  // its words are shared by all
  const auto before = read_process_usage()->resident_bytes;
  for (std::size_t i = 0; i < kCount; ++i)
    (*client)->ask(*target, request, (*client)->now() + 10min,
                   [&](auto answer) { answered += answer.ok() ? 1 : 0; });
  // Of three of them there is room at a time, in 32 MiB.
  std::size_t most_bytes = 0;
  for (std::size_t left = kCount; left > 0; --left) {
    ASSERT_TRUE(receiver.answer_first_of(std::min<std::size_t>(left, 3)));
    most_bytes = std::max<std::size_t>(most_bytes, read_process_usage()->resident_bytes);
  }
  EXPECT_EQ(receiver.most(), 3u);
  if (!test::kSanitized) {  // under which freed memory stays for a while
    EXPECT_LT(most_bytes - std::min(most_bytes, before), 2 * LinkOptions::kMaxInboundBytes);
  }
  const WaitingRef<protocol::Component> component{**client, "/a"};
  component.describe().within(kPatience).then([&](auto) { ++answered; });
  ASSERT_TRUE(receiver.answer_first_of(1));
  const auto by = std::chrono::steady_clock::now() + kPatience;
  while (answered < kCount + 1 && std::chrono::steady_clock::now() < by) std::this_thread::yield();
  EXPECT_EQ(answered, kCount + 1);
}

// Any sizes, any order of answers, peers that go in between: never more than the limits and one
// frame, and whoever stays gets an answer to everything.
RC_GTEST_PROP(Inbound, LimitsHoldAndNobodyWaitsForEver, (std::vector<std::uint32_t> choices)) {
  constexpr std::size_t kClients = 3;
  constexpr std::size_t kOne = 300 * kKiB;
  constexpr std::size_t kAll = 600 * kKiB;
  constexpr std::size_t kLargest = 200 * kKiB;
  Crowd crowd{kClients,
              {.max_inbound_bytes = kOne, .max_inbound_bytes_in_all = kAll},
              choices.size() + 1,
              {.delay_max = 2ms, .fragment = choices.size() % 2 == 0}};
  for (const auto choice : choices) {
    const auto client = choice % kClients;
    const auto size = choice / 16 % 3 == 0 ? choice / 64 % 100 : choice / 64 % kLargest;
    switch (choice / 4 % 4) {
      case 0:
      case 1:
        if (crowd.clients[client]) crowd.ask(client, size);
        break;
      case 2:
        if (!crowd.receiver.kept.empty())
          crowd.receiver.answer(choice / 64 % crowd.receiver.kept.size());
        break;
      default:
        for (auto steps = choice / 64 % 50; steps > 0 && crowd.network.step(); --steps) {
        }
        if (client == 0 && choice / 64 % 8 == 0) crowd.clients[client].reset();
    }
    // Of a client that is gone comes what was under way, too.
    RC_ASSERT(crowd.receiver.bytes <= kAll + kLargest + MemoryLinkOptions{}.capacity_bytes);
  }
  crowd.settle();
  while (!crowd.receiver.kept.empty()) {
    crowd.receiver.answer(0);
    crowd.settle();
  }
  RC_ASSERT(crowd.answered == crowd.asked);
  RC_ASSERT(crowd.server.held_bytes() == 0u);
}

}  // namespace
}  // namespace symphony::runtime
