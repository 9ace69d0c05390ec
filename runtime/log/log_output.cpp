#include "runtime/log/log_output.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::runtime {
namespace {

class SpdlogSink final : public LogSink {
 public:
  explicit SpdlogSink(std::shared_ptr<spdlog::sinks::sink> sink) : sink_(std::move(sink)) {
    // The line is finished already.
    sink_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  }
  void write(std::string_view line) override {
    sink_->log(spdlog::details::log_msg(spdlog::string_view_t(), spdlog::level::info,
                                        spdlog::string_view_t(line.data(), line.size())));
  }
  void flush() override { sink_->flush(); }

 private:
  std::shared_ptr<spdlog::sinks::sink> sink_;
};

}  // namespace

LogFormat console_format(bool is_terminal, const char* no_color, const char* term) noexcept {
  if (!is_terminal) return LogFormat::kJson;
  if (no_color != nullptr && *no_color != '\0') return LogFormat::kText;
  if (term == nullptr || std::string_view(term) == "dumb") return LogFormat::kText;
  return LogFormat::kColouredText;
}

LogOutput console_output() {
  return {
      std::make_unique<SpdlogSink>(std::make_shared<spdlog::sinks::stderr_sink_st>()),
      console_format(::isatty(STDERR_FILENO) == 1, std::getenv("NO_COLOR"), std::getenv("TERM"))};
}

Result<LogOutput> file_output(const std::string& path, std::size_t size_max_bytes,
                              std::size_t files_max) {
  if (size_max_bytes == 0)
    return Error{Errc::INVALID_ARGUMENT,
                 "the size limit of the log file " + path + " must be at least one byte"};
  const auto directory = std::filesystem::path(path).parent_path();
  const auto there = directory.empty() ? Result<bool>(true) : directory_exists(directory);
  if (!there) return there.error();
  if (!*there)
    return Error{Errc::NOT_FOUND, "there is no directory " + display_path(directory.native()) +
                                      " for the log file: create it, or name another file"};
  try {
    auto sink =
        std::make_shared<spdlog::sinks::rotating_file_sink_st>(path, size_max_bytes, files_max);
    return LogOutput{std::make_unique<SpdlogSink>(std::move(sink)), LogFormat::kJson};
  } catch (const std::exception& failure) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "cannot open the log file " + path + ": " + failure.what()};
  }
}

}  // namespace symphony::runtime
