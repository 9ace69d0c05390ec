// The parts of the link that neither do I/O nor know the time.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <set>

#include "messages/component.protocol.hpp"
#include "messages/foundation.protocol.hpp"
#include "runtime/link/gate.hpp"
#include "runtime/link/handshake.hpp"
#include "runtime/link/outbound.hpp"
#include "runtime/link/pending.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using protocol::Component;

Result<std::optional<Greeting>> read_greeting(std::span<const std::byte> bytes,
                                              std::size_t max_text, std::size_t piece) {
  GreetingReader reader{max_text};
  for (;;) {
    const auto space = reader.space();
    const auto n = std::min({space.size(), bytes.size(), piece});
    std::memcpy(space.data(), bytes.data(), n);
    bytes = bytes.subspan(n);
    auto greeting = reader.advance(n);
    if (!greeting || greeting->has_value() || bytes.empty()) return greeting;
  }
}

TEST(Greeting, IsReadInPiecesOfAnySizeAndNotAByteFurther) {
  const Greeting hello{7, 1, "alpha"};
  auto bytes = encode_greeting(hello);
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto read = read_greeting(bytes, kMaxPeerNameBytes, piece);
    ASSERT_TRUE(read.ok() && read->has_value()) << piece;
    EXPECT_EQ(**read, hello);
  }
  GreetingReader reader{kMaxPeerNameBytes};
  EXPECT_EQ(reader.space().size(), kGreetingHeadBytes);
}

TEST(Greeting, WithMoreTextThanAllowedIsRefused) {
  const auto bytes = encode_greeting({1, 0, std::string(kMaxPeerNameBytes + 1, 'a')});
  EXPECT_FALSE(read_greeting(bytes, kMaxPeerNameBytes, 1000).ok());
  EXPECT_TRUE(read_greeting(bytes, kMaxGreetingTextBytes, 1000).ok());
}

TEST(Greeting, ThatIsGarbageIsRefusedAtItsFirstByte) {
  const std::byte g{'G'};
  EXPECT_FALSE(read_greeting({&g, 1}, kMaxPeerNameBytes, 1).ok());
}

TEST(Greeting, OfAnotherVersionSaysWhatToDo) {
  const auto status = check_hello({kLinkVersion + 1, 0, "x"});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("use the same release of symphony on both sides"),
            std::string::npos);
}

TEST(Greeting, OnlyTheSameUserAndRootAreLetIn) {
  EXPECT_TRUE(check_uid(1000, 1000).ok());
  EXPECT_TRUE(check_uid(0, 1000).ok());
  EXPECT_EQ(check_uid(1001, 1000).error().code, Errc::PERMISSION_DENIED);
  EXPECT_EQ(check_uid(1001, 0).error().code, Errc::PERMISSION_DENIED);
}

PendingTable::Ask ask_until(Deadline deadline) {
  return {[](Result<Words>) {}, deadline, 1, 2};
}

TEST(PendingTable, GivesEachAskBackOnce) {
  PendingTable table{4};
  const auto first = table.add(ask_until(Deadline{} + 1s));
  const auto second = table.add(ask_until(Deadline{} + 2s));
  EXPECT_NE(first, second);
  EXPECT_TRUE(table.take(first).has_value());
  EXPECT_FALSE(table.take(first).has_value());
  const auto third = table.add(ask_until(Deadline{} + 3s));  // in the place of the first
  EXPECT_FALSE(table.take(first).has_value());
  EXPECT_FALSE(table.take(0).has_value());
  EXPECT_FALSE(table.take(~std::uint64_t{0}).has_value());
  EXPECT_TRUE(table.take(third).has_value());
  EXPECT_TRUE(table.take(second).has_value());
  EXPECT_TRUE(table.empty());
}

RC_GTEST_PROP(PendingTable, ExpiresWhatIsDueWithinATickAndNothingElse, ()) {
  PendingTable table{64};
  const auto deadlines = *rc::gen::container<std::vector<int>>(
      *rc::gen::inRange<std::size_t>(1, 50), rc::gen::inRange(1, 100'000));
  std::multiset<Deadline> left;
  for (const auto us : deadlines) {
    table.add(ask_until(Deadline{} + std::chrono::microseconds{us}));
    left.insert(Deadline{} + std::chrono::microseconds{us});
  }
  while (!table.empty()) {
    const auto at = table.wake_at();
    RC_ASSERT(at >= *left.begin());
    RC_ASSERT(at - *left.begin() <= std::chrono::nanoseconds{PendingTable::kDeadlineTick});
    for (const auto& ask : table.take_expired(at)) {
      RC_ASSERT(ask.deadline <= at);
      left.erase(left.find(ask.deadline));
    }
    RC_ASSERT(left.empty() || *left.begin() > at);
  }
  RC_ASSERT(left.empty());
  RC_ASSERT(table.wake_at() == kNoDeadline);
}

Words words_of(std::size_t size_bytes, char fill) {
  return Words::build<messages::HealthResponse>(
      [&](auto fields) { fields.setDetail(std::string(size_bytes, fill)); });
}

RC_GTEST_PROP(Outbound, WritesEverythingInOrderHoweverLittleTheStreamTakes, ()) {
  Outbound outbound;
  std::string expected, written;
  const auto add = [&](std::size_t size, bool put_back) {
    const auto words = words_of(size, static_cast<char>('a' + expected.size() % 26));
    EncodedFrame frame;
    RC_ASSERT(frame.encode({}, "/a", words).ok());
    std::string bytes;
    for (const auto& piece : frame.pieces())
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    if (put_back) {
      outbound.put_back(frame, words, 10);
      expected += bytes.substr(10);
    } else {
      outbound.append(frame, words);
      expected += bytes;
    }
  };
  add(100, true);
  const auto steps = *rc::gen::inRange(1, 30);
  std::array<iovec, Outbound::kMaxPieces> pieces;
  for (int step = 0; step < steps; ++step) {
    const auto count = outbound.gather(pieces);
    // Frames may be added while these pieces are being written.
    add(*rc::gen::element<std::size_t>(0, 50, 3000, 20'000), false);
    auto take = *rc::gen::inRange<std::size_t>(0, 30'000);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count && take > 0; ++i) {
      const auto n = std::min(take, pieces[i].iov_len);
      written.append(static_cast<const char*>(pieces[i].iov_base), n);
      taken += n;
      take -= n;
    }
    outbound.consume(taken);
    RC_ASSERT(outbound.size_bytes() == expected.size() - written.size());
  }
  while (!outbound.empty()) {
    const auto count = outbound.gather(pieces);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) {
      written.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
      taken += pieces[i].iov_len;
    }
    outbound.consume(taken);
  }
  RC_ASSERT(written == expected);
}

FrameHeader header_of(std::uint64_t protocol, std::uint16_t method, Kind kind = Kind::request) {
  FrameHeader header;
  header.kind = kind;
  header.protocol = protocol;
  header.method = method;
  return header;
}

TEST(Gate, LetsAValidRequestPass) {
  const Gate gate;
  const auto words = Words::build<messages::DescribeRequest>([](auto) {});
  EXPECT_TRUE(gate.check_request(header_of(Component::kId, 0), words).ok());
  EXPECT_TRUE(gate.check_request(header_of(Component::kId, 0), {}).ok());
}

TEST(Gate, KnowsWhatThereIsNot) {
  const Gate gate;
  EXPECT_EQ(gate.check_request(header_of(1, 0), {}).error().code, Errc::UNIMPLEMENTED);
  EXPECT_EQ(gate.check_request(header_of(Component::kId, 999), {}).error().code,
            Errc::UNIMPLEMENTED);
}

TEST(Gate, RefusesInternalMethods) {
  const Gate gate;
  const auto status =
      gate.check_request(header_of(Component::kId, Component::Prepare::kOrdinal), {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::PERMISSION_DENIED);
  EXPECT_EQ(status.error().message, "Component.prepare is for the component's supervisor only");
}

TEST(Gate, RefusesToTellWhatMustBeAsked) {
  const Gate gate;
  EXPECT_EQ(gate.check_request(header_of(Component::kId, 0, Kind::notice), {}).error().code,
            Errc::INVALID_ARGUMENT);
}

// A request is done as it was meant or not at all; an answer is shown as far as it is known.
TEST(Gate, RefusesRequestsWithNewerValuesAndLetsThemPassInAnswers) {
  const Gate gate;
  const auto request = Words::build<messages::SetLogLevelRequest>(
      [](auto out) { out.setLevel(static_cast<messages::LogLevel>(99)); });
  const auto refused = gate.check_request(
      header_of(protocol::LogView::kId, protocol::LogView::SetLevel::kOrdinal), request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::UNIMPLEMENTED);
  EXPECT_EQ(refused.error().field, "level");
  const auto answer = Words::build<messages::DescribeResponse>(
      [](auto out) { out.setState(static_cast<messages::ComponentState>(99)); });
  EXPECT_TRUE(gate.check_response(Component::kId, 0, answer).ok());
}

TEST(Gate, AnErrorCodeThatOnlyANewerPeerKnowsIsAnErrorAllTheSame) {
  const Gate gate;
  Envelope failure = make_failure({}, Error{static_cast<Errc>(99), "too cold", "pool", true});
  EXPECT_TRUE(gate.check_failure(failure.words).ok());
  EXPECT_EQ(read_failure(failure),
            (Error{Errc::INTERNAL, "too cold (error code 99 of a newer release)", "pool", true}));
}

TEST(Gate, RefusesWordsThatPointOutOfTheMessage) {
  const Gate gate;
  auto buffer = kj::heapArray<capnp::word>(1);
  const std::uint64_t far_away = 0x00000001'0fff'fffcULL;
  std::memcpy(static_cast<void*>(buffer.begin()), &far_away, sizeof far_away);
  const std::uint32_t size = 1;
  const auto words = Words::adopt(kj::mv(buffer), {&size, 1});
  EXPECT_EQ(gate.check_request(header_of(Component::kId, 0), words).error().code,
            Errc::INVALID_ARGUMENT);
  EXPECT_EQ(gate.check_response(Component::kId, 0, words).error().code, Errc::DATA_CORRUPT);
  EXPECT_EQ(gate.check_failure(words).error().code, Errc::DATA_CORRUPT);
}

}  // namespace
}  // namespace symphony::runtime
