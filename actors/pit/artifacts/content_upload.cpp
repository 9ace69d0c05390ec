#include "actors/pit/artifacts/content_upload.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace symphony::actors {

Status ContentUpload::emit(ContentCodec& codec, std::string_view part,
                           std::vector<PreparedPart>& out) {
  if (manifest_.size() == kMaxPartsPerContent) {
    return Error{.code = Errc::RESOURCE_EXHAUSTED,
                 .message = fmt::format("an artifact has at most {} parts of {} bytes; split it",
                                        kMaxPartsPerContent, store_.options().part_bytes)};
  }
  whole_.update(part);
  auto prepared = store_.prepare_part(codec, part);
  if (!prepared) return std::move(prepared).error();
  manifest_.push_back(prepared->digest);
  size_bytes_ += part.size();
  stored_bytes_ += prepared->stored_size_bytes;
  out.push_back(std::move(*prepared));
  return {};
}

Result<std::vector<PreparedPart>> ContentUpload::append(std::string_view bytes) {
  const auto part_bytes = store_.options().part_bytes;
  std::vector<PreparedPart> out;
  auto codec = store_.codecs().lease();
  while (!bytes.empty()) {
    // A full part waits for more bytes: content of exactly one part is kept in place.
    if (pending_.size() == part_bytes) {
      if (auto emitted = emit(*codec, pending_, out); !emitted) return std::move(emitted).error();
      pending_.clear();
    }
    if (pending_.empty() && bytes.size() > part_bytes) {
      if (auto emitted = emit(*codec, bytes.substr(0, part_bytes), out); !emitted) {
        return std::move(emitted).error();
      }
      bytes.remove_prefix(part_bytes);
      continue;
    }
    const auto taken = std::min(bytes.size(), part_bytes - pending_.size());
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
  }
  return out;
}

Result<PreparedContent> ContentUpload::finish() {
  if (manifest_.empty()) return store_.prepare(pending_);
  std::vector<PreparedPart> last;
  {
    auto codec = store_.codecs().lease();
    if (auto emitted = emit(*codec, pending_, last); !emitted) return std::move(emitted).error();
  }
  auto content =
      store_.prepare_manifest({whole_.finish(), size_bytes_, stored_bytes_}, std::move(manifest_));
  if (content) content->parts = std::move(last);
  return content;
}

}  // namespace symphony::actors
