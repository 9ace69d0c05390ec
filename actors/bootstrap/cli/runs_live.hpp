// What can be done with runs: following, watching, cancelling and removing them.
#pragma once

#include <string>
#include <vector>

#include "actors/bootstrap/cli/context.hpp"

namespace symphony::cli {

// Prints a line for each run that begins or ends, until a signal comes.
void follow_runs(Context& context);

// Shows a run until it ends; it is not this command's, and goes on when that leaves.
void watch_one(Context& context, const std::string& id);

// Cancels each run, by its id or the unique beginning of it; answered when nothing of it runs.
void cancel_runs(Context& context, const std::vector<std::string>& ids);

// Forgets each run that is not under way: its record, what its nodes gave and printed.
void remove_runs(Context& context, const std::vector<std::string>& ids);

}  // namespace symphony::cli
