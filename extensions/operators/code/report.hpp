// The operator code.report: turns measurements into what a person wants to read.
//
// It ranks, cuts to the top and words findings; chart.svg draws, templates print. Everything
// follows from the arguments: the same measurements and the same `now` give the same report.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions::code {

std::unique_ptr<actors::Operator> make_report();

// ---- parts -------------------------------------------------------------------------------------
struct ReportInput {
  Json code;               // results of code.merge
  Json duplicates;         // of code.duplicates
  Json git;                // of git.info
  Json churn;              // of git.churn
  Json ownership;          // of git.authors
  Json todos;              // dated by git.blame_age
  std::string todos_note;  // why some have no date
  std::int64_t now_s = 0;
  std::size_t top = 15;
};

// Values with a default where a measurement is missing.
std::int64_t integer_at(const Json& object, const char* key);
std::string text_at(const Json& object, const char* key);
const Json& list_at(const Json& object, const char* key);
double share_of(std::int64_t part, std::int64_t whole);

// What git says is missing of the history, over all that was asked of it; empty when nothing is.
std::string history_note(const ReportInput& input);

// A view holds texts and, for chart.svg, lists of numbers ("chart").
Json languages_view(const ReportInput& input);
Json files_view(const ReportInput& input);  // largest and most complex
Json hotspots_view(const ReportInput& input);
Json duplicates_view(const ReportInput& input);
Json todos_view(const ReportInput& input);
Json licences_view(const ReportInput& input);
Json people_view(const ReportInput& input);

// What deserves action, most urgent first: {level: "act" | "watch" | "good", title, text}.
Json findings(const ReportInput& input, const Json& views);

}  // namespace symphony::extensions::code
