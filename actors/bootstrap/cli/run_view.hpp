// What a run looks like: as a display that is redrawn, as lines in a pipe, and at its end. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/orchestration.capnp.h"

namespace symphony::cli {

// "succeeded", as the schema names it.
const char* word_of(messages::RunStatus status);
const char* word_of(messages::NodeStatus status);

struct ViewOptions {
  int columns = 80;
  int rows = 24;
  bool coloured = false;
  unsigned frame = 0;       // which drawing this is: moves the signs of what is running
  bool cancelling = false;  // Ctrl-C was pressed
};

// The display of a run: a heading with the overall bar, then a line a node in the order of the
// melody: sign, name, mark of the critical path (◆), operator, and k of n with a bar, or time, or
// the first error. When there are more nodes than rows, the lines that say most stay: what failed,
// what runs, what is next; the last line counts the others. At most `rows` lines, none wider than
// `columns`.
std::vector<std::string> progress_lines(messages::RunProgressResponse::Reader progress,
                                        const std::string& melody, const ViewOptions& options);

// One event as a line without its end, or nothing when it does not matter to a person: what starts,
// and children that end well.
std::optional<std::string> event_line(messages::RunEvent::Reader event);

// How a run ended, with what to do next; ends with a newline.
std::string summary_text(messages::RunSummary::Reader summary, const std::string& melody,
                         const std::string& run, const ViewOptions& options);

}  // namespace symphony::cli
