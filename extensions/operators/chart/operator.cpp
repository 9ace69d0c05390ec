// chart.svg: rows of a list, read by expressions, drawn by the pure core in chart.hpp.
#include "extensions/operators/chart/operator.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "extensions/operators/chart/chart.hpp"
#include "extensions/operators/kit.hpp"
#include "runtime/language/expression.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;

constexpr std::size_t kMaxLabelBytes = 4096;

std::optional<language::Expression> expression(ArgumentReader& args, std::string_view name) {
  const std::string& text = args.text(name);
  if (text.empty()) return std::nullopt;
  auto parsed = language::Expression::parse(text);
  if (parsed) return std::move(*parsed);
  args.fail(name, parsed.error().message);
  return std::nullopt;
}

// A formatter of the expression language, by name.
std::function<std::string(double)> formatter(ArgumentReader& args, std::string_view name) {
  const std::string& word = args.text(name);
  const language::Function* function = language::find_function(word);
  if (!function || function->min_arguments != 1) {
    std::vector<std::string> names = {"thousands", "compact",  "bytes", "percent",  "share",
                                      "fixed",     "duration", "date",  "datetime", "text"};
    args.fail(name, std::string(name) + " is \"" + word + "\", which formats no number" +
                        runtime::suggestion_suffix(word, names));
    return {};
  }
  return [function](double value) -> std::string {
    // Whole numbers are formatted as such.
    const bool whole = std::abs(value) < 9e15 && value == std::floor(value);
    const language::Value argument(whole ? Json(static_cast<std::int64_t>(value)) : Json(value));
    const auto text = function->call({&argument, 1});
    return text ? language::as_text(*text) : language::as_text(argument.get());
  };
}

// What a chart takes from each element.
struct Reader {
  std::optional<language::Expression> label;
  std::optional<language::Expression> group;
  std::vector<language::Expression> values;

  Result<std::string> text(const std::optional<language::Expression>& from,
                           const Json& element) const {
    if (!from) return std::string();
    auto value = from->evaluate(language::Scope(element));
    if (!value) return value.error();
    std::string text = language::as_text(value->get());
    if (text.size() > kMaxLabelBytes) text.resize(kMaxLabelBytes);
    return text;
  }

  Result<ChartRow> read(const Json& element) const {
    auto name = text(label, element);
    if (!name) return name.error();
    auto colour = text(group, element);
    if (!colour) return colour.error();
    ChartRow row{.label = std::move(*name), .values = {}, .group = std::move(*colour)};
    for (const auto& expression : values) {
      auto value = expression.evaluate(language::Scope(element));
      if (!value) return value.error();
      const Json& number = value->get();
      const double amount = number.is_number() ? number.get<double>() : 0;
      if (!(number.is_number() || number.is_null()) || !std::isfinite(amount) || amount < 0) {
        return invalid(
            "a chart shows numbers from 0 on, not " +
            (number.is_number() ? language::as_text(number) : std::string(number.type_name())));
      }
      row.values.push_back(amount);
    }
    return row;
  }
};

Result<Rows> read_rows(const Json& list, const Reader& reader, OperatorContext& context) {
  Rows rows;
  Poller poller(context);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    auto row = reader.read(list[i]);
    if (!row) {
      Error error = row.error();
      error.message = "element " + std::to_string(i) + ": " + error.message;
      return error;
    }
    rows.push_back(std::move(*row));
  }
  return rows;
}

// The expressions of the values, by kind; names the argument that is missing.
void read_values(ArgumentReader& args, const std::string& kind, Reader& reader,
                 ChartOptions& options) {
  const auto add = [&](std::string_view name, bool needed) {
    auto parsed = expression(args, name);
    if (parsed) {
      reader.values.push_back(std::move(*parsed));
    } else if (needed) {
      args.fail(name, "a " + kind + " chart needs " + std::string(name) + ", an expression");
    }
  };
  if (kind == "scatter") {
    add("x", true);
    add("y", true);
    add("size", false);
    return;
  }
  if (kind != "stacked") return add("value", true);
  const Json& series = args.list("series");
  if (series.empty() || series.size() > kMaxChartSeries)
    args.fail("series", "a stacked chart needs 1 to 16 series");
  for (const auto& one : series) {
    const bool named = one.is_object() && one.value("name", Json()).is_string() &&
                       one.value("value", Json()).is_string();
    if (!named) return args.fail("series", "each of the series needs a name and a value");
    auto parsed = language::Expression::parse(one["value"].get<std::string>());
    if (!parsed) return args.fail("series", parsed.error().message);
    options.series.push_back(one["name"].get<std::string>());
    reader.values.push_back(std::move(*parsed));
  }
}

ChartOptions read_options(ArgumentReader& args) {
  ChartOptions options;
  options.id = args.text("id");
  options.title = args.text("title");
  options.description = args.text("description");
  options.width_px = static_cast<double>(args.integer("width", 200, 4000));
  options.height_px = static_cast<double>(args.integer("height", 100, 4000));
  options.limit = static_cast<std::size_t>(args.integer("limit", 0, 1000));
  options.bins = static_cast<std::size_t>(args.integer("bins", 1, kMaxHistogramBins));
  options.x_title = args.text("x_title");
  options.y_title = args.text("y_title");
  options.log_x = args.flag("log_x");
  options.log_y = args.flag("log_y");
  options.format = formatter(args, "format");
  options.format_x = formatter(args, "format_x");
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  const std::string& id = options.id;
  if (id.empty() || id.size() > 100 || !std::all_of(id.begin(), id.end(), plain))
    args.fail("id", "id must be 1 to 100 letters, digits, - or _");
  return options;
}

std::string draw(const std::string& kind, Rows rows, const ChartOptions& options) {
  if (kind == "bar") return bar_chart(std::move(rows), options);
  if (kind == "stacked") return stacked_chart(std::move(rows), options);
  if (kind == "donut") return donut_chart(std::move(rows), options);
  if (kind == "treemap") return treemap_chart(std::move(rows), options);
  if (kind == "scatter") return scatter_chart(rows, options);
  if (kind == "histogram") return histogram_chart(rows, options);
  return timeline_chart(rows, options);
}

Result<Json> chart(ArgumentReader& args, OperatorContext& context) {
  const std::string& kind = args.choice(
      "kind", {"bar", "stacked", "donut", "treemap", "scatter", "histogram", "timeline"});
  const Json& list = args.list("list");
  if (list.size() > kMaxChartRows)
    args.fail("list", "a chart shows at most 20,000 elements; sort and limit or group them first");
  ChartOptions options = read_options(args);
  Reader reader{
      .label = expression(args, "label"), .group = expression(args, "group"), .values = {}};
  read_values(args, kind, reader, options);
  if (auto status = args.status(); !status) return status.error();
  auto rows = read_rows(list, reader, context);
  if (!rows) return rows.error();
  std::string svg = draw(kind, std::move(*rows), options);
  const std::size_t size = svg.size();
  return Json{{"svg", std::move(svg)}, {"size", size}};
}

}  // namespace

void add_chart_operator(actors::OperatorRegistry& registry) {
  const auto text = [](std::string name, Json value, std::string summary) {
    return optional(std::move(name), ValueType::text, std::move(value), std::move(summary));
  };
  const auto integer = [](std::string name, Json value, std::string summary) {
    return optional(std::move(name), ValueType::integer, std::move(value), std::move(summary));
  };
  registry.add(make_operator(
      {.name = "chart.svg",
       .summary = "Draws a chart as self-contained SVG for dark and light pages, without script",
       .arguments =
           {required("kind", ValueType::text,
                     "bar, stacked, donut, treemap, scatter, histogram or timeline"),
            required("list", ValueType::list, "the elements to draw, at most 20,000"),
            required("title", ValueType::text, "what it shows, for screen readers"),
            text("description", "", "the same in a sentence or two; empty: made from the data"),
            text("label", "it", "expression of an element's name"),
            text("value", "", "expression of its number, 0 or more (all but stacked, scatter)"),
            optional("series", ValueType::list, nullptr,
                     "for stacked: objects with a name and a value (an expression), at most 16"),
            text("x", "", "for scatter: expression of the place along x"),
            text("y", "", "for scatter: expression of the place along y"),
            text("size", "", "for scatter: expression that the area of a dot shows"),
            text("group", "",
                 "for treemap and scatter: expression that gives elements their colour"),
            text("format", "thousands", "how values (y) are written: a function of expressions"),
            text("format_x", "thousands", "how x is written in scatter and histogram"),
            text("x_title", "", "what x is, below the axis"),
            text("y_title", "", "what y is, above the axis"),
            optional("log_x", ValueType::boolean, false, "for scatter: logarithmic x"),
            optional("log_y", ValueType::boolean, false, "for scatter: logarithmic y"),
            integer("limit", 20,
                    "for bar, stacked, donut (at most 8), treemap: elements shown by themselves, "
                    "the others in one; 0: all"),
            integer("bins", 20, "for histogram: about so many columns"),
            integer("width", 720, "width in pixels; shrinks with the page"),
            integer("height", 320, "height in pixels of treemap and charts with two axes"),
            text("id", "chart", "prefix of its ids: must differ between charts of a page")},
       .results = {result("svg", ValueType::text, "the svg element, for inclusion in HTML"),
                   result("size", ValueType::integer, "its length in bytes")},
       .pure = true},
      chart));
}

}  // namespace symphony::extensions
