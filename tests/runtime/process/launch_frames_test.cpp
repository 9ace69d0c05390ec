#include "runtime/process/launch_frames.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace symphony::runtime {
namespace {

using State = LaunchFrameReader::State;

LaunchFrame any_frame() {
  const auto texts =
      rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
  switch (*rc::gen::inRange(0, 5)) {
    case 0: {
      StartFrame frame{*texts, *texts, *texts, *rc::gen::arbitrary<std::string>(), {}, 0};
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        frame.limits.push_back({*rc::gen::arbitrary<int>(), *rc::gen::arbitrary<std::uint64_t>()});
      frame.grace_ms = *rc::gen::arbitrary<std::uint32_t>();
      return frame;
    }
    case 1:
      return EndFrame{*rc::gen::arbitrary<std::uint32_t>()};
    case 2:
      return FailedFrame{static_cast<StartStep>(*rc::gen::inRange(1, 5)),
                         *rc::gen::arbitrary<std::int32_t>()};
    case 3:
      return ExitedFrame{*rc::gen::arbitrary<std::int32_t>(),  *rc::gen::arbitrary<std::int32_t>(),
                         *rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>(),
                         *rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<bool>(),
                         *rc::gen::arbitrary<bool>()};
    default:
      return GoneFrame{};
  }
}

RC_GTEST_PROP(LaunchFramesProperty, ArriveAsTheyWereSentInPiecesOfAnySize, ()) {
  std::vector<LaunchFrame> sent;
  std::string bytes;
  for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
    sent.push_back(any_frame());
    bytes += encode(sent.back());
  }
  LaunchFrameReader reader;
  std::vector<LaunchFrame> received;
  LaunchFrame frame;
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(bytes.size(), *rc::gen::inRange(1, 64));
    reader.feed(bytes.substr(0, size));
    bytes.erase(0, size);
    while (reader.next(frame) == State::frame) received.push_back(frame);
  }
  RC_ASSERT(received == sent);
  RC_ASSERT(reader.next(frame) == State::incomplete);
}

RC_GTEST_PROP(LaunchFramesProperty, ThatWereTamperedWithAreReadOrRefusedAndNeverMore, ()) {
  std::string bytes = encode(any_frame());
  bytes[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(bytes.size())))] =
      static_cast<char>(*rc::gen::arbitrary<char>());
  LaunchFrameReader reader;
  reader.feed(bytes);
  LaunchFrame frame;
  if (reader.next(frame) != State::frame) return;
  // What is accepted is said the same way again.
  RC_ASSERT(bytes.starts_with(encode(frame)));
}

TEST(LaunchFrames, RefuseALengthBeyondTheLimitBeforeTheRestIsThere) {
  std::string bytes("\x01\xFF\xFF\xFF\x7F", 5);
  LaunchFrameReader reader;
  reader.feed(bytes);
  LaunchFrame frame;
  EXPECT_EQ(reader.next(frame), State::broken);
  reader.feed(encode(GoneFrame{}));
  EXPECT_EQ(reader.next(frame), State::broken) << "what follows nonsense is none the better";
}

TEST(LaunchFrames, RefuseKindsThatDoNotExistAndBytesTooMany) {
  for (const std::string_view bytes :
       {std::string_view("\x09\0\0\0\0", 5), std::string_view("\x05\x01\0\0\0x", 6),
        std::string_view("\x03\x05\0\0\0\x00\0\0\0\0", 10),
        std::string_view("\x03\x05\0\0\0\x05\0\0\0\0", 10)}) {
    LaunchFrameReader reader;
    reader.feed(bytes);
    LaunchFrame frame;
    EXPECT_EQ(reader.next(frame), State::broken);
  }
}

}  // namespace
}  // namespace symphony::runtime
