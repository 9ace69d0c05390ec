// Text on a terminal: how wide it is, and lines that are redrawn in place.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace symphony::cli {

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};
// Of the terminal behind a file descriptor; 80 × 24 when it does not tell.
ScreenSize screen_size(int file_descriptor);

// Whether lines can be redrawn there: a terminal that understands escape sequences.
bool can_redraw(int file_descriptor);

// ---- text, pure ---------------------------------------------------------------------------------

// Columns that valid UTF-8 text without escape sequences takes: two for East Asian wide characters
// and emoji, none for combining marks.
int text_columns(std::string_view text);

// Text that comes from elsewhere, on one line and harmless to a terminal: control characters become
// \n, \t and \xNN, bytes that are not UTF-8 become \xNN.
std::string one_line(std::string_view text);

// The same, with tabs left as they are.
std::string tabbed_line(std::string_view text);

// Text of several lines, each harmless to a terminal and, but for the first, indented.
std::string text_block(std::string_view text, std::string_view indent);

// Of such text what fits into a list: its first line, with the second when the first announces it
// by a colon, and … when there is more.
std::string headline(std::string_view text);

// The beginning of the text, with … at its end when it is wider than `columns`.
std::string clip(std::string_view text, int columns);

// Clipped or padded with spaces to exactly `columns`.
std::string fit(std::string_view text, int columns);

// "━━━━━━╸─────": `fraction` (0 to 1) of `columns`.
std::string bar(double fraction, int columns);

// ---- redrawing ----------------------------------------------------------------------------------

// Lines at the bottom of a terminal that are drawn again and again in place. The cursor is hidden
// as long as any are there. One thread.
class LiveLines {
 public:
  explicit LiveLines(std::FILE* out) : out_(out) {}
  ~LiveLines() { clear(); }
  LiveLines(const LiveLines&) = delete;
  LiveLines& operator=(const LiveLines&) = delete;

  // Replaces what was drawn. Lines may hold colours; none may be wider than `columns`.
  void draw(const std::vector<std::string>& lines, int columns);
  // Takes the lines off the screen and gives the cursor back.
  void clear();
  // Leaves the lines where they are and gives the cursor back.
  void keep();

 private:
  std::string erasure(int columns) const;

  std::FILE* out_;
  std::vector<int> drawn_;  // the columns each line took
  int columns_ = 80;
};

}  // namespace symphony::cli
