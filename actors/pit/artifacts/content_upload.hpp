// Puts content of any length with bounded memory: begin (construct), append, finish.
//
//   ContentUpload upload(store);
//   for each piece: parts = upload.append(piece); write them when they come (an ArtifactBatch)
//   content = upload.finish(); write it
//
// Parts may be written as they come: until the content is written nothing points at them, and an
// upload that is dropped leaves parts that nobody refers to. Holds less than one part in memory.
// One thread at a time; the store must outlive it. Errors: RESOURCE_EXHAUSTED (too long).
#pragma once

#include "actors/pit/artifacts/artifact_store.hpp"

namespace symphony::actors {

class ContentUpload {
 public:
  explicit ContentUpload(const ArtifactStore& store) : store_(store) {}

  // The parts that `bytes` completed, to be written before what `finish` returns.
  Result<std::vector<PreparedPart>> append(std::string_view bytes);

  // The content, with the last part. REQUIRES: called once.
  Result<PreparedContent> finish();

 private:
  Status emit(ContentCodec& codec, std::string_view part, std::vector<PreparedPart>& out);

  const ArtifactStore& store_;
  Sha256 whole_;
  std::string pending_;  // at most one part
  std::vector<Digest> manifest_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace symphony::actors
