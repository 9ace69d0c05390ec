#include "runtime/process/launch_frames.hpp"

#include <limits>
#include <type_traits>
#include <utility>

namespace symphony::runtime {
namespace {

constexpr std::size_t kHeaderBytes = 5;

enum class Kind : std::uint8_t { start = 1, end, failed, exited, gone };

class Writer {
 public:
  explicit Writer(Kind kind) {
    bytes_.push_back(static_cast<char>(kind));
    bytes_.append(4, '\0');
  }

  template <class T>
  Writer& number(T value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof bits; ++i)
      bytes_.push_back(static_cast<char>(static_cast<std::uint64_t>(bits) >> (8 * i) & 0xFF));
    return *this;
  }
  Writer& flag(bool value) { return number(std::uint8_t{value}); }
  Writer& text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  Writer& texts(const std::vector<std::string>& list) {
    number(static_cast<std::uint32_t>(list.size()));
    for (const auto& one : list) text(one);
    return *this;
  }
  std::string seal() && {
    const std::size_t length = bytes_.size() - kHeaderBytes;
    for (std::size_t i = 0; i < 4; ++i) bytes_[1 + i] = static_cast<char>(length >> (8 * i) & 0xFF);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    using Bits = std::make_unsigned_t<T>;
    if (bytes_.size() < sizeof(Bits)) {
      fail();
      return {};
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(Bits); ++i)
      bits |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    bytes_.remove_prefix(sizeof(Bits));
    return static_cast<T>(static_cast<Bits>(bits));
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    if (value > 1) fail();
    return value == 1;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (size > bytes_.size()) {
      fail();
      return {};
    }
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> list;
    for (auto count = number<std::uint32_t>(); count > 0 && good_; --count) list.push_back(text());
    return list;
  }
  void fail() {
    good_ = false;
    bytes_ = {};
  }
  // Everything was there, and nothing more.
  bool done() const { return good_ && bytes_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

StartFrame read_start(Reader& in) {
  StartFrame frame;
  frame.candidates = in.texts();
  frame.arguments = in.texts();
  frame.environment = in.texts();
  frame.directory = in.text();
  for (auto count = in.number<std::uint32_t>(); count > 0 && in.good(); --count) {
    ResourceLimit limit;
    limit.resource = in.number<std::int32_t>();
    limit.value = in.number<std::uint64_t>();
    frame.limits.push_back(limit);
  }
  frame.grace_ms = in.number<std::uint32_t>();
  return frame;
}

FailedFrame read_failed(Reader& in) {
  FailedFrame frame;
  const auto step = in.number<std::uint8_t>();
  if (step < static_cast<std::uint8_t>(StartStep::fork) ||
      step > static_cast<std::uint8_t>(StartStep::execute))
    in.fail();
  frame.step = static_cast<StartStep>(step);
  frame.error_number = in.number<std::int32_t>();
  return frame;
}

ExitedFrame read_exited(Reader& in) {
  ExitedFrame frame;
  frame.exit_code = in.number<std::int32_t>();
  frame.signal = in.number<std::int32_t>();
  frame.user_us = in.number<std::uint64_t>();
  frame.system_us = in.number<std::uint64_t>();
  frame.max_resident_bytes = in.number<std::uint64_t>();
  frame.alone = in.flag();
  frame.orphaned = in.flag();
  return frame;
}

std::optional<LaunchFrame> decode(std::uint8_t kind, std::string_view payload) {
  Reader in(payload);
  LaunchFrame frame;
  switch (static_cast<Kind>(kind)) {
    case Kind::start:
      frame = read_start(in);
      break;
    case Kind::end:
      frame = EndFrame{in.number<std::uint32_t>()};
      break;
    case Kind::failed:
      frame = read_failed(in);
      break;
    case Kind::exited:
      frame = read_exited(in);
      break;
    case Kind::gone:
      frame = GoneFrame{};
      break;
    default:
      return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  return frame;
}

struct Encoder {
  std::string operator()(const StartFrame& frame) const {
    Writer out(Kind::start);
    out.texts(frame.candidates).texts(frame.arguments).texts(frame.environment);
    out.text(frame.directory).number(static_cast<std::uint32_t>(frame.limits.size()));
    for (const ResourceLimit& limit : frame.limits)
      out.number(std::int32_t{limit.resource}).number(limit.value);
    return std::move(out.number(frame.grace_ms)).seal();
  }
  std::string operator()(const EndFrame& frame) const {
    return std::move(Writer(Kind::end).number(frame.grace_ms)).seal();
  }
  std::string operator()(const FailedFrame& frame) const {
    return std::move(Writer(Kind::failed)
                         .number(static_cast<std::uint8_t>(frame.step))
                         .number(frame.error_number))
        .seal();
  }
  std::string operator()(const ExitedFrame& frame) const {
    return std::move(Writer(Kind::exited)
                         .number(frame.exit_code)
                         .number(frame.signal)
                         .number(frame.user_us)
                         .number(frame.system_us)
                         .number(frame.max_resident_bytes)
                         .flag(frame.alone)
                         .flag(frame.orphaned))
        .seal();
  }
  std::string operator()(const GoneFrame&) const { return Writer(Kind::gone).seal(); }
};

}  // namespace

std::string encode(const LaunchFrame& frame) { return std::visit(Encoder{}, frame); }

LaunchFrameReader::State LaunchFrameReader::next(LaunchFrame& frame) {
  if (broken_) return State::broken;
  const std::string_view rest = std::string_view(buffer_).substr(read_);
  if (rest.size() < kHeaderBytes) return State::incomplete;
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= std::size_t{static_cast<unsigned char>(rest[1 + i])} << (8 * i);
  if (length > kLaunchFrameBytesMax) {
    broken_ = true;
    return State::broken;
  }
  if (rest.size() < kHeaderBytes + length) return State::incomplete;
  auto decoded = decode(static_cast<std::uint8_t>(rest[0]), rest.substr(kHeaderBytes, length));
  if (!decoded) {
    broken_ = true;
    return State::broken;
  }
  frame = std::move(*decoded);
  read_ += kHeaderBytes + length;
  if (read_ == buffer_.size()) {
    buffer_.clear();
    read_ = 0;
  }
  return State::frame;
}

}  // namespace symphony::runtime
