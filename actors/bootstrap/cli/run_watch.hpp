// Follows a run to its end.
#pragma once

#include <string>

namespace symphony::cli {

struct Context;
class Session;

struct WatchedRun {
  std::string id;
  std::string melody;
};

// Shows a run until it ends: a display on a terminal, lines in a pipe, JSON lines with --json; then
// the summary. Ctrl-C cancels the run and waits for it; a second one leaves. Sets the exit code.
void watch_run(Context& context, Session& session, const WatchedRun& run);

}  // namespace symphony::cli
