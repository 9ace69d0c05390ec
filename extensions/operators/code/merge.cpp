#include "extensions/operators/code/merge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace symphony::extensions::code {
namespace {

constexpr std::array<const char*, 8> kSums = {"bytes", "lines", "code",      "comment",
                                              "blank", "todos", "functions", "complexity"};
constexpr std::array<const char*, 3> kFlags = {"huge", "binary", "generated"};

std::int64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void add_sums(Json& sums, const Json& file) {
  for (const char* key : kSums) sums[key] = number(sums, key) + number(file, key);
  sums["files"] = number(sums, "files") + 1;
}

struct Collected {
  std::vector<Json> files;
  std::vector<Json> todos;
  std::vector<Json> licence_files;
  std::vector<Json> skipped;
};

Status collect(const Json& batches, Collected& all) {
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Json& batch = batches[i];
    const auto append = [&](const char* key, std::vector<Json>& list) {
      if (!batch.is_object() || !batch.contains(key) || !batch[key].is_array()) return false;
      for (const Json& entry : batch[key]) {
        if (!entry.is_object()) return false;
        list.push_back(entry);
      }
      return true;
    };
    if (!append("files", all.files) || !append("todos", all.todos) ||
        !append("licence_files", all.licence_files) || !append("skipped", all.skipped)) {
      return Error{Errc::INVALID_ARGUMENT, "Every batch must be a result of code.scan.",
                   "batches[" + std::to_string(i) + "]"};
    }
  }
  const auto by_place = [](const Json& a, const Json& b) {
    return std::make_tuple(text(a, "path"), number(a, "line")) <
           std::make_tuple(text(b, "path"), number(b, "line"));
  };
  for (auto* list : {&all.files, &all.todos, &all.licence_files, &all.skipped}) {
    std::stable_sort(list->begin(), list->end(), by_place);
  }
  return {};
}

Json sorted_languages(const std::map<std::string, Json>& languages) {
  std::vector<Json> list;
  for (const auto& [name, sums] : languages) list.push_back(sums);
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) {
    return std::make_tuple(number(a, "code"), number(a, "bytes")) >
           std::make_tuple(number(b, "code"), number(b, "bytes"));
  });
  return list;
}

Json sorted_licences(const std::map<std::string, std::int64_t>& files_of, std::int64_t sources) {
  std::vector<Json> list;
  for (const auto& [licence, files] : files_of) {
    const double share = static_cast<double>(files) / static_cast<double>(sources);
    list.push_back(
        {{"licence", licence}, {"files", files}, {"share", std::round(share * 10'000) / 10'000}});
  }
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) {
    return number(a, "files") > number(b, "files");
  });
  return list;
}

}  // namespace

Result<Json> merge_scans(const Json& batches, std::size_t max_todos) {
  Collected all;
  if (auto status = collect(batches, all); !status) return status.error();
  Json totals = Json::object();
  for (const char* key : kSums) totals[key] = 0;
  for (const char* key : kFlags) totals[key] = 0;
  totals["files"] = 0;
  totals["empty"] = 0;
  std::map<std::string, Json> languages;
  std::map<std::string, std::int64_t> licences;
  std::int64_t sources = 0;
  for (Json& file : all.files) {
    file.erase("blocks");
    add_sums(totals, file);
    for (const char* key : kFlags) {
      if (file.value(key, false)) totals[key] = number(totals, key) + 1;
    }
    if (number(file, "bytes") == 0) totals["empty"] = number(totals, "empty") + 1;
    const std::string language = text(file, "language");
    if (!language.empty()) {
      Json& sums = languages[language];
      if (sums.is_null()) sums = {{"language", language}, {"kind", text(file, "kind")}};
      add_sums(sums, file);
    }
    if (text(file, "kind") == "programming" && number(file, "bytes") > 0) {
      licences[text(file, "licence")] += 1;
      ++sources;
    }
  }
  totals["unreadable"] = all.skipped.size();
  totals["sources"] = sources;
  if (all.todos.size() > max_todos) all.todos.resize(max_todos);
  return Json{{"files", std::move(all.files)},
              {"totals", std::move(totals)},
              {"languages", sorted_languages(languages)},
              {"licences", sorted_licences(licences, sources)},
              {"licence_files", std::move(all.licence_files)},
              {"todos", std::move(all.todos)},
              {"skipped", std::move(all.skipped)}};
}

}  // namespace symphony::extensions::code
