#include "actors/orchestration/engine/pit_client.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {
namespace {

kj::ArrayPtr<const kj::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

void write_lineage(messages::Lineage::Builder out, std::string_view run, std::string_view node,
                   std::span<const std::string> parents) {
  out.setRun(std::string(run));
  out.setNode(std::string(node));
  auto list = out.initParents(static_cast<unsigned>(parents.size()));
  for (unsigned i = 0; i < parents.size(); ++i) list.set(i, parents[i]);
}

}  // namespace

Deadline PitClient::limited(Deadline by) const { return std::min(by, asker_.now() + kAskTimeout); }

WaitingRef<protocol::Artifacts>& PitClient::artifacts() {
  if (!artifacts_) artifacts_.emplace(asker_);
  return *artifacts_;
}

Result<std::vector<std::string>> PitClient::store(std::span<const ArtifactDraft> drafts,
                                                  std::string_view node,
                                                  std::span<const std::string> parents,
                                                  Deadline by) {
  std::vector<std::string> digests(drafts.size());
  std::vector<std::size_t> small;
  std::size_t small_bytes = 0;
  const auto put_small = [&] {
    Status status = small.empty() ? Status{} : put(drafts, small, node, parents, by, digests);
    small.clear();
    small_bytes = 0;
    return status;
  };
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (drafts[i].content.size() > kSmallBytes) {
      auto digest = upload(drafts[i], node, parents, by);
      if (!digest) return std::move(digest).error();
      digests[i] = std::move(*digest);
      continue;
    }
    if (small.size() == kPutDraftsMax || small_bytes + drafts[i].content.size() > kPutBytesMax)
      if (Status status = put_small(); !status) return status.error();
    small.push_back(i);
    small_bytes += drafts[i].content.size();
  }
  if (Status status = put_small(); !status) return status.error();
  return digests;
}

Status PitClient::put(std::span<const ArtifactDraft> drafts, std::span<const std::size_t> which,
                      std::string_view node, std::span<const std::string> parents, Deadline by,
                      std::vector<std::string>& digests) {
  const auto answer = artifacts()
                          .put([&](auto request) {
                            auto list = request.initDrafts(static_cast<unsigned>(which.size()));
                            for (unsigned i = 0; i < which.size(); ++i) {
                              const ArtifactDraft& draft = drafts[which[i]];
                              list[i].setContent(bytes_of(draft.content));
                              list[i].setName(draft.name);
                              list[i].setMediaType(draft.media_type);
                            }
                            write_lineage(request.initLineage(), run_, node, parents);
                          })
                          .by(limited(by))
                          .get();
  if (!answer) return answer.error();
  const auto versions = (*answer)->getVersions();
  if (versions.size() != which.size())
    return Error{Errc::INTERNAL, "the artifact store answered " + std::to_string(versions.size()) +
                                     " versions for " + std::to_string(which.size()) + " drafts"};
  for (unsigned i = 0; i < which.size(); ++i) digests[which[i]] = versions[i].getDigest().cStr();
  return {};
}

Result<std::string> PitClient::upload(const ArtifactDraft& draft, std::string_view node,
                                      std::span<const std::string> parents, Deadline by) {
  const auto begun = artifacts()
                         .begin([&](auto request) {
                           request.setName(draft.name);
                           request.setMediaType(draft.media_type);
                           write_lineage(request.initLineage(), run_, node, parents);
                         })
                         .by(limited(by))
                         .get();
  if (!begun) return begun.error();
  const std::uint64_t upload = (*begun)->getUpload();
  const std::size_t part_bytes = std::max<std::size_t>((*begun)->getPartBytes(), 1);
  const auto give_up = [&](const Error& error) {
    // The upload would be dropped in time anyway; what counts is why.
    (void)artifacts().abort([&](auto request) { request.setUpload(upload); }).get();
    return error;
  };
  const std::string_view content = draft.content;
  for (std::size_t offset = 0; offset < content.size(); offset += part_bytes) {
    const auto appended = artifacts()
                              .append([&](auto request) {
                                request.setUpload(upload);
                                request.setOffset(offset);
                                request.setData(bytes_of(content.substr(offset, part_bytes)));
                              })
                              .by(limited(by))
                              .get();
    if (!appended) return give_up(appended.error());
  }
  const auto finished =
      artifacts().finish([&](auto request) { request.setUpload(upload); }).by(limited(by)).get();
  if (!finished) return finished.error();
  return std::string((*finished)->getVersion().getDigest().cStr());
}

Result<std::string> PitClient::load(std::string_view digest, Deadline by) {
  std::string content;
  for (;;) {
    const auto part = artifacts()
                          .read([&](auto request) {
                            request.setRef(std::string(digest));
                            request.setOffset(content.size());
                          })
                          .by(limited(by))
                          .get();
    if (!part) return part.error();
    const std::uint64_t total = (*part)->getTotalBytes();
    if (total > kLoadBytesMax)
      return Error{Errc::RESOURCE_EXHAUSTED, "artifact " + std::string(digest) + " has " +
                                                 std::to_string(total) + " bytes, at most " +
                                                 std::to_string(kLoadBytesMax) +
                                                 " can be loaded as a whole"};
    const auto data = (*part)->getData();
    content.append(reinterpret_cast<const char*>(data.begin()), data.size());
    if (content.size() >= total) return content;
    if (data.size() == 0)
      return Error{Errc::DATA_CORRUPT, "artifact " + std::string(digest) + " ends early"};
  }
}

Result<std::vector<JournalledResult>> PitClient::results(NodeId first, std::uint32_t count,
                                                         Deadline by) {
  WaitingRef<protocol::Dag> dag{asker_};
  const auto page = dag.results([&](auto request) {
                         request.setRun(run_);
                         request.setOffset(first);
                         request.setMax(std::min(count, kResultsPageMax));
                       })
                        .by(limited(by))
                        .get();
  if (!page) return page.error();
  std::vector<JournalledResult> results;
  for (const auto row : (*page)->getNodes())
    results.push_back({row.getStatus(), row.getResultJson().cStr(), row.getResultDigest().cStr()});
  if (results.empty())
    return Error{Errc::NOT_FOUND,
                 "the journal of run " + run_ + " has no node " + std::to_string(first)};
  return results;
}

}  // namespace symphony::actors
