#include "messages/words.hpp"

#include <gtest/gtest.h>

#include "messages/call.hpp"
#include "messages/component.capnp.h"
#include "messages/envelope.hpp"

namespace symphony {
namespace {

using messages::DescribeResponse;

TEST(Words, TheReceiverReadsTheSendersVeryWords) {
  const auto words = Words::build<DescribeResponse>([](auto builder) { builder.setName("/x"); });
  const Words received = words;
  const Msg<DescribeResponse> message{received};
  const auto* sent = words.segments()[0].begin();
  const auto* text = reinterpret_cast<const capnp::word*>(message->getName().begin());
  EXPECT_GE(text, sent);
  EXPECT_LT(text, sent + words.segments()[0].size());
}

TEST(Words, LargeMessagesGrowBeyondTheInlineSegment) {
  const std::string large(100'000, 'x');
  const auto words = Words::build<DescribeResponse>([&](auto builder) { builder.setName(large); });
  EXPECT_GT(words.segments().size(), 1u);
  EXPECT_EQ(
      Msg<DescribeResponse> { words } -> getName().size(), large.size());
}

TEST(Words, SegmentsGrowWithTheMessageSoThatEveryMessageHasFew) {
  const std::string piece(1'000, 'x');
  std::size_t before = 0;
  for (const unsigned pieces : {200u, 2'000u, 20'000u}) {
    const auto words = Words::build<messages::ComponentStats>([&](auto builder) {
      auto errors = builder.initLastErrors(pieces);
      for (unsigned i = 0; i < pieces; ++i) errors.set(i, piece);
    });
    EXPECT_GE(words.size_bytes(), pieces * piece.size());
    // Ten times the size is four doublings.
    EXPECT_LE(words.segments().size(), before == 0 ? 16 : before + 5) << pieces;
    before = words.segments().size();
  }
}

TEST(Words, AMessageStaysReadableWhenItIsMoved) {
  auto message = Msg<DescribeResponse>::build([](auto builder) { builder.setName("/pit"); });
  const auto reader = *message;
  const Msg<DescribeResponse> moved = std::move(message);
  EXPECT_STREQ(reader.getName().cStr(), "/pit");
}

TEST(Envelope, FailuresKeepEveryPartOfTheError) {
  Header request;
  request.correlation = 9;
  const Error error{Errc::OVERLOADED, "the mailbox is full", "x", true};
  const Envelope failure = make_failure(request, error);
  EXPECT_EQ(failure.header.correlation, 9u);
  EXPECT_EQ(read_failure(failure), error);
}

struct Describe {
  using Request = messages::DescribeRequest;
  using Response = messages::DescribeResponse;
};

struct Recorder : Responder {
  explicit Recorder(std::string& log) : log_(&log) {}
  void respond(Envelope answer) noexcept override {
    *log_ += answer.header.kind == Kind::failure ? "failure" : "response";
  }
  void abandon(const Header&) noexcept override { *log_ += "abandoned"; }
  std::string* log_;
};

Call<Describe> make_call(std::string& log) {
  const auto request = Words::build<messages::DescribeRequest>([](auto) {});
  return Call<Describe>{Incoming{Envelope{{}, request}, std::make_unique<Recorder>(log)}};
}

TEST(Call, IsAnsweredExactlyOnceHoweverItEnds) {
  std::string replied, failed, dropped, moved;
  make_call(replied).reply([](auto response) { response.setName("/x"); });
  make_call(failed).fail({Errc::NOT_FOUND, "gone"});
  { const auto call = make_call(dropped); }
  {
    auto first = make_call(moved);
    auto second = std::move(first);
    EXPECT_FALSE(first.open());
    second.reply();
  }
  EXPECT_EQ(replied, "response");
  EXPECT_EQ(failed, "failure");
  EXPECT_EQ(dropped, "abandoned");
  EXPECT_EQ(moved, "response");
}

}  // namespace
}  // namespace symphony
