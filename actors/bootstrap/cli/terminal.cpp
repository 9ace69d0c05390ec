#include "actors/bootstrap/cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "messages/utf8.hpp"

namespace symphony::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// East Asian Width W and F, and emoji, by block (Unicode 15, EastAsianWidth.txt), and the
// combining marks that are common in file names. Near enough for a display.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
constexpr Range kNone[] = {{0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};

template <std::size_t N>
bool within(const Range (&ranges)[N], char32_t point) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
    return point >= range.first && point <= range.last;
  });
}

// REQUIRES: `sequence` is one well-formed UTF-8 sequence.
char32_t code_point(std::string_view sequence) {
  constexpr unsigned char kFirstByteMask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  char32_t point = static_cast<unsigned char>(sequence[0]) & kFirstByteMask[sequence.size()];
  for (const char byte : sequence.substr(1))
    point = point << 6 | (static_cast<unsigned char>(byte) & 0x3f);
  return point;
}

struct Glyph {
  std::string_view bytes;
  int columns;
};

Glyph next_glyph(std::string_view text) {
  const auto length = std::max<std::size_t>(utf8_sequence_length(text), 1);
  const auto bytes = text.substr(0, length);
  if (length == 1) return {bytes, 1};
  const char32_t point = code_point(bytes);
  return {bytes, within(kNone, point) ? 0 : within(kWide, point) ? 2 : 1};
}

// The columns of a line that may hold colours.
int coloured_columns(std::string_view line) {
  std::string plain;
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '\x1b') {
      const auto end = line.find('m', at);
      at = end == std::string_view::npos ? line.size() : end + 1;
      continue;
    }
    plain += line[at++];
  }
  return text_columns(plain);
}

}  // namespace

ScreenSize screen_size(int file_descriptor) {
  winsize size{};
  if (::ioctl(file_descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

bool can_redraw(int file_descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(file_descriptor) != 0 && term != nullptr && *term != '\0' &&
         std::string_view{term} != "dumb";
}

int text_columns(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const auto glyph = next_glyph(text);
    columns += glyph.columns;
    text.remove_prefix(glyph.bytes.size());
  }
  return columns;
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    // C1 controls (U+0080..U+009F) are as dangerous as C0: U+009B is ESC [.
    const bool second_controls =
        length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (length == 0 || second_controls || first < 0x20 || first == 0x7f) {
      if (first == '\n')
        out += "\\n";
      else if (first == '\t')
        out += "\\t";
      else
        out += fmt::format("\\x{:02x}", second_controls ? static_cast<unsigned char>(text[1])
                                                        : static_cast<unsigned>(first));
      text.remove_prefix(std::max<std::size_t>(length, 1));
      continue;
    }
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

std::string tabbed_line(std::string_view text) {
  std::string out;
  for (;;) {
    const auto tab = text.find('\t');
    out += one_line(text.substr(0, tab));
    if (tab == std::string_view::npos) return out;
    out += '\t';
    text.remove_prefix(tab + 1);
  }
}

std::string text_block(std::string_view text, std::string_view indent) {
  std::string out;
  for (;;) {
    const auto newline = text.find('\n');
    out += tabbed_line(text.substr(0, newline));
    if (newline == std::string_view::npos) return out;
    out += '\n';
    out += indent;
    text.remove_prefix(newline + 1);
  }
}

std::string headline(std::string_view text) {
  auto end = text.find('\n');
  std::string out = one_line(text.substr(0, end));
  if (end != std::string_view::npos && out.ends_with(':')) {
    text.remove_prefix(end + 1);
    end = text.find('\n');
    out += ' ' + one_line(text.substr(0, end));
  }
  return end == std::string_view::npos ? out : out + " …";
}

std::string clip(std::string_view text, int columns) {
  if (text_columns(text) <= columns) return std::string{text};
  if (columns <= 0) return {};
  std::string out;
  int used = 0;
  while (!text.empty()) {
    const auto glyph = next_glyph(text);
    if (used + glyph.columns > columns - 1) break;
    out += glyph.bytes;
    used += glyph.columns;
    text.remove_prefix(glyph.bytes.size());
  }
  return out + "…";
}

std::string fit(std::string_view text, int columns) {
  auto out = clip(text, columns);
  const int used = text_columns(out);
  if (used < columns) out.append(static_cast<std::size_t>(columns - used), ' ');
  return out;
}

std::string bar(double fraction, int columns) {
  const double share = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
  const int halves = static_cast<int>(share * columns * 2);  // half a column at a time
  std::string out;
  for (int column = 0; column < columns; ++column)
    out += 2 * column + 1 < halves ? "━" : 2 * column < halves ? "╸" : "─";
  return out;
}

std::string LiveLines::erasure(int columns) const {
  if (drawn_.empty()) return {};
  int rows = 0;  // a line drawn when the terminal was wider has wrapped since
  for (const int line : drawn_) rows += std::max(1, (line + columns - 1) / std::max(columns, 1));
  return fmt::format("\r\x1b[{}A\x1b[J", rows);
}

void LiveLines::draw(const std::vector<std::string>& lines, int columns) {
  columns_ = std::max(columns, 1);
  std::string out = drawn_.empty() ? "\x1b[?25l" : erasure(columns_);
  drawn_.clear();
  for (const auto& line : lines) {
    out += line + "\n";
    drawn_.push_back(coloured_columns(line));
  }
  std::fputs(out.c_str(), out_);
  std::fflush(out_);
}

void LiveLines::clear() {
  if (drawn_.empty()) return;
  std::fputs((erasure(columns_) + "\x1b[?25h").c_str(), out_);
  std::fflush(out_);
  drawn_.clear();
}

void LiveLines::keep() {
  if (drawn_.empty()) return;
  std::fputs("\x1b[?25h", out_);
  std::fflush(out_);
  drawn_.clear();
}

}  // namespace symphony::cli
