// The results of the git operators as JSON, and files with their owners read back from it.
#pragma once

#include <string>
#include <vector>

#include "extensions/operators/git/churn.hpp"
#include "extensions/operators/git/ownership.hpp"
#include "messages/json_value.hpp"

namespace symphony::extensions::git {

// Owners of one file beyond this are summed up by nobody: the small shares decide nothing.
inline constexpr std::size_t kMaxOwnersListed = 16;

Json to_json(const AuthorActivity& author);
// Owners are [[author index, changes], ...]; lines are null where they were not counted.
Json to_json(const FileChurn& file, const std::vector<AuthorActivity>& authors, bool with_lines);
Json to_json(const Ownership& ownership, const std::vector<AuthorActivity>& authors);
// `files` is null where they cannot be read.
Json to_json(const Commit& commit);

// Entries without path or owners are left out.
std::vector<OwnedFile> owned_files(const Json& files, std::size_t author_count);
std::vector<AuthorActivity> authors_of(const Json& authors);

}  // namespace symphony::extensions::git
