// Server and client over a network in memory, on one thread and by driven clocks.

#include <algorithm>
#include <cstring>

#include "tests/runtime/link/simulation.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

TEST(MemoryLink, CarriesAnAskWithoutThreads) {
  Simulation sim{1, with_uid({.delay_min = 1ms, .delay_max = 1ms})};
  ASSERT_TRUE(sim.client.ok()) << to_string(sim.client.error());
  const auto before = sim.clocks.mono();
  const WaitingRef<protocol::Component> component{**sim.client, "/a"};
  const auto answer = component.describe().get();
  ASSERT_TRUE(answer.ok());
  EXPECT_STREQ((**answer).getName().cStr(), "/a");
  EXPECT_EQ(sim.clocks.mono() - before, 2ms);
}

// What a run did, to be compared with another run.
std::string history_of(std::uint64_t seed) {
  Simulation sim{seed, with_uid({.delay_max = 5ms, .fragment = true})};
  std::string history;
  if (!sim.client) return to_string(sim.client.error());
  const WaitingRef<protocol::Component> component{**sim.client, "/a"};
  int answered = 0;
  for (int i = 0; i < 20; ++i)
    component.health().within(1s).then([&, i](auto answer) {
      ++answered;
      history += std::to_string(i) + (answer ? "+" : "-") +
                 std::to_string(sim.clocks.mono().time_since_epoch().count()) + " ";
    });
  while (answered < 20 && sim.network.advance()) {
  }
  return history;
}

TEST(MemoryLink, ReplaysTheSameHistoryFromTheSameSeed) {
  const auto first = history_of(7);
  EXPECT_NE(first.find("19+"), std::string::npos) << first;
  EXPECT_EQ(history_of(7), first);
  EXPECT_NE(history_of(8), first);
}

// How often `done` was called for each of a few asks, when the connection is cut.
void expect_all_done_once(MemoryLinkOptions link) {
  Simulation sim{3, with_uid(link)};
  if (!sim.client) return;  // cut in the greetings: an error, not a hang
  const WaitingRef<protocol::Component> component{**sim.client, "/a"};
  std::vector<int> done(3);
  int answered = 0;
  for (auto& times : done)
    component.describe().within(1h).then([&](auto answer) {
      ++times;
      if (answer)
        ++answered;
      else
        EXPECT_EQ(answer.error().code, Errc::UNAVAILABLE) << to_string(answer.error());
    });
  const auto before = sim.clocks.mono();
  while (std::count(done.begin(), done.end(), 0) > 0 && sim.network.advance()) {
  }
  EXPECT_EQ(done, (std::vector<int>{1, 1, 1}));
  EXPECT_LT(sim.clocks.mono() - before, 1min) << "waited for a deadline instead of the loss";
  if (answered == 3) return;
  EXPECT_EQ(component.describe().get().error().code, Errc::UNAVAILABLE);
  EXPECT_EQ(done, (std::vector<int>{1, 1, 1}));
}

TEST(MemoryLink, SurvivesACutAfterEveryByteTheClientSends) {
  for (std::uint64_t bytes = 0; bytes < 420; ++bytes) {
    SCOPED_TRACE(bytes);
    expect_all_done_once({.delay_max = 1ms, .cut_first_after_bytes = bytes});
  }
}

TEST(MemoryLink, SurvivesACutAfterEveryByteTheServerSends) {
  for (std::uint64_t bytes = 0; bytes < 700; ++bytes) {
    SCOPED_TRACE(bytes);
    expect_all_done_once({.delay_max = 1ms, .fragment = true, .cut_second_after_bytes = bytes});
  }
}

TEST(MemoryLink, ConnectingFailsWhenTheConnectionIsCutInTheGreetings) {
  Simulation sim{1, with_uid({.cut_second_after_bytes = 3})};
  ASSERT_FALSE(sim.client.ok());
  EXPECT_EQ(sim.client.error().code, Errc::UNAVAILABLE);
}

TEST(MemoryLink, LosesEveryPendingAskAtOnceWhenTheNetworkIsCut) {
  Simulation sim{1, with_uid()};
  const WaitingRef<protocol::Component> silent{**sim.client, "/silent"};
  int lost = 0;
  for (int i = 0; i < 10; ++i)
    silent.describe().within(1h).then(
        [&](auto answer) { lost += answer.error().code == Errc::UNAVAILABLE; });
  while (sim.receiver.waiting_.size() < 10) ASSERT_TRUE(sim.network.advance());
  const auto before = sim.clocks.mono();
  sim.network.cut_all();
  while (lost < 10 || sim.receiver.lost_.empty()) ASSERT_TRUE(sim.network.advance());
  EXPECT_EQ(sim.clocks.mono(), before);
}

TEST(MemoryLink, HangsUpOnAClientThatNeverSpeaks) {
  ManualClocks clocks;
  SeededRandom random{1};
  MemoryNetwork network{clocks, random};
  Answering receiver;
  LinkServer server{{.handshake_timeout = 5s}, receiver, clocks};
  auto [client_end, server_end] = network.connect(with_uid());
  server.adopt(std::move(server_end));
  const auto before = clocks.mono();
  std::string heard(300, '\0');
  const std::span space{reinterpret_cast<std::byte*>(heard.data()), heard.size()};
  Io io;
  do {
    ASSERT_TRUE(network.advance());
    io = client_end->read(space);
  } while (io.bytes == 0);
  EXPECT_EQ(clocks.mono() - before, 5s);
  EXPECT_NE(heard.find("no greeting came in time"), std::string::npos);
  while (!io.lost) {
    ASSERT_TRUE(network.advance());
    io = client_end->read(space);
  }
  EXPECT_TRUE(receiver.connected_.empty());
  EXPECT_TRUE(receiver.lost_.empty());
  client_end.reset();
}

TEST(MemoryLink, ConnectingFailsWhenTheNodeNeverSpeaks) {
  ManualClocks clocks;
  SeededRandom random{1};
  MemoryNetwork network{clocks, random};
  auto [client_end, mute_end] = network.connect(with_uid());
  const auto client =
      LinkClient::over(std::move(client_end),
                       {.link = {.name = "client", .handshake_timeout = 5s}, .clocks = &clocks});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, Errc::DEADLINE_EXCEEDED);
}

TEST(MemoryLink, FailsAnAskAtItsDeadline) {
  Simulation sim{1, with_uid()};
  const WaitingRef<protocol::Component> silent{**sim.client, "/silent"};
  const auto before = sim.clocks.mono();
  EXPECT_EQ(silent.describe().within(3s).get().error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_GE(sim.clocks.mono() - before, 3s);
  EXPECT_LE(sim.clocks.mono() - before, 3s + PendingTable::kDeadlineTick);
  // And the receiver need not go on.
  while (sim.receiver.cancelled_.empty()) ASSERT_TRUE(sim.network.advance());
  EXPECT_EQ(sim.receiver.cancelled_[0], sim.receiver.headers_[0].correlation);
  // Without a deadline of its own, the link's default applies.
  EXPECT_EQ(silent.describe().get().error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_GE(sim.clocks.mono() - before, 3s + LinkOptions::kAskTimeout);
}

TEST(MemoryLink, RefusesRequestsThatCameTooLate) {
  Simulation sim{1, with_uid({.delay_min = 1ms, .delay_max = 1ms})};
  auto target = (*sim.client)->resolve("/a");
  const auto now = sim.clocks.mono();
  const auto answer = (*sim.client)->ask_and_wait(*target, describe_request(), now);
  EXPECT_EQ(answer.error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_TRUE(sim.receiver.headers_.empty());
}

TEST(MemoryLink, DoesNotTalkToAnotherUser) {
  auto options = with_uid();
  options.first.uid = 12'345;
  Simulation sim{1, options, {.own_uid = 777}};
  ASSERT_FALSE(sim.client.ok());
  EXPECT_EQ(sim.client.error().message,
            "the node refused the connection: this process belongs to user 777 and does not talk "
            "to user 12345");
  EXPECT_TRUE(sim.receiver.connected_.empty());
}

TEST(MemoryLink, AClientDoesNotTalkToANodeOfAnotherUser) {
  auto options = with_uid();
  options.second.uid = 12'345;  // who the client is told is at the other end
  Simulation sim{1, options, {}, {.name = "client", .own_uid = 777}};
  ASSERT_FALSE(sim.client.ok());
  EXPECT_EQ(sim.client.error().message,
            "this process belongs to user 777 and does not talk to user 12345");
  while (sim.network.advance()) {
  }
  EXPECT_TRUE(sim.receiver.connected_.empty());
}

// Answers with words that lead out of the message.
class Lying final : public Receiver {
 public:
  void receive(PeerId, std::string_view target, Envelope request,
               std::unique_ptr<Responder> responder) override {
    auto buffer = kj::heapArray<capnp::word>(1);
    const std::uint64_t far_away = 0x00000001'0fff'fffcULL;
    std::memcpy(static_cast<void*>(buffer.begin()), &far_away, sizeof far_away);
    const std::uint32_t size = 1;
    Envelope answer{request.header, Words::adopt(kj::mv(buffer), {&size, 1})};
    answer.header.kind = target == "/failing" ? Kind::failure : Kind::response;
    responder->respond(std::move(answer));
  }
  void cancelled(PeerId, std::uint64_t) override {}
  void peer_connected(const PeerInfo&) override {}
  void peer_lost(PeerId, const Error&) override {}
};

TEST(MemoryLink, AnswersAreCheckedBeforeAnybodyReadsThem) {
  ManualClocks clocks;
  SeededRandom random{1};
  MemoryNetwork network{clocks, random};
  Lying receiver;
  LinkServer server{{}, receiver, clocks};
  auto [client_end, server_end] = network.connect(with_uid());
  server.adopt(std::move(server_end));
  auto client =
      LinkClient::over(std::move(client_end), {.link = {.name = "client"}, .clocks = &clocks});
  ASSERT_TRUE(client.ok());
  for (const auto* name : {"/answering", "/failing"}) {
    const auto answer = WaitingRef<protocol::Component>{**client, name}.describe().get();
    ASSERT_FALSE(answer.ok()) << name;
    EXPECT_EQ(answer.error().code, Errc::DATA_CORRUPT) << name;
  }
  client = Error{};
  EXPECT_TRUE(server.stop(kPatience).ok());
}

TEST(MemoryLink, StopsInTheMiddleOfEverything) {
  for (int steps = 0; steps < 60; ++steps) {
    int done = 0;
    {
      Simulation sim{9, with_uid({.delay_max = 1ms, .fragment = true})};
      const WaitingRef<protocol::Component> component{**sim.client, "/a"};
      for (int i = 0; i < 5; ++i) component.describe().then([&](auto) { ++done; });
      for (int i = 0; i < steps; ++i) sim.network.step() || sim.network.advance();
    }
    EXPECT_EQ(done, 5) << steps;
  }
}

TEST(MemoryLink, RunsInsideOneProcessByTheRealClock) {
  SystemClocks clocks;
  SystemRandom random;
  MemoryNetwork network{clocks, random};
  const MemoryPump pump{network};
  Answering receiver;
  LinkServer server{{}, receiver, clocks};
  auto [client_end, server_end] = network.connect(with_uid());
  server.adopt(std::move(server_end));
  auto client = LinkClient::over(std::move(client_end));
  ASSERT_TRUE(client.ok()) << to_string(client.error());
  const WaitingRef<protocol::Component> component{**client, "/a"};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(component.describe().within(kPatience).get().ok());
  const WaitingRef<protocol::Component> silent{**client, "/silent"};
  EXPECT_EQ(silent.describe().within(10ms).get().error().code, Errc::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace symphony::runtime
