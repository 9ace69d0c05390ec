#include "runtime/link/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <cstring>

#include "tests/support/sanitized.hpp"

namespace symphony::runtime {
namespace {

using Bytes = std::vector<std::byte>;

Words words_of(const std::vector<std::vector<std::uint64_t>>& segments) {
  std::vector<std::uint32_t> sizes;
  std::size_t total = 0;
  for (const auto& segment : segments) {
    sizes.push_back(static_cast<std::uint32_t>(segment.size()));
    total += segment.size();
  }
  auto buffer = kj::heapArray<capnp::word>(total);
  auto* at = reinterpret_cast<std::byte*>(buffer.begin());
  for (const auto& segment : segments) {
    if (!segment.empty()) std::memcpy(at, segment.data(), segment.size() * 8);
    at += segment.size() * 8;
  }
  return Words::adopt(kj::mv(buffer), sizes);
}

Bytes bytes_of(const Words& words) {
  Bytes out;
  for (const auto& segment : words.segments()) {
    const auto bytes = segment.asBytes();
    const auto* from = reinterpret_cast<const std::byte*>(bytes.begin());
    out.insert(out.end(), from, from + bytes.size());
  }
  return out;
}

std::vector<std::size_t> sizes_of(const Words& words) {
  std::vector<std::size_t> out;
  for (const auto& segment : words.segments()) out.push_back(segment.size());
  return out;
}

Bytes encoded(const FrameHeader& header, std::string_view target, const Words& words) {
  EncodedFrame frame;
  const auto status = frame.encode(header, target, words);
  EXPECT_TRUE(status.ok());
  Bytes out;
  for (const auto& piece : frame.pieces()) {
    const auto* from = static_cast<const std::byte*>(piece.iov_base);
    out.insert(out.end(), from, from + piece.iov_len);
  }
  EXPECT_EQ(out.size(), frame.size_bytes());
  return out;
}

// Feeds `bytes` in pieces of `piece` bytes; stops at the first error.
struct Decoded {
  std::vector<Frame> frames;
  std::optional<Error> error;
};

template <class PieceSize>
Decoded decode(FrameDecoder& decoder, std::span<const std::byte> bytes, PieceSize piece_size) {
  Decoded out;
  while (true) {
    for (;;) {
      auto frame = decoder.next();
      if (!frame) {
        out.error = frame.error();
        return out;
      }
      if (!frame->has_value()) break;
      out.frames.push_back(std::move(**frame));
    }
    if (bytes.empty()) return out;
    const auto space = decoder.space();
    EXPECT_FALSE(space.empty());
    const auto n = std::min({space.size(), bytes.size(), std::size_t{piece_size()}});
    std::memcpy(space.data(), bytes.data(), n);
    decoder.commit(n);
    bytes = bytes.subspan(n);
  }
}

Decoded decode_whole(std::span<const std::byte> bytes, std::size_t max = kMaxFrameBytes) {
  FrameDecoder decoder{max};
  return decode(decoder, bytes, [] { return std::size_t{1} << 20; });
}

FrameHeader a_header() {
  return {Kind::request, 7, 0x1122334455667788, 0x99aabbccddeeff00, 5'000'000, {1, 2, 3}};
}

template <class T>
void poke(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

TEST(Frame, SegmentsAreSentFromWhereTheyLie) {
  const auto words = words_of({{1, 2, 3}, {4}});
  EncodedFrame frame;
  ASSERT_TRUE(frame.encode(a_header(), "/pit/pool", words).ok());
  ASSERT_EQ(frame.pieces().size(), 3u);
  EXPECT_EQ(frame.pieces()[1].iov_base, words.segments()[0].begin());
  EXPECT_EQ(frame.pieces()[2].iov_base, words.segments()[1].begin());
}

TEST(Frame, HasTheDocumentedLayout) {
  const auto bytes = encoded(a_header(), "/a", words_of({{0xabcdef}}));
  ASSERT_EQ(bytes.size(), 64u + 8 + 8 + 8);
  EXPECT_EQ(std::to_integer<int>(bytes[0]), 88);
  EXPECT_EQ(std::to_integer<int>(bytes[5]), 2);
  EXPECT_EQ(std::to_integer<int>(bytes[6]), 7);
  EXPECT_EQ(std::to_integer<int>(bytes[8]), 0x88);
  EXPECT_EQ(std::to_integer<int>(bytes[56]), 1);
  EXPECT_EQ(std::to_integer<char>(bytes[64]), '/');
  EXPECT_EQ(std::to_integer<int>(bytes[72]), 1);
  EXPECT_EQ(std::to_integer<int>(bytes[80]), 0xef);
}

RC_GTEST_PROP(Frame, ComesBackAsItWasWhateverThePiecesItArrivesIn, ()) {
  struct Sent {
    FrameHeader header;
    std::string target;
    Words words;
  };
  std::vector<Sent> sent;
  Bytes stream;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    Sent one;
    one.header.kind = static_cast<Kind>(*rc::gen::inRange(0, 5));
    one.header.method = *rc::gen::arbitrary<std::uint16_t>();
    one.header.correlation = *rc::gen::arbitrary<std::uint64_t>();
    one.header.protocol = *rc::gen::arbitrary<std::uint64_t>();
    one.header.remaining_ns = *rc::gen::arbitrary<std::uint64_t>();
    one.header.trace = {*rc::gen::arbitrary<std::uint64_t>(), 5, 6};
    const auto target_size = *rc::gen::inRange<std::size_t>(0, kMaxTargetBytes + 1);
    one.target = *rc::gen::container<std::string>(target_size, rc::gen::inRange<char>(0x21, 0x7f));
    one.words = words_of(*rc::gen::arbitrary<std::vector<std::vector<std::uint64_t>>>());
    const auto bytes = encoded(one.header, one.target, one.words);
    stream.insert(stream.end(), bytes.begin(), bytes.end());
    sent.push_back(std::move(one));
  }
  const auto pieces = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 300)));
  std::size_t next_piece = 0;
  FrameDecoder decoder;
  const auto got = decode(decoder, stream, [&] { return pieces[next_piece++ % pieces.size()]; });
  RC_ASSERT(!got.error.has_value());
  RC_ASSERT(got.frames.size() == sent.size());
  RC_ASSERT(!decoder.inside_frame());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    RC_ASSERT(got.frames[i].header == sent[i].header);
    RC_ASSERT(got.frames[i].target == sent[i].target);
    RC_ASSERT(sizes_of(got.frames[i].words) == sizes_of(sent[i].words));
    RC_ASSERT(bytes_of(got.frames[i].words) == bytes_of(sent[i].words));
  }
}

RC_GTEST_PROP(Frame, FlippedBitsGiveAnErrorOrAnotherCanonicalFrame, ()) {
  auto bytes = encoded(a_header(), "/orchestration/engine", words_of({{1, 2}, {3}, {}}));
  const auto flips = *rc::gen::inRange(1, 4);
  for (int i = 0; i < flips; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    bytes[at] ^= std::byte(1 << *rc::gen::inRange(0, 8));
  }
  for (const auto& frame : decode_whole(bytes, 4096).frames) {
    const auto again = encoded(frame.header, frame.target, frame.words);
    RC_ASSERT(std::equal(again.begin(), again.end(), bytes.begin()));
  }
}

TEST(Frame, OfSeveralMegabytesIsReadIntoPlaceAndFollowedByTheNext) {
  const auto large = words_of({std::vector<std::uint64_t>(1 << 18, 42), {7}});
  auto stream = encoded(a_header(), "/store", large);
  const auto small = encoded(a_header(), "/next", words_of({{9}}));
  stream.insert(stream.end(), small.begin(), small.end());
  for (const std::size_t piece : {1000u, 65'537u, 1u << 20}) {
    FrameDecoder decoder;
    const auto got = decode(decoder, stream, [&] { return piece; });
    ASSERT_FALSE(got.error.has_value());
    ASSERT_EQ(got.frames.size(), 2u);
    EXPECT_EQ(bytes_of(got.frames[0].words), bytes_of(large));
    EXPECT_EQ(got.frames[1].target, "/next");
  }
}

TEST(Frame, LargerThanTheLimitIsRefusedFromItsHeaderAlone) {
  auto bytes = encoded(a_header(), "/a", words_of({{1}}));
  poke<std::uint32_t>(bytes, 0, 0xfffffff8);
  const auto got = decode_whole(std::span{bytes}.first(kFrameHeaderBytes));
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->code, Errc::DATA_CORRUPT);
  EXPECT_NE(got.error->message.find("4294967288 bytes, the limit is 16777216"), std::string::npos);
}

TEST(Frame, LargerThanTheLimitIsNotSent) {
  EncodedFrame frame;
  const auto status = frame.encode(a_header(), "/a", words_of({std::vector<std::uint64_t>(200, 1)}),
                                   /*max_frame_bytes=*/1024);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::RESOURCE_EXHAUSTED);
}

TEST(Frame, ThatIsNotAdmittedWaitsWithoutMemoryUntilItIs) {
  auto stream = encoded(a_header(), "/a", words_of({std::vector<std::uint64_t>(100'000, 42)}));
  const auto next = encoded(a_header(), "/b", {});
  stream.insert(stream.end(), next.begin(), next.end());
  bool open = false;
  std::vector<std::size_t> asked;
  FrameDecoder decoder{kMaxFrameBytes, [&](const FrameHeader& header, std::size_t frame_bytes) {
                         EXPECT_EQ(header, a_header());
                         asked.push_back(frame_bytes);
                         return FrameDecoder::Admission{.now = open, .with_words = {}};
                       }};
  const auto head = kFrameHeaderBytes + 16;
  ASSERT_TRUE(decode(decoder, std::span{stream}.first(head), [&] { return head; }).frames.empty());
  EXPECT_TRUE(decoder.held_back());
  EXPECT_EQ(asked, std::vector<std::size_t>{stream.size() - next.size()});
  ASSERT_FALSE(decoder.next()->has_value());
  EXPECT_EQ(asked.size(), 2u);
  open = true;
  ASSERT_FALSE(decoder.next()->has_value());
  EXPECT_FALSE(decoder.held_back());
  const auto got =
      decode(decoder, std::span{stream}.subspan(head), [] { return std::size_t{50'000}; });
  ASSERT_EQ(got.frames.size(), 2u);
  EXPECT_EQ(got.frames[0].words.size_bytes(), 800'000u);
  EXPECT_EQ(asked.size(), 4u) << "once for each frame, when it is admitted";
}

TEST(Frame, HoldsWhatItWasAdmittedWithAsLongAsItsWords) {
  auto token = std::make_shared<int>();
  const std::weak_ptr<int> held = token;
  FrameDecoder decoder{kMaxFrameBytes, [&](const FrameHeader&, std::size_t) {
                         return FrameDecoder::Admission{.now = true,
                                                        .with_words = std::move(token)};
                       }};
  auto got = decode(decoder, encoded(a_header(), "/a", words_of({{1, 2, 3}})),
                    [] { return std::size_t{1000}; });
  ASSERT_EQ(got.frames.size(), 1u);
  auto words = got.frames[0].words;
  got.frames.clear();
  EXPECT_FALSE(held.expired());
  EXPECT_EQ(words.segments()[0].size(), 3u);
  words = Words{};
  EXPECT_TRUE(held.expired());
}

TEST(Frame, ForWhichThereIsNoMemoryEndsTheStreamAndNotTheProcess) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers take more address space than may be left";
  auto bytes = encoded(a_header(), "/a", words_of({{1}}));
  constexpr std::uint32_t kHuge = 0xfffffff8;
  poke<std::uint32_t>(bytes, 0, kHuge);
  poke<std::uint32_t>(bytes, 72, (kHuge - 80) / 8);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  auto limit = before;
  limit.rlim_cur = std::size_t{3} << 30;
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  const auto got = decode_whole(bytes, kHuge);
  ::setrlimit(RLIMIT_AS, &before);
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(got.error->retryable);
}

TEST(Frame, WhoseSegmentsDoNotAddUpIsRefused) {
  for (const std::uint32_t claimed : {0u, 2u, 0xffffffffu}) {
    auto bytes = encoded(a_header(), "/a", words_of({{1}}));
    poke(bytes, 72, claimed);
    EXPECT_TRUE(decode_whole(bytes).error.has_value()) << claimed;
  }
}

TEST(Frame, WithAnythingOutOfPlaceIsRefused) {
  const auto good = encoded(a_header(), "/a", words_of({{1}}));
  const std::vector<std::pair<std::size_t, std::uint8_t>> wrong = {
      {0, 80},    // shorter than its parts
      {0, 87},    // not whole words
      {4, 5},     // unknown kind
      {57, 255},  // too many segments
      {58, 1},    // reserved
      {64, ' '},  // not a name
      {70, 1},    // padding of the name
      {77, 1},    // padding of the table
  };
  for (const auto& [at, value] : wrong) {
    auto bytes = good;
    poke(bytes, at, value);
    EXPECT_TRUE(decode_whole(bytes).error.has_value()) << "byte " << at;
  }
  EXPECT_FALSE(decode_whole(good).error.has_value());
}

TEST(Frame, DecoderStaysBrokenAfterAnError) {
  FrameDecoder decoder;
  const Bytes garbage(kFrameHeaderBytes, std::byte{0xff});
  const auto all = [] { return std::size_t{1} << 20; };
  EXPECT_TRUE(decode(decoder, garbage, all).error.has_value());
  EXPECT_TRUE(decode(decoder, encoded(a_header(), "/a", words_of({{1}})), all).error.has_value());
}

TEST(Frame, RefusesANameThatIsNoName) {
  EncodedFrame frame;
  EXPECT_FALSE(frame.encode(a_header(), "two words", {}).ok());
  EXPECT_FALSE(frame.encode(a_header(), std::string(256, 'a'), {}).ok());
  EXPECT_TRUE(frame.encode(a_header(), std::string(255, 'a'), {}).ok());
}

}  // namespace
}  // namespace symphony::runtime
