#include "actors/bootstrap/cli/command.hpp"

int main(int argc, char** argv) { return symphony::cli::run_command(argc, argv); }
