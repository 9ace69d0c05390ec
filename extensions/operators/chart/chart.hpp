// Charts from rows of numbers: the pure core of chart.svg. Same input, same bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace symphony::extensions {

inline constexpr std::size_t kMaxChartRows = 20'000;
inline constexpr std::size_t kMaxChartSeries = 16;
inline constexpr std::size_t kMaxHistogramBins = 200;

struct ChartRow {
  std::string label;
  std::vector<double> values;  // finite, >= 0; one, or one a series; scatter: x, y and perhaps size
  std::string group = {};      // colour; empty: none
};

struct ChartOptions {
  std::string id = "chart";
  std::string title;
  std::string description;  // empty: made from the data
  double width_px = 720;
  double height_px = 360;             // of charts whose height does not follow from the rows
  std::size_t limit = 20;             // rows shown by themselves; the others are summed up
  std::vector<std::string> series;    // names, of stacked bars
  std::string x_title, y_title;       // of scatter, histogram and timeline
  bool log_x = false, log_y = false;  // of scatter
  bool legend = false;                // above the axes; scatter decides itself
  std::size_t bins = 20;              // of a histogram
  std::function<std::string(double)> format;    // of values (y)
  std::function<std::string(double)> format_x;  // of x in scatter and histogram
};

using Rows = std::vector<ChartRow>;

std::string bar_chart(Rows rows, const ChartOptions& options);      // horizontal, largest as given
std::string stacked_chart(Rows rows, const ChartOptions& options);  // a bar a row, a part a series
std::string donut_chart(Rows rows, const ChartOptions& options);    // shares of the whole
// Squarified treemap: M. Bruls, K. Huizing, J. van Wijk, "Squarified Treemaps", 2000, section 3.
std::string treemap_chart(Rows rows, const ChartOptions& options);
std::string scatter_chart(const Rows& rows, ChartOptions options);           // a colour a group
std::string histogram_chart(const Rows& rows, const ChartOptions& options);  // of the first values
std::string timeline_chart(const Rows& rows, const ChartOptions& options);   // columns, as given

struct Rectangle {
  double x = 0, y = 0, width = 0, height = 0;
};
// Areas in proportion to `weights` (> 0, descending) that fill `whole`.
std::vector<Rectangle> squarify(const std::vector<double>& weights, const Rectangle& whole);

// Round steps that reach `max`: 0 … the first step >= max. At most count + 2 values.
std::vector<double> nice_ticks(double max, std::size_t count);

// All rows beyond options.limit as one, called "n others".
void fold_rows(Rows& rows, std::size_t limit);

}  // namespace symphony::extensions
