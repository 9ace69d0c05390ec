#include "extensions/operators/git/people.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace symphony::extensions::git {
namespace {

std::string folded(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

std::size_t People::root_of(std::size_t number) const {
  while (parent_[number] != number) number = parent_[number];
  return number;
}

void People::join(const std::string& key, std::size_t number) {
  const auto [found, added] = first_with_.try_emplace(key, number);
  if (added) return;
  const std::size_t one = root_of(found->second);
  const std::size_t other = root_of(number);
  // The lower number is the root: groups do not depend on how they came about.
  parent_[std::max(one, other)] = std::min(one, other);
}

std::size_t People::add(const Person& person) {
  const auto [found, added] = number_of_.try_emplace({person.name, person.email}, entries_.size());
  const std::size_t number = found->second;
  if (added) {
    entries_.push_back({person, 0});
    parent_.push_back(number);
    const std::string name = folded(person.name);
    const std::string email = folded(person.email);
    if (!name.empty()) join("name " + name, number);
    if (!email.empty()) join("email " + email, number);
  }
  entries_[number].count += 1;
  return number;
}

People::Groups People::groups() const {
  Groups groups;
  std::map<std::size_t, std::size_t> index_of;  // of a root
  std::vector<std::size_t> chosen;
  for (std::size_t number = 0; number < entries_.size(); ++number) {
    const auto [found, added] = index_of.try_emplace(root_of(number), chosen.size());
    groups.group_of.push_back(found->second);
    if (added) {
      chosen.push_back(number);
    } else if (entries_[number].count > entries_[chosen[found->second]].count) {
      chosen[found->second] = number;
    }
  }
  for (const std::size_t number : chosen) {
    Person person = entries_[number].person;
    if (person.name.empty()) person.name = person.email.empty() ? "unknown" : person.email;
    groups.people.push_back(std::move(person));
  }
  return groups;
}

}  // namespace symphony::extensions::git
