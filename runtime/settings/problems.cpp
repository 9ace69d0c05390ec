#include "runtime/settings/problems.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace symphony::runtime {

std::string Problem::text() const {
  auto line = path.empty() ? mark.text_with_column() : mark.text();
  if (!path.empty()) line.append(": ").append(path);
  line.append(": ").append(message);
  if (!suggestion.empty()) line.append(" (did you mean \"").append(suggestion).append("\"?)");
  return line;
}

void Problems::add(Problem problem) {
  if (list_.size() >= kMaxProblems) {
    ++dropped_;
  } else {
    list_.push_back(std::move(problem));
  }
}

void Problems::append(Problems others) {
  for (auto& problem : others.list_) add(std::move(problem));
  dropped_ += others.dropped_;
}

void Problems::sort_by_place() {
  std::map<std::string_view, std::size_t> files;
  for (const auto& problem : list_) {
    if (problem.mark.kind() == SourceMark::Kind::kFile) {
      files.try_emplace(problem.mark.name(), files.size());
    }
  }
  const auto place = [&](const Problem& problem) {
    const auto found = problem.mark.kind() == SourceMark::Kind::kFile
                           ? files.find(problem.mark.name())
                           : files.end();
    const auto file = found == files.end() ? files.size() : found->second;
    return std::tuple{file, problem.mark.line(), problem.mark.column()};
  };
  // Names are viewed inside the list, so places are taken before anything moves.
  std::vector<std::pair<decltype(place(list_[0])), std::size_t>> order;
  for (std::size_t i = 0; i < list_.size(); ++i) order.emplace_back(place(list_[i]), i);
  std::sort(order.begin(), order.end());
  std::vector<Problem> sorted;
  sorted.reserve(list_.size());
  for (const auto& [ignored, position] : order) sorted.push_back(std::move(list_[position]));
  list_ = std::move(sorted);
}

std::string Problems::text() const {
  std::string text;
  for (const auto& problem : list_) text.append(problem.text()).append("\n");
  if (dropped_ > 0) text.append("and ").append(std::to_string(dropped_)).append(" more problems\n");
  return text;
}

}  // namespace symphony::runtime
