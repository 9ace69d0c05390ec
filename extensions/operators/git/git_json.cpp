#include "extensions/operators/git/git_json.hpp"

#include <algorithm>
#include <cmath>

#include "extensions/operators/paths.hpp"
#include "runtime/text/format.hpp"

namespace symphony::extensions::git {
namespace {

using runtime::format_utc;

double rounded(double share) { return std::round(share * 10'000) / 10'000; }

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Json to_json(const AuthorActivity& author) {
  return {{"name", author.name},
          {"email", author.email},
          {"commits", author.commits},
          {"changes", author.changes},
          {"files", author.files},
          {"first_s", author.first_s},
          {"first", format_utc(author.first_s)},
          {"last_s", author.last_s},
          {"last", format_utc(author.last_s)}};
}

Json to_json(const FileChurn& file, const std::vector<AuthorActivity>& authors, bool with_lines) {
  Json owners = Json::array();
  std::int64_t all = 0;
  for (std::size_t i = 0; i < file.owners.size(); ++i) {
    all += file.owners[i].second;
    if (i < kMaxOwnersListed) owners.push_back({file.owners[i].first, file.owners[i].second});
  }
  const auto& [top, top_changes] = file.owners.front();
  return {
      {"path", encode_path(file.path)},
      {"commits", file.commits},
      {"lines_added", with_lines ? Json(file.added) : Json()},
      {"lines_removed", with_lines ? Json(file.removed) : Json()},
      {"last_change_s", file.last_change_s},
      {"last_change", format_utc(file.last_change_s)},
      {"first_change_s", file.first_change_s},
      {"authors", file.owners.size()},
      {"top_author", authors[top].name},
      {"top_author_share", rounded(static_cast<double>(top_changes) / static_cast<double>(all))},
      {"owners", std::move(owners)}};
}

Json to_json(const Ownership& ownership, const std::vector<AuthorActivity>& authors) {
  Json owners = Json::array();
  for (const Owner& owner : ownership.owners) {
    owners.push_back({{"name", authors[owner.author].name},
                      {"email", authors[owner.author].email},
                      {"changes", owner.changes},
                      {"share", rounded(owner.share)}});
  }
  return {{"directory", encode_path(ownership.directory)},
          {"files", ownership.files},
          {"changes", ownership.changes},
          {"people", ownership.people},
          {"bus_factor", ownership.bus_factor},
          {"owners", std::move(owners)}};
}

Json to_json(const Commit& commit) {
  Json files = Json::array();
  for (const FileChange& change : commit.changes) files.push_back(encode_path(change.path));
  return {{"id", commit.id},
          {"time_s", commit.time_s},
          {"time", format_utc(commit.time_s)},
          {"author", commit.author.name},
          {"email", commit.author.email},
          {"summary", commit.summary},
          {"merge", commit.merge},
          {"files", commit.unread ? Json() : std::move(files)}};
}

std::vector<OwnedFile> owned_files(const Json& files, std::size_t author_count) {
  std::vector<OwnedFile> result;
  for (const Json& file : files) {
    if (!file.is_object() || !file.contains("owners") || !file["owners"].is_array()) continue;
    OwnedFile owned{decode_path(text_of(file, "path")), {}};
    for (const Json& owner : file["owners"]) {
      if (!owner.is_array() || owner.size() != 2 || !owner[0].is_number_integer() ||
          !owner[1].is_number_integer()) {
        continue;
      }
      const auto author = owner[0].get<std::int64_t>();
      if (author < 0 || author >= static_cast<std::int64_t>(author_count)) continue;
      owned.owners.emplace_back(static_cast<std::size_t>(author), owner[1].get<std::int64_t>());
    }
    if (!owned.path.empty() && !owned.owners.empty()) result.push_back(std::move(owned));
  }
  return result;
}

std::vector<AuthorActivity> authors_of(const Json& authors) {
  std::vector<AuthorActivity> result;
  for (const Json& author : authors) {
    if (!author.is_object()) continue;
    result.push_back({.name = text_of(author, "name"),
                      .email = text_of(author, "email"),
                      .commits = number_of(author, "commits"),
                      .changes = number_of(author, "changes"),
                      .files = number_of(author, "files"),
                      .first_s = number_of(author, "first_s"),
                      .last_s = number_of(author, "last_s")});
  }
  return result;
}

}  // namespace symphony::extensions::git
