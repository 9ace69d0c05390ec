#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "extensions/operators/code/report.hpp"
#include "runtime/text/format.hpp"

namespace symphony::extensions::code {
namespace {

using runtime::format_age_days;
using runtime::format_bytes;
using runtime::format_count;
using runtime::format_plural;
using runtime::format_share;

constexpr std::size_t kLanguagesShown = 9;  // the rest is one
constexpr std::size_t kPlacesShown = 4;
constexpr std::size_t kSpotsDrawn = 400;
constexpr std::size_t kHottest = 5;

// Of a hundred: how long a bar in a table is. One digit is finer than a screen.
double rounded(double value) { return std::round(value * 10) / 10; }

// Pointers to the entries of `list` for which `rank` is above zero, highest first, at most `top`.
template <class Rank>
std::vector<const Json*> ranked(const Json& list, std::size_t top, Rank&& rank) {
  std::vector<std::pair<std::int64_t, const Json*>> entries;
  for (const Json& entry : list) {
    const std::int64_t value = rank(entry);
    if (value > 0) entries.emplace_back(value, &entry);
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (entries.size() > top) entries.resize(top);
  std::vector<const Json*> result;
  for (const auto& [value, entry] : entries) result.push_back(entry);
  return result;
}

bool flag(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// "a/b/" and "c.cpp": directories are printed paler than names.
void add_path(Json& row, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  row["path"] = path;
  row["folder"] = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  row["name"] = slash == std::string::npos ? path : path.substr(slash + 1);
}

std::int64_t days_since(const ReportInput& input, std::int64_t time_s) {
  return (input.now_s - time_s) / runtime::kSecondsPerDay;
}

// What stands where history would: never that there is none when it is only not readable.
std::string why_no_history(const ReportInput& input) {
  std::string note = history_note(input);
  if (integer_at(input.churn, "commits") == 0 && !note.empty()) return note;
  if (list_at(input.churn, "files").empty()) return note.empty() ? "There is no history." : note;
  return "No file with control flow was changed in the commits looked at.";
}

std::string licence_name(const std::string& licence) { return licence.empty() ? "none" : licence; }

}  // namespace

Json languages_view(const ReportInput& input) {
  const Json& languages = list_at(input.code, "languages");
  std::int64_t all_code = 0;
  for (const Json& language : languages) all_code += integer_at(language, "code");
  Json rows = Json::array();
  Json chart = Json::array();
  std::int64_t rest_code = 0;
  std::int64_t rest_files = 0;
  std::int64_t rest_bytes = 0;
  std::int64_t rest_count = 0;
  const auto add = [&](const std::string& name, std::int64_t files, std::int64_t code,
                       std::int64_t bytes, const std::string& comments) {
    const double share = share_of(code, all_code);
    rows.push_back({{"language", name},
                    {"files", format_count(files)},
                    {"code", format_count(code)},
                    {"bytes", format_bytes(bytes)},
                    {"comments", comments},
                    {"share", format_share(share)}});
    chart.push_back({{"label", name}, {"value", code}});
  };
  for (const Json& language : languages) {
    const std::int64_t code = integer_at(language, "code");
    const std::int64_t comment = integer_at(language, "comment");
    if (rows.size() < kLanguagesShown && code > 0) {
      add(text_at(language, "language"), integer_at(language, "files"), code,
          integer_at(language, "bytes"), format_share(share_of(comment, code + comment)));
    } else {
      rest_code += code;
      rest_files += integer_at(language, "files");
      rest_bytes += integer_at(language, "bytes");
      ++rest_count;
    }
  }
  if (rest_count > 0) {
    add(format_plural(rest_count, "other language"), rest_files, rest_code, rest_bytes, "");
  }
  return {{"any", !rows.empty()},
          {"rows", rows},
          {"chart", chart},
          {"count", format_count(static_cast<std::int64_t>(languages.size()))}};
}

Json files_view(const ReportInput& input) {
  const Json& files = list_at(input.code, "files");
  Json largest = Json::array();
  const auto by_lines = ranked(files, input.top, [](const Json& file) {
    return flag(file, "generated") ? 0 : integer_at(file, "code");
  });
  for (const Json* file : by_lines) {
    Json row{{"language", text_at(*file, "language")},
             {"code", format_count(integer_at(*file, "code"))},
             {"bytes", format_bytes(integer_at(*file, "bytes"))},
             {"bar", rounded(100 * share_of(integer_at(*file, "code"),
                                            integer_at(*by_lines.front(), "code")))}};
    add_path(row, text_at(*file, "path"));
    largest.push_back(std::move(row));
  }
  Json complex = Json::array();
  const auto by_complexity = ranked(files, input.top, [](const Json& file) {
    return flag(file, "generated") ? 0 : integer_at(file, "complexity");
  });
  for (const Json* file : by_complexity) {
    const std::int64_t functions = std::max<std::int64_t>(1, integer_at(*file, "functions"));
    const std::int64_t complexity = integer_at(*file, "complexity");
    Json row{{"complexity", format_count(complexity)},
             {"functions", format_count(integer_at(*file, "functions"))},
             {"each", rounded(static_cast<double>(complexity) / static_cast<double>(functions))},
             {"nesting", integer_at(*file, "nesting")},
             {"bar", rounded(100 * share_of(complexity,
                                            integer_at(*by_complexity.front(), "complexity")))}};
    add_path(row, text_at(*file, "path"));
    complex.push_back(std::move(row));
  }
  return {{"largest", largest},
          {"complex", complex},
          {"any_complex", !complex.empty()},
          {"any_largest", !largest.empty()}};
}

Json hotspots_view(const ReportInput& input) {
  std::map<std::string, const Json*> measured;
  for (const Json& file : list_at(input.code, "files")) {
    if (integer_at(file, "complexity") > 0 && !flag(file, "generated")) {
      measured[text_at(file, "path")] = &file;
    }
  }
  std::vector<Json> spots;
  for (const Json& churned : list_at(input.churn, "files")) {
    const auto found = measured.find(text_at(churned, "path"));
    if (found == measured.end()) continue;
    const std::int64_t commits = integer_at(churned, "commits");
    const std::int64_t complexity = integer_at(*found->second, "complexity");
    const std::int64_t days = days_since(input, integer_at(churned, "last_change_s"));
    Json spot{{"commits", commits},
              {"complexity", complexity},
              {"code", integer_at(*found->second, "code")},
              {"score", commits * complexity},
              {"authors", integer_at(churned, "authors")},
              {"last_change", days <= 0 ? "today" : format_age_days(days) + " ago"}};
    add_path(spot, found->first);
    spots.push_back(std::move(spot));
  }
  std::stable_sort(spots.begin(), spots.end(), [](const Json& a, const Json& b) {
    return integer_at(a, "score") > integer_at(b, "score");
  });
  Json chart = Json::array();
  for (std::size_t i = 0; i < std::min(spots.size(), kSpotsDrawn); ++i) {
    Json spot = spots[i];
    spot["group"] = i < kHottest ? "hottest" : "others";
    chart.push_back(std::move(spot));
  }
  const std::int64_t hottest = spots.empty() ? 0 : integer_at(spots.front(), "score");
  Json rows = Json::array();
  for (std::size_t i = 0; i < std::min(spots.size(), input.top); ++i) {
    Json row = spots[i];
    row["number"] = i + 1;
    row["bar"] = rounded(100 * share_of(integer_at(row, "score"), hottest));
    row["score"] = format_count(integer_at(row, "score"));
    rows.push_back(std::move(row));
  }
  return {{"any", !rows.empty()},
          {"why", rows.empty() ? why_no_history(input) : ""},
          {"rows", rows},
          {"chart", chart}};
}

Json duplicates_view(const ReportInput& input) {
  const std::int64_t code_lines =
      integer_at(input.code.is_object() && input.code.contains("totals") ? input.code["totals"]
                                                                         : Json::object(),
                 "code");
  Json identical = Json::array();
  for (const Json& group : list_at(input.duplicates, "identical")) {
    if (identical.size() == input.top) break;
    Json paths = Json::array();
    for (const Json& path : list_at(group, "paths")) {
      if (paths.size() < kPlacesShown) paths.push_back(path);
    }
    const std::int64_t more = integer_at(group, "copies") - static_cast<std::int64_t>(paths.size());
    identical.push_back({{"copies", integer_at(group, "copies")},
                         {"bytes", format_bytes(integer_at(group, "bytes"))},
                         {"wasted", format_bytes(integer_at(group, "wasted_bytes"))},
                         {"paths", paths},
                         {"more", more > 0 ? "and " + format_count(more) + " more" : ""}});
  }
  Json blocks = Json::array();
  for (const Json& cluster : list_at(input.duplicates, "blocks")) {
    if (blocks.size() == input.top) break;
    Json places = Json::array();
    for (const Json& place : list_at(cluster, "places")) {
      if (places.size() < kPlacesShown) places.push_back(place);
    }
    const std::int64_t more =
        integer_at(cluster, "copies") - static_cast<std::int64_t>(places.size());
    blocks.push_back({{"lines", format_count(integer_at(cluster, "lines"))},
                      {"copies", integer_at(cluster, "copies")},
                      {"duplicated", format_count(integer_at(cluster, "duplicated_lines"))},
                      {"places", places},
                      {"more", more > 0 ? "and " + format_count(more) + " more" : ""}});
  }
  const std::int64_t lines = integer_at(input.duplicates, "duplicated_lines");
  const double share = std::min(1.0, share_of(lines, code_lines));
  return {{"any_identical", !identical.empty()},
          {"identical", identical},
          {"identical_copies", format_count(integer_at(input.duplicates, "identical_copies"))},
          {"identical_groups", format_count(integer_at(input.duplicates, "identical_groups"))},
          {"wasted", format_bytes(integer_at(input.duplicates, "wasted_bytes"))},
          {"any_blocks", !blocks.empty()},
          {"blocks", blocks},
          {"clusters", format_count(integer_at(input.duplicates, "block_clusters"))},
          {"lines", format_count(lines)},
          {"share_value", share},
          {"share", format_share(share)}};
}

Json todos_view(const ReportInput& input) {
  struct Bucket {
    const char* label;
    std::int64_t max_days;
    std::int64_t count = 0;
  };
  std::array<Bucket, 5> buckets = {{{"up to a month", 31},
                                    {"up to 6 months", 183},
                                    {"up to a year", 366},
                                    {"up to 3 years", 1'096},
                                    {"older", INT64_MAX}}};
  std::int64_t undated = 0;
  std::vector<const Json*> order;
  for (const Json& todo : input.todos) {
    order.push_back(&todo);
    if (!todo.contains("age_days")) {
      ++undated;
      continue;
    }
    const std::int64_t days = integer_at(todo, "age_days");
    std::find_if(buckets.begin(), buckets.end(), [&](const Bucket& bucket) {
      return days <= bucket.max_days;
    })->count += 1;
  }
  std::stable_sort(order.begin(), order.end(), [](const Json* a, const Json* b) {
    const auto age = [](const Json& todo) {
      return todo.contains("age_days") ? integer_at(todo, "age_days") : -1;
    };
    return age(*a) > age(*b);
  });
  Json chart = Json::array();
  const auto add_bar = [&](const char* label, std::int64_t count) {
    chart.push_back({{"label", label}, {"value", count}});
  };
  const auto all = static_cast<std::int64_t>(input.todos.size());
  if (undated < all) {
    for (const Bucket& bucket : buckets) add_bar(bucket.label, bucket.count);
  }
  if (undated > 0 && undated < all) add_bar("not committed", undated);
  Json rows = Json::array();
  for (const Json* todo : order) {
    if (rows.size() == input.top) break;
    const bool dated = todo->contains("age_days");
    Json row{{"line", integer_at(*todo, "line")},
             {"tag", text_at(*todo, "tag")},
             {"text", text_at(*todo, "text")},
             {"age", dated ? format_age_days(integer_at(*todo, "age_days")) : ""},
             {"author", text_at(*todo, "author")}};
    add_path(row, text_at(*todo, "path"));
    rows.push_back(std::move(row));
  }
  return {{"any", all > 0},
          {"count", format_count(all)},
          {"old", buckets[3].count + buckets[4].count},
          {"dated", undated < all},
          {"chart", chart},
          {"rows", rows}};
}

Json licences_view(const ReportInput& input) {
  Json rows = Json::array();
  std::int64_t sources = 0;
  std::int64_t without = 0;
  for (const Json& licence : list_at(input.code, "licences")) {
    const std::int64_t files = integer_at(licence, "files");
    sources += files;
    if (text_at(licence, "licence").empty()) without = files;
  }
  for (const Json& licence : list_at(input.code, "licences")) {
    if (rows.size() == input.top) break;
    const double share = share_of(integer_at(licence, "files"), sources);
    rows.push_back({{"licence", licence_name(text_at(licence, "licence"))},
                    {"files", format_count(integer_at(licence, "files"))},
                    {"share", format_share(share)},
                    {"bar", rounded(100 * share)}});
  }
  Json files = Json::array();
  for (const Json& file : list_at(input.code, "licence_files")) {
    if (files.size() == input.top) break;
    const std::string licence = text_at(file, "licence");
    files.push_back({{"path", text_at(file, "path")},
                     {"licence", licence.empty() ? "not recognised" : licence}});
  }
  return {{"any", !rows.empty()},        {"rows", rows},
          {"any_files", !files.empty()}, {"files", files},
          {"without_value", without},    {"sources_value", sources}};
}

Json people_view(const ReportInput& input) {
  const Json& authors = list_at(input.churn, "authors");
  std::int64_t changes = 0;
  for (const Json& author : authors) changes += integer_at(author, "changes");
  Json rows = Json::array();
  for (const Json& author : authors) {
    if (rows.size() == input.top) break;
    const std::int64_t days = days_since(input, integer_at(author, "last_s"));
    const double share = share_of(integer_at(author, "changes"), changes);
    rows.push_back({{"name", text_at(author, "name")},
                    {"commits", format_count(integer_at(author, "commits"))},
                    {"changes", format_count(integer_at(author, "changes"))},
                    {"share", format_share(share)},
                    {"last", days <= 0 ? "today" : format_age_days(days) + " ago"}});
  }
  Json directories = Json::array();
  const auto by_changes = ranked(list_at(input.ownership, "directories"), input.top,
                                 [](const Json& entry) { return integer_at(entry, "changes"); });
  for (const Json* directory : by_changes) {
    const Json& owners = list_at(*directory, "owners");
    const double share = owners.empty() ? 0 : owners[0].value("share", 0.0);
    directories.push_back({{"directory", text_at(*directory, "directory") + "/"},
                           {"bus_factor", integer_at(*directory, "bus_factor")},
                           {"people", format_count(integer_at(*directory, "people"))},
                           {"owner", owners.empty() ? "" : text_at(owners[0], "name")},
                           {"share", format_share(share)},
                           {"changes", format_count(integer_at(*directory, "changes"))}});
  }
  const bool with_lines = !input.churn.is_object() || input.churn.value("with_lines", true);
  return {{"any", !rows.empty()},
          {"why", rows.empty() ? why_no_history(input) : ""},
          {"of", with_lines ? "changed lines" : "changes to files"},
          {"rows", rows},
          {"count", format_count(static_cast<std::int64_t>(authors.size()))},
          {"bus_factor", integer_at(input.ownership, "bus_factor")},
          {"any_directories", !directories.empty()},
          {"directories", directories}};
}

}  // namespace symphony::extensions::code
