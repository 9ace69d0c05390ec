// Horizontal bars and stacked bars.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "extensions/operators/chart/chart.hpp"
#include "extensions/operators/chart/svg.hpp"

namespace symphony::extensions {

namespace {

constexpr double kRowPx = 28;
constexpr double kBarPx = 16;
constexpr double kRadiusPx = 4;
constexpr double kGapPx = 10;
constexpr double kLegendPx = 26;
constexpr double kAxisPx = 24;
constexpr double kMinBarPx = 1.5;  // what is not zero shows

struct Layout {
  double label_px = 0;
  double plot_x = 0;
  double plot_px = 0;
  double top = 0;
  double max = 1;
  std::vector<double> ticks;
  double x(double value) const { return plot_x + plot_px * value / max; }
};

double total_of(const ChartRow& row) {
  return std::accumulate(row.values.begin(), row.values.end(), 0.0);
}

Layout lay_out(const Rows& rows, const ChartOptions& options, double top) {
  Layout layout{.top = top};
  double value_px = 0;
  double max = 0;
  for (const auto& row : rows) {
    layout.label_px = std::max(layout.label_px, text_width(row.label));
    value_px = std::max(value_px, text_width(options.format(total_of(row))));
    max = std::max(max, total_of(row));
  }
  layout.label_px = std::min(layout.label_px + 2, options.width_px * 0.36);
  layout.plot_x = layout.label_px + kGapPx;
  layout.plot_px = std::max(40.0, options.width_px - layout.plot_x - value_px - kGapPx - 4);
  layout.max = max > 0 ? max : 1;
  layout.ticks = nice_ticks(max, 4);
  while (layout.ticks.size() > 1 && layout.ticks.back() > layout.max) layout.ticks.pop_back();
  return layout;
}

void draw_grid(SvgWriter& svg, const Layout& layout, const ChartOptions& options, double bottom) {
  double free_from = -1e9;
  for (const double tick : layout.ticks) {
    const double x = layout.x(tick);
    svg.grid_line(x, layout.top, x, bottom);
    const std::string label = options.format(tick);
    const double half = text_width(label, 10.5) / 2;
    // A label that would touch its neighbour or leave the picture is left out.
    if (x - half < free_from || x + half > options.width_px) continue;
    svg.text(x, bottom + 15, label, {.anchor = Anchor::middle, .font_px = 10.5, .opacity = 0.6});
    free_from = x + half + 8;
  }
}

std::string summary(const Rows& rows, const ChartOptions& options) {
  if (!options.description.empty()) return options.description;
  std::string text;
  for (const auto& row : rows) {
    if (text.size() > 500) return text + "; \u2026";
    text += (text.empty() ? "" : "; ") + row.label + ": " + options.format(total_of(row));
  }
  return text.empty() ? "no data" : text;
}

void draw_label(SvgWriter& svg, const Layout& layout, const std::string& label, double middle) {
  svg.text(layout.label_px, middle + 4, fit_text(label, layout.label_px), {.anchor = Anchor::end});
}

std::string tooltip_of(const ChartRow& row, const ChartOptions& options) {
  std::string text = row.label + ": " + options.format(total_of(row));
  if (options.series.size() < 2) return text;
  for (std::size_t s = 0; s < row.values.size(); ++s)
    text += (s == 0 ? " (" : ", ") + options.series[s] + " " + options.format(row.values[s]);
  return text + ")";
}

std::string draw(const Rows& rows, const ChartOptions& options) {
  const bool legend = options.series.size() > 1;
  const Layout layout = lay_out(rows, options, legend ? kLegendPx : 4);
  const double bottom =
      layout.top + kRowPx * static_cast<double>(std::max<std::size_t>(rows.size(), 1));
  SvgWriter svg(options.width_px, bottom + kAxisPx, options.id, options.title,
                summary(rows, options));
  double legend_x = 0;
  for (std::size_t s = 0; legend && s < options.series.size(); ++s) {
    svg.rectangle(legend_x, 3, 11, 11, 3, palette_colour(s));
    svg.text(legend_x + 17, 13, options.series[s], {.opacity = 0.8});
    legend_x += 17 + text_width(options.series[s]) + 18;
  }
  draw_grid(svg, layout, options, bottom);
  if (rows.empty()) svg.text(layout.plot_x, layout.top + 18, "no data", {.opacity = 0.6});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double middle = layout.top + kRowPx * (static_cast<double>(i) + 0.5);
    svg.begin_group(tooltip_of(rows[i], options));
    draw_label(svg, layout, rows[i].label, middle);
    double sum = 0;
    for (std::size_t s = 0; s < rows[i].values.size(); ++s) {
      const double value = rows[i].values[s];
      if (value <= 0) continue;
      const double begin = layout.x(sum);
      const double width = std::max(kMinBarPx, layout.x(sum + value) - begin - (legend ? 1 : 0));
      svg.rectangle(begin, middle - kBarPx / 2, width, kBarPx, std::min(kRadiusPx, width / 2),
                    palette_colour(s));
      sum += value;
    }
    svg.text(layout.x(sum) + 6, middle + 4, options.format(sum), {.opacity = 0.8});
    svg.end_group();
  }
  return std::move(svg).finish();
}

}  // namespace

std::string bar_chart(Rows rows, const ChartOptions& options) {
  fold_rows(rows, options.limit);
  return draw(rows, options);
}

std::string stacked_chart(Rows rows, const ChartOptions& options) {
  fold_rows(rows, options.limit);
  return draw(rows, options);
}

std::vector<double> nice_ticks(double max, std::size_t count) {
  if (!(max > 0) || count == 0) return {0};
  const double rough = max / static_cast<double>(count);
  const double magnitude = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * magnitude;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * magnitude >= rough * 0.999999) {
      step = factor * magnitude;
      break;
    }
  }
  std::vector<double> ticks;
  for (std::size_t i = 0; i < count + 2; ++i) {
    ticks.push_back(static_cast<double>(i) * step);
    if (ticks.back() >= max) break;
  }
  return ticks;
}

void fold_rows(Rows& rows, std::size_t limit) {
  if (limit == 0 || rows.size() <= limit) return;
  ChartRow others{.label = std::to_string(rows.size() - limit + 1) + " others", .values = {}};
  for (std::size_t i = limit - 1; i < rows.size(); ++i) {
    others.values.resize(std::max(others.values.size(), rows[i].values.size()));
    for (std::size_t s = 0; s < rows[i].values.size(); ++s) others.values[s] += rows[i].values[s];
  }
  rows.resize(limit - 1);
  rows.push_back(std::move(others));
}

}  // namespace symphony::extensions
