#include "extensions/operators/chart/svg.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

namespace {

// Mid-tones that keep at least 3:1 against white and near-black.
constexpr std::array<std::string_view, kPaletteSize> kPalette = {
    "#4f7df3", "#0fa392", "#d9850b", "#dd4f86", "#8b62f0", "#3c9a4e", "#e2603f", "#6b7c93"};

std::string_view name_of(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

std::string palette_colour(std::size_t index) {
  const std::size_t at = index % kPaletteSize;
  return "var(--chart-" + std::to_string(at + 1) + ", " + std::string(kPalette[at]) + ")";
}

double text_width(std::string_view text, double font_px) {
  double width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence_length(text, i);
    const char c = text[i];
    // Beyond U+2E80 mostly ideographs, a full em wide.
    if (length >= 3 && static_cast<unsigned char>(c) >= 0xE2 && !(text.substr(i, 3) == "\u2026")) {
      width += 1;
    } else if (std::string_view("iljtfI.,:;'|!()[]{} /-").find(c) != std::string_view::npos) {
      width += 0.34;
    } else if (std::string_view("mwMW@%").find(c) != std::string_view::npos) {
      width += 0.9;
    } else {
      width += c >= 'A' && c <= 'Z' ? 0.68 : 0.58;
    }
    i += length == 0 ? 1 : length;
  }
  return width * font_px;
}

std::string fit_text(std::string_view text, double width, double font_px) {
  if (text_width(text, font_px) <= width) return std::string(text);
  const double room = width - text_width("\u2026", font_px);
  std::size_t end = 0;
  std::size_t letters = 0;
  for (std::size_t i = 0; i < text.size(); ++letters) {
    const std::size_t length = utf8_sequence_length(text, i);
    i += length == 0 ? 1 : length;
    if (text_width(text.substr(0, i), font_px) > room) break;
    end = i;
  }
  if (letters < 2) return {};
  return std::string(text.substr(0, end)) + "\u2026";
}

std::string escape_xml(std::string_view text) {
  const std::string clean = to_utf8_lossy(text);
  std::string out;
  out.reserve(clean.size() + clean.size() / 8);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else if (clean.compare(i, 3, "\xEF\xBF\xBE") == 0 ||
               clean.compare(i, 3, "\xEF\xBF\xBF") == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFE and U+FFFF are no XML characters
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string svg_number(double value) {
  if (!std::isfinite(value)) value = 0;
  char buffer[350];
  const int length = std::snprintf(buffer, sizeof buffer, "%.2f", value);
  std::string text(buffer, static_cast<std::size_t>(length));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

SvgWriter::SvgWriter(double width, double height, std::string_view id, std::string_view title,
                     std::string_view description) {
  const std::string name = escape_xml(id);
  out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + svg_number(width) + " " +
         svg_number(height) + "\" width=\"" + svg_number(width) + "\" height=\"" +
         svg_number(height) + "\" role=\"img\" aria-labelledby=\"" + name + "-title " + name +
         "-desc\" style=\"max-width:100%;height:auto;font-family:system-ui,sans-serif\" "
         "fill=\"currentColor\">\n<title id=\"" +
         name + "-title\">" + escape_xml(title) + "</title>\n<desc id=\"" + name + "-desc\">" +
         escape_xml(description) + "</desc>\n";
}

void SvgWriter::begin_group(std::string_view tooltip) {
  out_ += "<g><title>" + escape_xml(tooltip) + "</title>";
}

void SvgWriter::end_group() { out_ += "</g>\n"; }

void SvgWriter::rectangle(double x, double y, double width, double height, double radius,
                          std::string_view fill, double opacity) {
  out_ += "<rect x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" width=\"" +
          svg_number(width) + "\" height=\"" + svg_number(height) + "\" rx=\"" +
          svg_number(radius) + "\" style=\"fill:" + std::string(fill) + "\"";
  if (opacity < 1) out_ += " fill-opacity=\"" + svg_number(opacity) + "\"";
  out_ += "/>";
}

void SvgWriter::circle(double x, double y, double radius, std::string_view fill, double opacity) {
  out_ += "<circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) + "\" r=\"" +
          svg_number(radius) + "\" style=\"fill:" + std::string(fill) + "\" fill-opacity=\"" +
          svg_number(opacity) + "\"/>";
}

void SvgWriter::path(std::string_view data, std::string_view fill) {
  out_ += "<path d=\"" + std::string(data) + "\" style=\"fill:" + std::string(fill) +
          "\" fill-rule=\"evenodd\"/>";
}

void SvgWriter::grid_line(double x1, double y1, double x2, double y2) {
  out_ += "<line x1=\"" + svg_number(x1) + "\" y1=\"" + svg_number(y1) + "\" x2=\"" +
          svg_number(x2) + "\" y2=\"" + svg_number(y2) +
          "\" style=\"stroke:var(--chart-grid, currentColor)\" stroke-opacity=\"0.15\"/>\n";
}

void SvgWriter::text(double x, double y, std::string_view text, const TextStyle& style) {
  if (text.empty()) return;
  out_ += "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" font-size=\"" +
          svg_number(style.font_px) + "\"";
  if (style.anchor != Anchor::start)
    out_ += " text-anchor=\"" + std::string(name_of(style.anchor)) + "\"";
  if (style.opacity < 1) out_ += " fill-opacity=\"" + svg_number(style.opacity) + "\"";
  if (style.strong) out_ += " font-weight=\"600\"";
  if (style.fill != "currentColor") out_ += " fill=\"" + std::string(style.fill) + "\"";
  out_ += " style=\"font-variant-numeric:tabular-nums\">" + escape_xml(text) + "</text>\n";
}

std::string SvgWriter::finish() && {
  out_ += "</svg>\n";
  return std::move(out_);
}

}  // namespace symphony::extensions
