// How the `symphony` command ends, one code for each reason a script would tell apart.
// docs/exit-codes.md is the same table for people.
#pragma once

namespace symphony::bootstrap {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,        // the work failed; the node is unhealthy; what was named is not there
  kExitUsage = 2,         // bad arguments, settings, melody or input: nothing was changed
  kExitNoNode = 3,        // no node answers
  kExitNameTaken = 4,     // a node of that name is running, or its data is in use
  kExitBootFailed = 5,    // a phase failed or timed out; everything was rolled back
  kExitEscalated = 6,     // components died too often for their supervisors
  kExitStopTimedOut = 7,  // a stop did not end in time: the process left without it
  kExitWorkersLost = 8,   // half of the worker threads or more are stuck in handlers
  kExitCancelled = 130,   // Ctrl-C
};

}  // namespace symphony::bootstrap
