#include "actors/bootstrap/cli/output_lines.hpp"

#include "actors/bootstrap/cli/terminal.hpp"

namespace symphony::cli {

std::string OutputLines::add(const Piece& piece) {
  std::string out;
  Stream& stream = streams_[{piece.node, piece.err}];
  if (stream.started_ns != piece.started_ns) {
    put_lines(out, piece.node, stream, true);
    if (stream.started_ns != 0) note(out, piece.node, "another attempt");
    stream = {.started_ns = piece.started_ns, .seen = 0, .rest = {}};
  }
  if (piece.offset > stream.seen) {
    put_lines(out, piece.node, stream, true);
    note(out, piece.node, std::to_string(piece.offset - stream.seen) + " bytes were cut");
  }
  stream.seen = piece.offset + piece.data.size();
  if (!named_ && !terminal_) return out.append(piece.data);
  stream.rest.append(piece.data);
  put_lines(out, piece.node, stream, false);
  return out;
}

std::string OutputLines::finish() {
  std::string out;
  for (auto& [key, stream] : streams_) put_lines(out, key.first, stream, true);
  return out;
}

void OutputLines::put_lines(std::string& out, const std::string& node, Stream& stream, bool all) {
  std::string_view rest = stream.rest;
  for (;;) {
    const auto newline = rest.find('\n');
    const bool whole = newline != std::string_view::npos;
    if (!whole && rest.size() < kLineBytesMax && !(all && !rest.empty())) break;
    put_line(out, node, rest.substr(0, newline));
    rest.remove_prefix(whole ? newline + 1 : rest.size());
  }
  stream.rest.erase(0, stream.rest.size() - rest.size());
}

void OutputLines::put_line(std::string& out, const std::string& node, std::string_view line) const {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (named_) out += one_line(node) + " | ";
  out += terminal_ ? tabbed_line(line) : std::string(line);
  out += '\n';
}

void OutputLines::note(std::string& out, const std::string& node, const std::string& text) const {
  if (named_) out += one_line(node) + " | ";
  out += "[... " + text + " ...]\n";
}

}  // namespace symphony::cli
