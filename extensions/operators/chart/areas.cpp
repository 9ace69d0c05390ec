// Donut and treemap: parts of a whole.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "extensions/operators/chart/chart.hpp"
#include "extensions/operators/chart/svg.hpp"
#include "runtime/text/format.hpp"

namespace symphony::extensions {

namespace {

constexpr double kOuterPx = 96;
constexpr double kInnerPx = 60;
constexpr double kSliceGapRad = 0.012;
constexpr double kLegendRowPx = 24;

double value_of(const ChartRow& row) { return row.values.empty() ? 0 : row.values.front(); }

double total_of(const Rows& rows) {
  return std::accumulate(rows.begin(), rows.end(), 0.0,
                         [](double sum, const ChartRow& row) { return sum + value_of(row); });
}

std::string tooltip_of(const ChartRow& row, double total, const ChartOptions& options) {
  return row.label + ": " + options.format(value_of(row)) + " (" +
         runtime::format_share(value_of(row) / total) + ")";
}

std::string summary(const Rows& rows, double total, const ChartOptions& options) {
  if (!options.description.empty()) return options.description;
  std::string text;
  for (const auto& row : rows) {
    if (text.size() > 500) return text + "; \u2026";
    text += (text.empty() ? "" : "; ") + tooltip_of(row, total, options);
  }
  return text.empty() ? "no data" : text;
}

std::string point(double centre_x, double centre_y, double radius, double angle) {
  return svg_number(centre_x + radius * std::sin(angle)) + " " +
         svg_number(centre_y - radius * std::cos(angle));
}

// A ring's part from one angle to another, clockwise from the top.
std::string slice(double x, double y, double from, double to) {
  const bool whole = to - from > 2 * std::numbers::pi - 1e-6;
  if (!whole && to - from > 3 * kSliceGapRad) {
    from += kSliceGapRad / 2;
    to -= kSliceGapRad / 2;
  }
  // An arc from a point to itself draws nothing: the full ring is drawn in two halves.
  const double middle = (from + to) / 2;
  const auto arc = [&](double radius, double end, int sweep) {
    const std::string r = svg_number(radius);
    return "A" + r + " " + r + " 0 0 " + std::to_string(sweep) + " " + point(x, y, radius, end);
  };
  return "M" + point(x, y, kOuterPx, from) + arc(kOuterPx, middle, 1) + arc(kOuterPx, to, 1) + "L" +
         point(x, y, kInnerPx, to) + arc(kInnerPx, middle, 0) + arc(kInnerPx, from, 0) + "Z";
}

}  // namespace

std::string donut_chart(Rows rows, const ChartOptions& options) {
  std::erase_if(rows, [](const ChartRow& row) { return value_of(row) <= 0; });
  fold_rows(rows, std::min(options.limit == 0 ? kPaletteSize : options.limit, kPaletteSize));
  const double total = total_of(rows);
  const double legend_px = kLegendRowPx * static_cast<double>(rows.size());
  const double height = std::max(2 * kOuterPx + 16, legend_px + 16);
  const double x = kOuterPx + 8;
  const double y = height / 2;
  SvgWriter svg(options.width_px, height, options.id, options.title, summary(rows, total, options));
  double angle = 0;
  const double legend_x = 2 * kOuterPx + 44;
  double legend_y = (height - legend_px) / 2 + kLegendRowPx / 2;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double next = angle + 2 * std::numbers::pi * value_of(rows[i]) / total;
    svg.begin_group(tooltip_of(rows[i], total, options));
    svg.path(slice(x, y, angle, next), palette_colour(i));
    svg.rectangle(legend_x, legend_y - 6, 12, 12, 3, palette_colour(i));
    const std::string value = options.format(value_of(rows[i])) + "  \u00b7  " +
                              runtime::format_share(value_of(rows[i]) / total);
    const double value_px = text_width(value);
    const double room = options.width_px - legend_x - 20 - value_px - 16;
    const std::string label = fit_text(rows[i].label, std::min(room, 260.0));
    svg.text(legend_x + 20, legend_y + 4, label);
    svg.text(legend_x + 20 + text_width(label) + 12, legend_y + 4, value, {.opacity = 0.65});
    svg.end_group();
    angle = next;
    legend_y += kLegendRowPx;
  }
  const std::string middle = rows.empty() ? "no data" : options.format(total);
  svg.text(x, y + 6, fit_text(middle, 2 * kInnerPx - 12, 18),
           {.anchor = Anchor::middle, .font_px = 18, .strong = true});
  return std::move(svg).finish();
}

namespace {

// The worst aspect ratio of a row of areas laid along `side`.
double worst_ratio(double sum, double largest, double smallest, double side) {
  const double square = sum * sum;
  return std::max(side * side * largest / square, square / (side * side * smallest));
}

}  // namespace

std::vector<Rectangle> squarify(const std::vector<double>& weights, const Rectangle& whole) {
  std::vector<Rectangle> out;
  out.reserve(weights.size());
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(total > 0)) return out;
  const double scale = whole.width * whole.height / total;
  Rectangle rest = whole;
  for (std::size_t begin = 0; begin < weights.size();) {
    const double side = std::max(1e-9, std::min(rest.width, rest.height));
    double sum = weights[begin] * scale;
    double ratio = worst_ratio(sum, sum, sum, side);
    std::size_t end = begin + 1;
    for (; end < weights.size(); ++end) {
      const double next = weights[end] * scale;
      const double next_ratio = worst_ratio(sum + next, weights[begin] * scale, next, side);
      if (next_ratio > ratio) break;
      sum += next;
      ratio = next_ratio;
    }
    const bool column = rest.width >= rest.height;  // laid along the shorter side
    const double depth = sum / side;
    double along = column ? rest.y : rest.x;
    for (std::size_t i = begin; i < end; ++i) {
      const double length = weights[i] * scale / depth;
      out.push_back(column ? Rectangle{rest.x, along, depth, length}
                           : Rectangle{along, rest.y, length, depth});
      along += length;
    }
    if (column) {
      rest.x += depth;
      rest.width = std::max(0.0, rest.width - depth);
    } else {
      rest.y += depth;
      rest.height = std::max(0.0, rest.height - depth);
    }
    begin = end;
  }
  return out;
}

std::string treemap_chart(Rows rows, const ChartOptions& options) {
  std::erase_if(rows, [](const ChartRow& row) { return value_of(row) <= 0; });
  std::ranges::stable_sort(rows, std::ranges::greater(), value_of);
  fold_rows(rows, options.limit);
  // The rest may be larger than a part.
  std::ranges::stable_sort(rows, std::ranges::greater(), value_of);
  const double total = total_of(rows);

  std::map<std::string, double> groups;
  for (const auto& row : rows) {
    if (!row.group.empty()) groups[row.group] += value_of(row);
  }
  std::vector<std::string> order;
  for (const auto& [name, size] : groups) order.push_back(name);
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](const std::string& name) { return groups[name]; });
  const auto colour_of = [&](const std::string& group) -> std::size_t {
    const auto found = std::ranges::find(order, group);
    if (group.empty()) return order.empty() ? 0 : kPaletteSize - 1;
    return std::min<std::size_t>(static_cast<std::size_t>(found - order.begin()), kPaletteSize - 1);
  };

  const double top = order.empty() ? 0 : 26;
  SvgWriter svg(options.width_px, options.height_px + top, options.id, options.title,
                summary(rows, total, options));
  double legend_x = 0;
  for (std::size_t g = 0; g < std::min(order.size(), kPaletteSize); ++g) {
    const std::string name =
        g + 1 == kPaletteSize && order.size() > kPaletteSize ? "other" : order[g];
    const double width = 17 + text_width(name) + 18;
    if (legend_x + width > options.width_px) break;
    svg.rectangle(legend_x, 3, 11, 11, 3, palette_colour(g));
    svg.text(legend_x + 17, 13, name, {.opacity = 0.8});
    legend_x += width;
  }
  std::vector<double> weights;
  for (const auto& row : rows) weights.push_back(value_of(row));
  const auto tiles = squarify(weights, {0, top, options.width_px, options.height_px});
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const double width = std::max(0.5, tiles[i].width - 2);
    const double height = std::max(0.5, tiles[i].height - 2);
    svg.begin_group(tooltip_of(rows[i], total, options));
    svg.rectangle(tiles[i].x + 1, tiles[i].y + 1, width, height,
                  std::min({4.0, width / 3, height / 3}), palette_colour(colour_of(rows[i].group)));
    if (height > 20 && width > 34)
      svg.text(tiles[i].x + 8, tiles[i].y + 18, fit_text(rows[i].label, width - 14, 11.5),
               {.font_px = 11.5, .strong = true, .fill = "#fff"});
    if (height > 38 && width > 34)
      svg.text(tiles[i].x + 8, tiles[i].y + 33,
               fit_text(options.format(weights[i]), width - 14, 10.5),
               {.font_px = 10.5, .opacity = 0.9, .fill = "#fff"});
    svg.end_group();
  }
  if (rows.empty()) svg.text(8, top + 20, "no data", {.opacity = 0.6});
  return std::move(svg).finish();
}

}  // namespace symphony::extensions
