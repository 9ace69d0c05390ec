// Pieces of what several programs print at once, as lines for a person.
//
// With names in front a line is whole before it is shown, so that two programs do not write into
// one another's lines. For one node alone, bytes are passed on as they come, unless a terminal
// reads them: to it, whatever is not text is harmless. Pure but for its memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace symphony::cli {

class OutputLines {
 public:
  struct Piece {
    std::string node;
    std::int64_t started_ns = 0;
    bool err = false;
    std::uint64_t offset = 0;
    std::string_view data;
  };
  // A line that goes on and on is shown in parts of this size.
  static constexpr std::size_t kLineBytesMax = std::size_t{64} << 10;

  OutputLines(bool named, bool terminal) : named_(named), terminal_(terminal) {}

  // What is to be printed now.
  std::string add(const Piece& piece);
  // Lines whose end never came.
  std::string finish();

 private:
  struct Stream {
    std::int64_t started_ns = 0;
    std::uint64_t seen = 0;  // bytes of this attempt
    std::string rest;        // of a line
  };
  void put_lines(std::string& out, const std::string& node, Stream& stream, bool all);
  void put_line(std::string& out, const std::string& node, std::string_view line) const;
  void note(std::string& out, const std::string& node, const std::string& text) const;

  const bool named_;
  const bool terminal_;
  std::map<std::pair<std::string, bool>, Stream> streams_;
};

}  // namespace symphony::cli
