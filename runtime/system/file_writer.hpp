// Writes a file so that nothing is destroyed: the one way in which this product writes files for
// people.
//
//   auto file = FileWriter::open(path);
//   file->write(bytes); …
//   file->commit();
//
// Until `commit` the old file stands as it was; after it the new one is there, whole and durable,
// through a crash or power loss at any moment. Without `commit` nothing happened.
//
// What stands at the path decides how:
// - nothing, or a regular file: the bytes go to a new file beside it, whose name nobody else has,
//   which is synced and takes the name. A file that is replaced hands down its permissions, and
//   its owner where that is allowed.
// - a symbolic link: the same for what it leads to, also where that is not there yet. The link
//   stays.
// - a pipe or a device (/dev/null, /dev/stdout): the bytes go into it as they come. There is no
//   taking back, and nothing is replaced.
// - a directory or a socket: refused.
//
// What a crash left beside other files of the directory is removed by the next writer there:
// whoever writes holds a lock on his file, so a file of that kind that nobody locks is nobody's.
//
// Thread-safety: one thread at a time for each writer; any number of writers, in any number of
// processes, also for the same path: the last to commit wins.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::runtime {

struct FileWriterOptions {
  // Creates the directories that are missing above it, durably, with mode 0777 less the umask.
  bool create_directories = false;
  unsigned mode = 0666;  // of a new file, less the umask
  // Asked some ten times a second while a pipe has no reader or is full: an error ends the wait and
  // is handed on. Without it nobody waits for a reader: failedPrecondition.
  std::function<Status()> going_on = {};
};

class FileWriter {
 public:
  // Errors: as the system gives them (system_error.hpp), invalidArgument for a directory or socket.
  static Result<FileWriter> open(const std::filesystem::path& path, FileWriterOptions options = {});

  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();

  Status write(std::string_view bytes);
  // Leaves a hole of `size_bytes`, which read as zeros; into a pipe or device it writes them.
  Status skip(std::uint64_t size_bytes);
  // Once. After an error nothing has been replaced.
  Status commit();

 private:
  FileWriter() = default;
  Status open_special();
  Status open_beside();
  Status wait_until_writable();

  std::filesystem::path path_;       // as it was given, for errors
  std::filesystem::path target_;     // what is replaced: the end of all links
  std::filesystem::path temporary_;  // empty: written through, or done
  std::optional<struct stat> replaced_;
  FileWriterOptions options_;
  Descriptor file_;
};

// All of it at once.
Status write_file(const std::filesystem::path& path, std::string_view bytes,
                  FileWriterOptions options = {});

}  // namespace symphony::runtime
