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

// Whose the run is: Ctrl-C cancels the own, and only leaves another's.
enum class Watching : bool { own, others };

// Shows a run until it ends: a display on a terminal, lines in a pipe, JSON lines with --json; then
// the summary. Ctrl-C cancels the run and waits for it; a second one has its programs killed, and
// leaves. Sets the exit code.
void watch_run(Context& context, Session& session, const WatchedRun& run,
               Watching watching = Watching::own);

}  // namespace symphony::cli
