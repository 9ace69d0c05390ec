// Charts with two axes: scatter, histogram, timeline.
#include <algorithm>
#include <cmath>

#include "extensions/operators/chart/chart.hpp"
#include "extensions/operators/chart/svg.hpp"

namespace symphony::extensions {

namespace {

constexpr double kTopPx = 14;
constexpr double kRightPx = 14;
constexpr double kBottomPx = 26;
constexpr double kTitlePx = 18;
constexpr double kSmallPx = 10.5;
constexpr std::size_t kLabelledDots = 8;
constexpr TextStyle kTickX = {.anchor = Anchor::middle, .font_px = kSmallPx, .opacity = 0.6};
constexpr TextStyle kTickY = {.anchor = Anchor::end, .font_px = kSmallPx, .opacity = 0.6};

// From values to 0 … 1.
struct Scale {
  double max = 1;
  bool log = false;
  std::vector<double> ticks;

  Scale(double largest, bool logarithmic) : log(logarithmic) {
    if (log) {
      max = 1;
      while (max < largest && max < 1e300) max *= 10;
      ticks.push_back(0);
      for (double tick = 1; tick <= max && ticks.size() < 20; tick *= 10) ticks.push_back(tick);
    } else {
      ticks = nice_ticks(largest, 5);
      max = std::max(ticks.back(), largest);
      if (max <= 0) max = 1;
    }
  }
  // log1p, so that zero has a place.
  double at(double value) const { return log ? std::log1p(value) / std::log1p(max) : value / max; }
};

struct Plot {
  double left = 0, top = kTopPx, width = 0, height = 0;
  double x(double share) const { return left + width * share; }
  double y(double share) const { return top + height * (1 - share); }
  double bottom() const { return top + height; }
};

Plot make_plot(const ChartOptions& options, const Scale& vertical) {
  Plot plot;
  double label_px = 0;
  for (const double tick : vertical.ticks)
    label_px = std::max(label_px, text_width(options.format(tick), kSmallPx));
  plot.left = label_px + 10;
  if (!options.y_title.empty() || options.legend) plot.top += kTitlePx;
  plot.width = std::max(40.0, options.width_px - plot.left - kRightPx);
  const double below = kBottomPx + (options.x_title.empty() ? 0 : kTitlePx);
  plot.height = std::max(40.0, options.height_px - plot.top - below);
  return plot;
}

void draw_frame(SvgWriter& svg, const Plot& plot, const Scale& vertical,
                const ChartOptions& options) {
  for (const double tick : vertical.ticks) {
    const double y = plot.y(vertical.at(tick));
    svg.grid_line(plot.left, y, plot.left + plot.width, y);
    svg.text(plot.left - 6, y + 3.5, options.format(tick), kTickY);
  }
  svg.text(0, 12, options.y_title, {.font_px = 11, .opacity = 0.75});
  svg.text(plot.left + plot.width / 2, plot.bottom() + kBottomPx + 12, options.x_title,
           {.anchor = Anchor::middle, .font_px = 11, .opacity = 0.75});
}

std::string described(const ChartOptions& options, std::string fallback) {
  return options.description.empty() ? std::move(fallback) : options.description;
}

struct Column {
  std::string label;  // below it
  std::string tooltip;
  double value = 0;
};

std::string columns(const std::vector<Column>& columns, const ChartOptions& options,
                    std::string description, bool labels_between) {
  double max = 0;
  for (const auto& column : columns) max = std::max(max, column.value);
  const Scale vertical(max, false);
  const Plot plot = make_plot(options, vertical);
  SvgWriter svg(options.width_px, options.height_px, options.id, options.title,
                described(options, std::move(description)));
  draw_frame(svg, plot, vertical, options);
  if (columns.empty()) svg.text(plot.left + 8, plot.top + 20, "no data", {.opacity = 0.6});
  const double step = plot.width / static_cast<double>(std::max<std::size_t>(columns.size(), 1));
  const double width = std::min(48.0, std::max(0.5, step - std::min(3.0, step * 0.2)));
  double free_from = -1e9;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double middle = plot.left + step * (static_cast<double>(i) + 0.5);
    const double height = plot.height * vertical.at(columns[i].value);
    svg.begin_group(columns[i].tooltip);
    if (columns[i].value > 0) {
      const double shown = std::max(1.5, height);
      svg.rectangle(middle - width / 2, plot.bottom() - shown, width, shown,
                    std::min({3.0, width / 3, shown / 2}), palette_colour(0));
    }
    svg.end_group();
    const double x = labels_between ? middle - step / 2 : middle;
    const double half = text_width(columns[i].label, kSmallPx) / 2;
    if (x - half < free_from || x + half > options.width_px) continue;
    svg.text(x, plot.bottom() + 16, columns[i].label, kTickX);
    free_from = x + half + 10;
  }
  return std::move(svg).finish();
}

}  // namespace

std::string timeline_chart(const Rows& rows, const ChartOptions& options) {
  std::vector<Column> list;
  for (const auto& row : rows) {
    const double value = row.values.empty() ? 0 : row.values.front();
    list.push_back({row.label, row.label + ": " + options.format(value), value});
  }
  std::string description = std::to_string(rows.size()) + " columns";
  if (!rows.empty()) description += " from " + rows.front().label + " to " + rows.back().label;
  return columns(list, options, std::move(description), false);
}

std::string histogram_chart(const Rows& rows, const ChartOptions& options) {
  double max = 0;
  for (const auto& row : rows) max = std::max(max, row.values.empty() ? 0 : row.values.front());
  const std::size_t wanted = std::clamp<std::size_t>(options.bins, 1, kMaxHistogramBins);
  const auto edges = nice_ticks(max > 0 ? max : 1, wanted);
  const double step = edges.size() > 1 ? edges[1] - edges[0] : 1;
  std::vector<Column> list(std::max<std::size_t>(edges.size() - 1, 1));
  for (const auto& row : rows) {
    if (row.values.empty()) continue;
    // The last bin holds its upper edge.
    const auto bin = std::min(static_cast<std::size_t>(row.values.front() / step), list.size() - 1);
    ++list[bin].value;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const double from = step * static_cast<double>(i);
    list[i].label = options.format_x(from);
    list[i].tooltip = options.format_x(from) + " to " + options.format_x(from + step) + ": " +
                      options.format(list[i].value);
  }
  if (rows.empty()) list.clear();
  return columns(list, options,
                 std::to_string(rows.size()) + " values up to " + options.format_x(max), true);
}

namespace {

struct Dot {
  const ChartRow* row;
  double x, y, radius;
};

// The groups of the rows, in the order in which they first occur: the last colour is for all that
// are too many.
std::vector<std::string> groups_of(const Rows& rows) {
  std::vector<std::string> groups;
  for (const auto& row : rows) {
    if (!row.group.empty() && std::ranges::find(groups, row.group) == groups.end() &&
        groups.size() < kPaletteSize)
      groups.push_back(row.group);
  }
  return groups;
}

std::size_t colour_of(const std::vector<std::string>& groups, const std::string& group) {
  const auto found = std::ranges::find(groups, group);
  return found == groups.end() ? 0 : static_cast<std::size_t>(found - groups.begin());
}

void draw_legend(SvgWriter& svg, const std::vector<std::string>& groups, double x) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    svg.circle(x + 5, 8, 5, palette_colour(i), 0.55);
    svg.text(x + 16, 12, groups[i], {.font_px = 11, .opacity = 0.75});
    x += 16 + text_width(groups[i], 11) + 18;
  }
}

std::vector<Dot> place_dots(const Rows& rows, const Plot& plot, const Scale& horizontal,
                            const Scale& vertical) {
  double largest = 0;
  for (const auto& row : rows) {
    if (row.values.size() > 2) largest = std::max(largest, row.values[2]);
  }
  std::vector<Dot> dots;
  for (const auto& row : rows) {
    if (row.values.size() < 2) continue;
    // The area, not the radius, tells the size.
    const double radius =
        row.values.size() > 2 && largest > 0 ? 3 + 13 * std::sqrt(row.values[2] / largest) : 4.5;
    dots.push_back(
        {&row, plot.x(horizontal.at(row.values[0])), plot.y(vertical.at(row.values[1])), radius});
  }
  // Small ones last, so that they lie on top and can be pointed at.
  std::ranges::stable_sort(dots, std::ranges::greater(), &Dot::radius);
  return dots;
}

// Names the dots that are far out, where there is room.
void label_dots(SvgWriter& svg, std::vector<Dot> dots, const Plot& plot) {
  std::ranges::stable_sort(dots, std::ranges::greater(), [&](const Dot& dot) {
    return (dot.x - plot.left) / plot.width + (plot.bottom() - dot.y) / plot.height;
  });
  std::vector<Rectangle> taken;
  for (std::size_t i = 0; i < dots.size() && taken.size() < kLabelledDots; ++i) {
    const std::string label = fit_text(dots[i].row->label, plot.width * 0.3, kSmallPx);
    const double width = text_width(label, kSmallPx);
    const bool right = dots[i].x + dots[i].radius + 4 + width <= plot.left + plot.width;
    const double x =
        right ? dots[i].x + dots[i].radius + 4 : dots[i].x - dots[i].radius - 4 - width;
    const Rectangle box{x, dots[i].y - 6, width, 13};
    const bool clear = x >= plot.left && std::ranges::none_of(taken, [&](const Rectangle& other) {
                         return box.x < other.x + other.width && other.x < box.x + box.width &&
                                box.y < other.y + other.height && other.y < box.y + box.height;
                       });
    if (!clear) continue;
    taken.push_back(box);
    svg.text(x, dots[i].y + 3.5, label, {.font_px = kSmallPx, .opacity = 0.85});
  }
}

}  // namespace

std::string scatter_chart(const Rows& rows, ChartOptions options) {
  options.legend = std::ranges::any_of(rows, [](const auto& row) { return !row.group.empty(); });
  double max_x = 0;
  double max_y = 0;
  for (const auto& row : rows) {
    if (row.values.size() < 2) continue;
    max_x = std::max(max_x, row.values[0]);
    max_y = std::max(max_y, row.values[1]);
  }
  const Scale horizontal(max_x, options.log_x);
  const Scale vertical(max_y, options.log_y);
  const Plot plot = make_plot(options, vertical);
  SvgWriter svg(
      options.width_px, options.height_px, options.id, options.title,
      described(options, std::to_string(rows.size()) + " points, x up to " +
                             options.format_x(max_x) + ", y up to " + options.format(max_y)));
  draw_frame(svg, plot, vertical, options);
  for (const double tick : horizontal.ticks) {
    const double x = plot.x(horizontal.at(tick));
    svg.grid_line(x, plot.top, x, plot.bottom());
    svg.text(x, plot.bottom() + 16, options.format_x(tick), kTickX);
  }
  const auto groups = groups_of(rows);
  draw_legend(svg, groups, plot.left + text_width(options.y_title, 11) + 24);
  const auto dots = place_dots(rows, plot, horizontal, vertical);
  for (const Dot& dot : dots) {
    std::string tooltip = dot.row->label + ": " + options.format_x(dot.row->values[0]) + ", " +
                          options.format(dot.row->values[1]);
    svg.begin_group(tooltip);
    svg.circle(dot.x, dot.y, dot.radius, palette_colour(colour_of(groups, dot.row->group)), 0.55);
    svg.end_group();
  }
  label_dots(svg, dots, plot);
  if (dots.empty()) svg.text(plot.left + 8, plot.top + 20, "no data", {.opacity = 0.6});
  return std::move(svg).finish();
}

}  // namespace symphony::extensions
