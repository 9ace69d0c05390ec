// A writer of chart SVG: escaped, deterministic, readable on dark and light.
//
// Colours are CSS custom properties with a fallback (--chart-1 … --chart-8, --chart-grid) and
// currentColor for text, so that the page that embeds a chart decides on its theme. There is no
// script and no style sheet in it, and nothing from outside. Coordinates are in CSS pixels of the
// view box, written with at most two decimals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace symphony::extensions {

inline constexpr std::size_t kPaletteSize = 8;
inline constexpr double kChartFontPx = 12;

// "var(--chart-3, #…)" for any index, going round.
std::string palette_colour(std::size_t index);

// Width that `text` is likely to take in a sans-serif font of this size.
double text_width(std::string_view text, double font_px = kChartFontPx);
// `text` cut to fit, with an ellipsis; empty when not even two letters fit.
std::string fit_text(std::string_view text, double width, double font_px = kChartFontPx);

// Character data that is valid XML: markup escaped, control characters and what is not UTF-8
// replaced.
std::string escape_xml(std::string_view text);

enum class Anchor { start, middle, end };

struct TextStyle {
  Anchor anchor = Anchor::start;
  double font_px = kChartFontPx;
  double opacity = 1;
  bool strong = false;
  std::string_view fill = "currentColor";
};

class SvgWriter {
 public:
  // `id` makes the title's and description's ids unique in a page.
  SvgWriter(double width, double height, std::string_view id, std::string_view title,
            std::string_view description);

  // Everything until end_group() belongs together and shows `tooltip`, also to screen readers.
  void begin_group(std::string_view tooltip);
  void end_group();
  void rectangle(double x, double y, double width, double height, double radius,
                 std::string_view fill, double opacity = 1);
  void circle(double x, double y, double radius, std::string_view fill, double opacity);
  void path(std::string_view data, std::string_view fill);
  void grid_line(double x1, double y1, double x2, double y2);
  void text(double x, double y, std::string_view text, const TextStyle& style = {});
  std::string finish() &&;

 private:
  std::string out_;
};

// 12.5, 3, -0.25: no exponent, no trailing zeros, no negative zero.
std::string svg_number(double value);

}  // namespace symphony::extensions
