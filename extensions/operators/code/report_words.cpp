#include "extensions/operators/code/report.hpp"

namespace symphony::extensions::code {

std::int64_t integer_at(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& list_at(const Json& object, const char* key) {
  static const Json kNothing = Json::array();
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNothing;
}

std::string history_note(const ReportInput& input) {
  std::string note = text_at(input.git, "note");
  const std::string first = note;
  for (std::string more : {text_at(input.churn, "note"), input.todos_note}) {
    // Each begins with what all of them say of the repository.
    if (more.starts_with(first)) more.erase(0, first.size());
    if (more.starts_with(' ')) more.erase(0, 1);
    if (more.empty() || note.find(more) != std::string::npos) continue;
    note += (note.empty() ? "" : " ") + more;
  }
  return note;
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace symphony::extensions::code
