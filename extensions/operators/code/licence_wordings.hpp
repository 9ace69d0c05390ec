// The wordings of licences: their titles, and the notices that name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace symphony::extensions::code {

// Lower case, with runs of blanks, quotes and comment decoration as one space: wordings break over
// lines.
std::string flattened(std::string_view text);

// The licence whose text this is: one whose title stands at the beginning. Empty for none.
std::string titled_licence(std::string_view flat);

// The licences that are named by notices, in their order, each once.
std::vector<std::string> noticed_licences(std::string_view flat);

// Whether the text leaves it to the reader which of its licences to take.
bool offers_choice(std::string_view flat);

// "GPL-2.0+" and "GPL-2.0" as SPDX writes them today; others as they are.
std::string current_identifier(std::string_view identifier);

}  // namespace symphony::extensions::code
