// Standard output of a command: what did not arrive is a failure, and nobody has to wait for a
// reader that does not read.
//
// After take_over(), `stdout` is a stream that writes through poll(): a signal that the command
// holds back (desk.hpp) ends the waiting, and with it the process. A pipe whose reader is gone ends
// the command by SIGPIPE, as is usual, or, where that is ignored, as an error like any other.
#pragma once

#include "messages/result.hpp"

namespace symphony::cli {

// Once, before anything is printed and before there are threads.
void take_over_standard_output();

// Writes what is still buffered; the error, if any output since the beginning was lost.
Status finish_standard_output();

}  // namespace symphony::cli
