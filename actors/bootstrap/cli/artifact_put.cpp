// symphony artifact put: a file or standard input
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/bootstrap/cli/upload.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {

Upload::Upload(Session& session, UploadTarget target,
               std::function<void(std::uint64_t bytes)> on_progress)
    : session_(session),
      target_(std::move(target)),
      on_progress_(std::move(on_progress)),
      artifacts_(session.client()),
      appends_(session.desk(), kPartsUnderWay) {}

Upload::~Upload() {
  if (id_ == 0) return;
  session_.desk().ask(
      artifacts_.abort([&](messages::AbortUploadRequest::Builder r) { r.setUpload(id_); }),
      [](auto) {});
}

Status Upload::begin() {
  const auto begun =
      session_.desk().await(artifacts_.begin([&](messages::BeginUploadRequest::Builder request) {
        request.setName(target_.name);
        request.setMediaType(target_.media_type);
      }));
  if (!begun) return begun.error();
  id_ = (*begun)->getUpload();
  part_bytes_ = (*begun)->getPartBytes();
  return {};
}

Status Upload::append(std::string_view part) {
  auto ask = artifacts_.append([&](messages::AppendUploadRequest::Builder request) {
    request.setUpload(id_);
    request.setOffset(offset_);
    request.setData({reinterpret_cast<const kj::byte*>(part.data()), part.size()});
  });
  offset_ += part.size();
  return appends_.send(std::move(ask).within(kStoreTimeout),
                       [this, durable = offset_](const auto&) {
                         on_progress_(durable);
                         return Status{};
                       });
}

Result<Msg<messages::FinishUploadResponse>> Upload::finish() {
  if (const auto done = appends_.finish(); !done) return done.error();
  auto finish = artifacts_.finish(
      [&](messages::FinishUploadRequest::Builder request) { request.setUpload(id_); });
  auto answer = session_.desk().await(std::move(finish).within(kStoreTimeout));
  if (answer) id_ = 0;
  return answer;
}

Result<std::size_t> read_full(Desk& desk, int file, std::string& buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    if (!desk.await_readable(file)) return Error{Errc::CANCELLED, "interrupted"};
    const auto count = ::read(file, buffer.data() + filled, buffer.size() - filled);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return runtime::system_error("read", "it", errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

namespace {

using Stored = Result<Msg<messages::FinishUploadResponse>>;

// Hands over what `next(buffer)` gives until that is nothing.
template <class Next>
Stored upload_all(Upload& upload, Next&& next) {
  if (auto begun = upload.begin(); !begun) return begun.error();
  std::string part(upload.part_bytes(), '\0');
  while (true) {
    const Result<std::size_t> count = next(part);
    if (!count) return count.error();
    if (*count == 0) return upload.finish();
    if (auto sent = upload.append(std::string_view(part).substr(0, *count)); !sent)
      return sent.error();
    if (*count < part.size()) return upload.finish();
  }
}

class FilePut {
 public:
  FilePut(Session& session, const PutArguments& arguments, TransferMeter& meter)
      : session_(session), arguments_(arguments), meter_(meter) {}

  // Whatever ends: a pipe, a terminal, a file that states no size.
  Stored stream(int file) {
    Upload upload = fresh();
    return upload_all(upload,
                      [&](std::string& part) { return read_full(session_.desk(), file, part); });
  }

  // A file, as it was at one moment.
  Stored file(actors::FileReading& file) {
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      if (attempt > 0) {
        if (auto again = file.again(); !again) return again.error();
      }
      Upload upload = fresh();
      bool whole = true;
      auto stored = upload_all(upload, [&](std::string& part) -> Result<std::size_t> {
        auto count = file.read(part.data(), part.size());
        if (!count || *count == part.size()) return count;
        // The end: nothing may be finished that is a mixture.
        const auto unchanged = file.unchanged();
        if (!unchanged) return unchanged.error();
        whole = *unchanged;
        if (!whole) return Error{Errc::FAILED_PRECONDITION, "it changed while it was read"};
        return count;
      });
      if (stored || whole) return stored;
    }
    return Error{Errc::FAILED_PRECONDITION,
                 fmt::format("{} changed while it was read, {} times; nothing was stored",
                             runtime::display_path(arguments_.source), kReadAttempts)};
  }

 private:
  Upload fresh() {
    return Upload{session_, {arguments_.name, arguments_.media_type}, [this](std::uint64_t bytes) {
                    meter_.advance(bytes, human_bytes(bytes));
                  }};
  }

  Session& session_;
  const PutArguments& arguments_;
  TransferMeter& meter_;
};

}  // namespace

void put_file(Context& context, Session& session, const PutArguments& arguments) {
  const bool standard_input = arguments.source == "-";
  // O_NONBLOCK: a pipe that nobody writes to yet is waited for where Ctrl-C is heard.
  runtime::Descriptor file{standard_input ? ::dup(0)
                                          : ::open(arguments.source.c_str(),
                                                   O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat about {};
  if (!file.valid() || ::fstat(file.get(), &about) != 0)
    return context.fail(bootstrap::kExitUsage,
                        runtime::system_error("open", arguments.source, errno).message);
  if (S_ISDIR(about.st_mode))
    return context.fail(bootstrap::kExitUsage, "cannot read " + arguments.source +
                                                   ": it is a directory; --tree stores one");
  // Files of /proc state no size.
  const bool regular = !standard_input && S_ISREG(about.st_mode) && about.st_size > 0;
  TransferMeter meter{"storing", regular ? static_cast<std::uint64_t>(about.st_size) : 0};
  FilePut put{session, arguments, meter};
  const auto stored = [&]() -> Stored {
    if (!regular) return put.stream(file.get());
    auto reading = actors::FileReading::of(std::move(file));
    if (!reading) return reading.error();
    return put.file(*reading);
  }();
  meter.clear();
  if (!stored) return fail_transfer(context, session, stored.error());
  print_version(context, (*stored)->getVersion());
}

}  // namespace symphony::cli
