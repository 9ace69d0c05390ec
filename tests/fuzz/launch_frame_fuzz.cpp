// Any bytes, in pieces of any size: the reader neither crashes nor takes more than its limit, and
// every frame it gives has exactly the encoding it came from.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "runtime/process/launch_frames.hpp"

using symphony::runtime::LaunchFrame;
using symphony::runtime::LaunchFrameReader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + data[0];
  const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  LaunchFrameReader reader;
  std::size_t consumed = 0;
  for (std::size_t fed = 0; fed < stream.size(); fed += piece) {
    reader.feed(stream.substr(fed, piece));
    LaunchFrame frame;
    while (reader.next(frame) == LaunchFrameReader::State::frame) {
      const std::string again = symphony::runtime::encode(frame);
      if (stream.substr(consumed, again.size()) != again) std::abort();
      consumed += again.size();
    }
  }
  return 0;
}
