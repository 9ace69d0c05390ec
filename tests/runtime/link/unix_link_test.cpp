// Server and client over real Unix sockets.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

#include "runtime/link/frame.hpp"
#include "runtime/link/handshake.hpp"
#include "tests/runtime/link/link_testing.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

class UnixLink : public ::testing::Test {
 protected:
  void serve(LinkOptions options = {.name = "alpha"}) {
    server_.emplace(options, receiver_, clocks_);
    auto listener = UnixListener::listen(dir_.socket(), clocks_);
    ASSERT_TRUE(listener.ok()) << to_string(listener.error());
    ASSERT_TRUE(server_->listen(std::move(*listener)).ok());
  }
  std::unique_ptr<LinkClient> connect(LinkClientOptions options = {}) {
    auto client = LinkClient::connect(dir_.socket(), options);
    if (!client) {
      ADD_FAILURE() << to_string(client.error());
      return nullptr;
    }
    return std::move(*client);
  }
  RawPeer connect_raw() {
    RawPeer peer;
    peer.connect(dir_.socket());
    return peer;
  }
  // A raw peer whose greetings are done.
  RawPeer greeted() {
    auto peer = connect_raw();
    peer.greet();
    return peer;
  }

  TempDir dir_;
  SystemClocks clocks_;
  Answering receiver_;
  std::optional<LinkServer> server_;
};

TEST_F(UnixLink, CarriesAnAskAndItsAnswer) {
  serve();
  const auto client = connect({.link = {.name = "test"}});
  EXPECT_EQ(client->node(), "alpha");
  const WaitingRef<protocol::Component> component{*client, "/pit/pool"};
  const auto answer = component.describe().within(kPatience).get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_STREQ((**answer).getName().cStr(), "/pit/pool");
  const auto peers = server_->peers();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].name, "test");
  EXPECT_EQ(peers[0].kind, PeerKind::client);
  EXPECT_EQ(peers[0].credentials.uid, ::geteuid());
  EXPECT_EQ(peers[0].credentials.pid, ::getpid());
}

TEST_F(UnixLink, CarriesDeadlinesAndTraces) {
  serve();
  const auto client = connect();
  auto target = client->resolve("/a");
  auto request = describe_request();
  request.header.trace = {1, 2, 3};
  const auto deadline = client->now() + 10s;
  ASSERT_TRUE(client->ask_and_wait(*target, request, deadline).ok());
  ASSERT_EQ(receiver_.seen(&Answering::headers_).size(), 1u);
  EXPECT_EQ(receiver_.seen(&Answering::headers_)[0].trace, (TraceContext{1, 2, 3}));
  // One machine, one clock: the time on the way is added, nothing else.
  EXPECT_GE(receiver_.seen(&Answering::headers_)[0].deadline, deadline);
  EXPECT_LT(receiver_.seen(&Answering::headers_)[0].deadline, deadline + kPatience);
}

TEST_F(UnixLink, SocketIsPrivateWhateverTheUmaskAndGoneAfterwards) {
  const auto before = ::umask(0);
  serve();
  ::umask(before);
  struct stat found {};
  ASSERT_EQ(::lstat(dir_.socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  server_.reset();
  EXPECT_NE(::lstat(dir_.socket().c_str(), &found), 0);
}

TEST_F(UnixLink, ReplacesASocketThatNobodyListensOn) {
  {
    const Descriptor fd{::socket(AF_UNIX, SOCK_STREAM, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = dir_.socket();
    std::copy(path.begin(), path.end(), address.sun_path);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  const auto refused = LinkClient::connect(dir_.socket());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "no node named default is running (nobody listens on " +
                                         dir_.socket() + "); start one with: symphony node");
  serve();
  EXPECT_NE(connect(), nullptr);
}

TEST_F(UnixLink, DoesNotReplaceALivingNodeOrSomebodysFile) {
  serve();
  EXPECT_EQ(UnixListener::listen(dir_.socket(), clocks_).error().code, Errc::ALREADY_EXISTS);
  EXPECT_NE(connect(), nullptr);
  const TempDir other;
  std::ofstream{other.socket()} << "precious";
  EXPECT_EQ(UnixListener::listen(other.socket(), clocks_).error().code, Errc::ALREADY_EXISTS);
  EXPECT_TRUE(std::filesystem::exists(other.socket()));
}

TEST_F(UnixLink, SaysWhatToDoWhenNoNodeRuns) {
  const auto client = LinkClient::connect(dir_.socket(), {.node = "beta"});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, Errc::UNAVAILABLE);
  EXPECT_EQ(client.error().message, "no node named beta is running (no socket at " + dir_.socket() +
                                        "); start one with: symphony node");
}

TEST_F(UnixLink, RefusesAPathThatIsTooLong) {
  EXPECT_EQ(UnixListener::listen(std::string(200, 'a'), clocks_).error().code,
            Errc::INVALID_ARGUMENT);
}

// Two nodes that start at once take turns, and one that hangs meanwhile stops nobody for good.
TEST_F(UnixLink, WaitsForTheFolderToBeFreeButNotForEver) {
  Descriptor other{::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  const auto refused = UnixListener::listen(dir_.socket(), clocks_, 20ms);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_NE(refused.error().message.find(dir_.path().string()), std::string::npos);
  auto waiting = std::async(std::launch::async, [&] {
    return UnixListener::listen(dir_.socket(), clocks_, kPatience).ok();
  });
  EXPECT_EQ(waiting.wait_for(20ms), std::future_status::timeout);
  other = Descriptor{};
  EXPECT_TRUE(waiting.get());
}

TEST_F(UnixLink, AnswersManyThreadsThatShareOneClient) {
  serve();
  const auto client = connect();
  constexpr int kThreads = 6;
  constexpr int kAsks = 150;
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        const auto name = "/component/" + std::to_string(t);
        const WaitingRef<protocol::Component> component{*client, name};
        for (int i = 0; i < kAsks; ++i) {
          const auto answer = component.describe().within(kPatience).get();
          if (answer && name == (**answer).getName().cStr()) ++right;
        }
      });
  }
  EXPECT_EQ(right, kThreads * kAsks);
}

TEST_F(UnixLink, CallsBackInOrderForOnePeer) {
  serve();
  // Outlive the client, whose thread sets them.
  std::vector<int> order;
  std::promise<void> all;
  const auto client = connect();
  const WaitingRef<protocol::Component> component{*client, "/a"};
  constexpr int kAsks = 1000;
  for (int i = 0; i < kAsks; ++i)
    component.health().within(kPatience).then([&, i](auto answer) {
      if (answer) order.push_back(i);
      if (i + 1 == kAsks) all.set_value();
    });
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kAsks));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(UnixLink, AsksFromInsideACallback) {
  serve();
  // Outlive the client, whose thread sets them.
  std::promise<bool> second;
  const auto client = connect();
  const WaitingRef<protocol::Component> component{*client, "/a"};
  component.describe().within(kPatience).then([&](auto) {
    component.health().within(kPatience).then([&](auto answer) { second.set_value(answer.ok()); });
  });
  auto answered = second.get_future();
  ASSERT_EQ(answered.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(answered.get());
}

TEST_F(UnixLink, CarriesAnswersOfSeveralMegabytes) {
  const std::string large(9 << 20, 'y');
  Answering receiver{large};
  LinkServer server{{}, receiver, clocks_};
  ASSERT_TRUE(server.listen(std::move(*UnixListener::listen(dir_.socket(), clocks_))).ok());
  const auto client = connect();
  const WaitingRef<protocol::Component> component{*client, "/a"};
  const auto answer = component.health().within(kPatience).get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_EQ((**answer).getDetail().size(), large.size());
}

TEST_F(UnixLink, AnAnswerTooLargeForAFrameBecomesAnError) {
  Answering receiver{std::string(100'000, 'y')};
  LinkServer server{{.max_frame_bytes = 64 << 10}, receiver, clocks_};
  ASSERT_TRUE(server.listen(std::move(*UnixListener::listen(dir_.socket(), clocks_))).ok());
  const auto client = connect();
  const WaitingRef<protocol::Component> component{*client, "/a"};
  EXPECT_EQ(component.health().within(kPatience).get().error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(component.describe().within(kPatience).get().ok());
}

TEST_F(UnixLink, RefusesInternalAndUnknownMethods) {
  serve();
  const auto client = connect();
  const WaitingRef<protocol::Component> component{*client, "/a"};
  EXPECT_EQ(component.stop().within(kPatience).get().error().code, Errc::PERMISSION_DENIED);
  auto target = client->resolve("/a");
  auto request = describe_request();
  request.header.method = 500;
  EXPECT_EQ(client->ask_and_wait(*target, request, kNoDeadline).error().code, Errc::UNIMPLEMENTED);
  EXPECT_TRUE(receiver_.seen(&Answering::headers_).empty());
}

TEST_F(UnixLink, FailsAnAskAtItsDeadlineWhenNobodyAnswers) {
  serve();
  const auto client = connect();
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  const auto before = client->now();
  EXPECT_EQ(silent.describe().within(20ms).get().error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_GE(client->now() - before, 20ms);
  // The late answer is nobody's.
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.waiting_.size() == 1; }));
  receiver_.take_waiting();
  EXPECT_TRUE(silent.asker().now() > before);
  const WaitingRef<protocol::Component> other{*client, "/a"};
  EXPECT_TRUE(other.describe().within(kPatience).get().ok());
}

TEST_F(UnixLink, TellsTheReceiverThatAnAskWasCancelled) {
  serve();
  // Outlive the client, whose thread sets them.
  std::promise<Errc> done;
  const auto client = connect();
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  const auto correlation = silent.describe().within(kPatience).then(
      [&](auto answer) { done.set_value(answer.error().code); });
  silent.cancel(correlation);
  auto code = done.get_future();
  ASSERT_EQ(code.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(code.get(), Errc::CANCELLED);
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.cancelled_.size() == 1; }));
  EXPECT_EQ(receiver_.seen(&Answering::cancelled_)[0],
            receiver_.seen(&Answering::headers_)[0].correlation);
}

TEST_F(UnixLink, FailsWhatIsPendingWhenTheServerStops) {
  serve();
  // Outlive the client, whose thread sets them.
  std::vector<std::promise<Error>> done(5);
  const auto client = connect();
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  for (auto& one : done)
    silent.describe().within(kPatience).then([&](auto answer) { one.set_value(answer.error()); });
  auto waiting = std::async(std::launch::async,
                            [&] { return silent.health().within(kPatience).get().error(); });
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.waiting_.size() == 6; }));
  ASSERT_TRUE(server_->stop(kPatience).ok());
  for (auto& one : done) {
    auto error = one.get_future();
    ASSERT_EQ(error.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(error.get().code, Errc::UNAVAILABLE);
  }
  EXPECT_EQ(waiting.get().message, "the peer closed the connection: the node is stopping");
  EXPECT_EQ(silent.describe().get().error().code, Errc::UNAVAILABLE);
  ASSERT_EQ(receiver_.seen(&Answering::lost_).size(), 1u);
  receiver_.take_waiting();  // answers of the dead go nowhere, and do no harm
}

TEST_F(UnixLink, AnswersFromAnyThreadAtAnyTime) {
  serve();
  // Outlive the client, whose thread sets them.
  std::atomic<int> failed{0};
  std::promise<void> all;
  const auto client = connect();
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  constexpr int kAsks = 200;
  for (int i = 0; i < kAsks; ++i)
    silent.describe().within(kPatience).then([&](auto answer) {
      if (answer.error().code == Errc::NOT_FOUND && ++failed == kAsks) all.set_value();
    });
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.waiting_.size() == kAsks; }));
  auto waiting = receiver_.take_waiting();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = static_cast<std::size_t>(t); i < waiting.size(); i += 4)
          waiting[i]->respond(make_failure({}, Error{Errc::NOT_FOUND, "nothing here"}));
      });
  }
  EXPECT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(UnixLink, AnAnswerThatIsDroppedFailsTheAsk) {
  serve();
  const auto client = connect();
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  auto waiting = std::async(std::launch::async,
                            [&] { return silent.health().within(kPatience).get().error(); });
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.waiting_.size() == 1; }));
  receiver_.take_waiting();
  EXPECT_EQ(waiting.get().code, Errc::UNAVAILABLE);
}

TEST_F(UnixLink, ClosesOnGarbageBeforeTheGreeting) {
  serve();
  const auto fd = connect_raw();
  const std::string garbage = "GET / HTTP/1.1\r\n\r\n";
  fd.write(std::as_bytes(std::span{garbage}));
  EXPECT_NE(fd.read_all().find("does not speak Symphony's link protocol"), std::string::npos);
  EXPECT_NE(connect(), nullptr);
  EXPECT_EQ(receiver_.seen(&Answering::connected_).size(), 1u);
}

TEST_F(UnixLink, TellsAPeerOfAnotherVersionWhy) {
  serve();
  const auto fd = connect_raw();
  fd.write(encode_greeting({kLinkVersion + 1, 0, "future"}));
  EXPECT_NE(fd.read_all().find("use the same release of symphony on both sides"),
            std::string::npos);
}

TEST_F(UnixLink, ClosesOnAFrameThatIsTooLarge) {
  serve();
  const auto fd = greeted();
  std::vector<std::byte> header(kFrameHeaderBytes);
  const std::uint32_t length = (16u << 20) + 8;
  std::memcpy(header.data(), &length, sizeof length);
  fd.write(header);
  EXPECT_NE(fd.read_all().find("the limit is 16777216"), std::string::npos);
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.lost_.size() == 1; }));
  EXPECT_TRUE(receiver_.seen(&Answering::headers_).empty());
}

TEST_F(UnixLink, RefusesMorePeersThanItMayHave) {
  serve({.name = "alpha", .max_peers = 2});
  const auto first = connect();
  auto second = connect();
  const auto third = LinkClient::connect(dir_.socket());
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().message,
            "the node refused the connection: the node has 2 connections already; "
            "link.max_peers allows no more");
  second.reset();
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.lost_.size() == 1; }));
  EXPECT_NE(connect(), nullptr);
}

TEST_F(UnixLink, HangsUpOnAPeerThatNeverSpeaks) {
  serve({.name = "alpha", .handshake_timeout = 20ms});
  const auto fd = connect_raw();
  EXPECT_NE(fd.read_all().find("no greeting came in time"), std::string::npos);
}

TEST_F(UnixLink, HangsUpOnAPeerThatDoesNotReadItsAnswers) {
  Answering receiver{std::string(512 << 10, 'y')};
  LinkServer server{{.name = "alpha", .max_outbound_bytes = 4 << 20}, receiver, clocks_};
  ASSERT_TRUE(server.listen(std::move(*UnixListener::listen(dir_.socket(), clocks_))).ok());
  const auto fd = greeted();
  FrameHeader header;
  header.protocol = protocol::Component::kId;
  header.method = protocol::Component::Health::kOrdinal;
  EncodedFrame frame;
  ASSERT_TRUE(frame.encode(header, "/a", {}).ok());
  for (int i = 0; i < 100; ++i) fd.write(frame.head());
  ASSERT_TRUE(receiver.eventually([](auto& r) { return r.lost_.size() == 1; }));
  EXPECT_EQ(receiver.seen(&Answering::lost_)[0].second.message,
            "the peer does not read its answers");
}

TEST_F(UnixLink, AsksAreRefusedWhenTheNodeDoesNotRead) {
  // A listener that greets and then reads no more.
  const Descriptor listening{::socket(AF_UNIX, SOCK_STREAM, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = dir_.socket();
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  std::promise<Descriptor> accepted;
  std::jthread greeter{[&] {
    Descriptor fd{::accept(listening.get(), nullptr, nullptr)};
    std::byte hello[kGreetingHeadBytes + 6];
    EXPECT_EQ(::recv(fd.get(), hello, sizeof hello, MSG_WAITALL),
              static_cast<ssize_t>(sizeof hello));
    const auto welcome = encode_greeting({kLinkVersion, 0, "rude"});
    EXPECT_EQ(::send(fd.get(), welcome.data(), welcome.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(welcome.size()));
    accepted.set_value(std::move(fd));
  }};
  // Outlive the client, whose thread sets them.
  std::vector<std::promise<Errc>> done(20);
  const auto client =
      connect({.link = {.name = "client", .max_pending = 100, .max_outbound_bytes = 1 << 20}});
  auto node = accepted.get_future().get();
  const auto target = client->resolve("/a");
  for (auto& one : done)
    client->ask(*target, describe_request(128 << 10), client->now() + kPatience,
                [&](auto answer) { one.set_value(answer.error().code); });
  EXPECT_EQ(done.back().get_future().get(), Errc::OVERLOADED);
  auto notice = describe_request(128 << 10);
  notice.header.kind = Kind::notice;
  EXPECT_EQ(client->tell(*target, notice).error().code, Errc::OVERLOADED);
  node = Descriptor{};  // what was sent is lost with it, at once
  EXPECT_EQ(done.front().get_future().get(), Errc::UNAVAILABLE);
}

TEST_F(UnixLink, TakesOnlySoManyAsksAtATime) {
  serve();
  // Outlive the client, whose thread sets them.
  std::vector<std::promise<Errc>> done(4);
  const auto client = connect({.link = {.name = "client", .max_pending = 3}});
  const WaitingRef<protocol::Component> silent{*client, "/silent"};
  for (auto& one : done)
    silent.describe().within(kPatience).then(
        [&](auto answer) { one.set_value(answer.error().code); });
  EXPECT_EQ(done[3].get_future().get(), Errc::OVERLOADED);
  ASSERT_TRUE(receiver_.eventually([](auto& r) { return r.waiting_.size() == 3; }));
  receiver_.take_waiting();
  EXPECT_EQ(done[0].get_future().get(), Errc::UNAVAILABLE);
}

}  // namespace
}  // namespace symphony::runtime
