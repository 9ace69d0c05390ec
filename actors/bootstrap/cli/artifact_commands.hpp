// What the artifact commands share.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/artifacts.protocol.hpp"

namespace symphony::cli {

// Parts under way at a time: with the part size, what a transfer takes of memory.
inline constexpr std::size_t kPartsUnderWay = 4;
// How often a file that changes while it is read is read before it is given up.
inline constexpr int kReadAttempts = 3;
// Storing a batch waits for the disk, perhaps behind others.
inline constexpr std::chrono::minutes kStoreTimeout{5};

struct PutArguments {
  std::string source;  // a file, or "-"
  std::string name;
  std::string media_type;
  std::string tree;  // a directory; empty: `source` is meant
  bool verbose = false;
};
struct GetArguments {
  std::string ref;
  std::string output;
};

void put_file(Context& context, Session& session, const PutArguments& arguments);
void put_tree(Context& context, Session& session, const PutArguments& arguments);
void get_artifact(Context& context, Session& session, const GetArguments& arguments);

// Prints what went wrong with an ask; Ctrl-C has its own words and exit code.
void fail_transfer(Context& context, Session& session, const Error& error);

// "name@3  sha256:…  12.3 MiB", or the JSON of it.
void print_version(const Context& context, messages::ArtifactVersion::Reader version);

// How far something long is, on standard error when that is a terminal; else nothing.
class TransferMeter {
 public:
  // `what` as in "storing"; `total` 0: not known.
  TransferMeter(std::string what, std::uint64_t total);
  void set_total(std::uint64_t total) { total_ = total; }
  bool shown() const noexcept { return shown_; }
  // Draws at most ten times a second.
  void advance(std::uint64_t done, const std::string& details);
  void clear() { live_.clear(); }

 private:
  const std::string what_;
  std::uint64_t total_;
  const bool shown_;
  LiveLines live_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace symphony::cli
