// symphony artifact put: a file or standard input
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/bootstrap/cli/upload.hpp"
#include "runtime/system/fs.hpp"

namespace symphony::cli {

Result<std::size_t> read_full(Desk& desk, int file, std::string& buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    if (!desk.await_readable(file)) return Error{Errc::CANCELLED, "interrupted"};
    const auto count = ::read(file, buffer.data() + filled, buffer.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return runtime::system_error("read", "it", errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

Result<Msg<messages::FinishUploadResponse>> upload(
    Session& session, int file, const UploadTarget& target,
    const std::function<void(std::uint64_t durable_bytes)>& on_progress) {
  const Ref<protocol::Artifacts> artifacts{session.client()};
  const auto begun =
      session.desk().await(artifacts.begin([&](messages::BeginUploadRequest::Builder request) {
        request.setName(target.name);
        request.setMediaType(target.media_type);
      }));
  if (!begun) return begun.error();
  const auto id = (*begun)->getUpload();
  const auto give_up = [&](const Error& error) -> Result<Msg<messages::FinishUploadResponse>> {
    session.desk().ask(
        artifacts.abort([&](messages::AbortUploadRequest::Builder r) { r.setUpload(id); }),
        [](auto) {});
    return error;
  };
  Pipeline<protocol::Artifacts::Append> appends{session.desk(), kPartsUnderWay};
  std::string part((*begun)->getPartBytes(), '\0');
  std::uint64_t offset = 0;
  for (;;) {
    const auto count = read_full(session.desk(), file, part);
    if (!count) return give_up(count.error());
    if (*count == 0) break;
    auto ask = artifacts.append([&](messages::AppendUploadRequest::Builder request) {
      request.setUpload(id);
      request.setOffset(offset);
      request.setData({reinterpret_cast<const kj::byte*>(part.data()), *count});
    });
    offset += *count;
    const auto sent = appends.send(std::move(ask).within(kStoreTimeout), [&, offset](const auto&) {
      on_progress(offset);
      return Status{};
    });
    if (!sent) return give_up(sent.error());
    if (*count < part.size()) break;
  }
  if (const auto done = appends.finish(); !done) return give_up(done.error());
  auto finish = artifacts.finish(
      [&](messages::FinishUploadRequest::Builder request) { request.setUpload(id); });
  return session.desk().await(std::move(finish).within(kStoreTimeout));
}

void put_file(Context& context, Session& session, const PutArguments& arguments) {
  const bool standard_input = arguments.source == "-";
  runtime::Descriptor file{standard_input ? ::dup(0)
                                          : ::open(arguments.source.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid())
    return context.fail(bootstrap::kExitUsage,
                        runtime::system_error("open", arguments.source, errno).message);
  struct stat about {};
  const bool regular = ::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode);
  if (S_ISDIR(about.st_mode))
    return context.fail(bootstrap::kExitUsage, "cannot read " + arguments.source +
                                                   ": it is a directory; --tree stores one");
  TransferMeter meter{"storing", regular ? static_cast<std::uint64_t>(about.st_size) : 0};
  const auto stored =
      upload(session, file.get(), {arguments.name, arguments.media_type},
             [&](std::uint64_t bytes) { meter.advance(bytes, human_bytes(bytes)); });
  meter.clear();
  if (!stored) return fail_transfer(context, session, stored.error());
  print_version(context, (*stored)->getVersion());
}

}  // namespace symphony::cli
