// The half of the component that takes contents and trees in several messages.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/text_view.hpp"

namespace symphony::actors {
namespace {

Error aborted() { return {Errc::CANCELLED, "the upload was aborted"}; }

}  // namespace

Result<std::shared_ptr<Artifacts::Upload>> Artifacts::open_upload(const Header& request) {
  if (uploads_.size() >= options_.uploads_max) {
    return Error{Errc::OVERLOADED,
                 fmt::format("{} uploads are open, no more fit; try again later", uploads_.size()),
                 "", true};
  }
  auto upload = std::make_shared<Upload>();
  upload->id = ++last_upload_;
  upload->sender = request.sender;
  upload->touched = host().now();
  uploads_.emplace(upload->id, upload);
  if (!std::exchange(sweeping_, true)) host().after(kUploadIdle, [this] { sweep_uploads(); });
  line_.touch();
  return upload;
}

Result<std::shared_ptr<Artifacts::Upload>> Artifacts::find_upload(std::uint64_t id,
                                                                  const Header& request) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) {
    return Error{Errc::NOT_FOUND,
                 fmt::format("there is no upload {}; it ended, failed, or was idle for {} s", id,
                             kUploadIdle.count()),
                 "upload"};
  }
  if (found->second->sender != request.sender)
    return Error{Errc::PERMISSION_DENIED, fmt::format("upload {} is another's", id), "upload"};
  found->second->touched = host().now();
  return found->second;
}

void Artifacts::sweep_uploads() {
  const Deadline now = host().now();
  Deadline next = Deadline::max();
  for (auto entry = uploads_.begin(); entry != uploads_.end();) {
    const auto upload = (entry++)->second;
    const Deadline due = upload->touched + kUploadIdle;
    if (upload->busy || due > now)
      next = std::min(next, std::max(due, now + kUploadIdle / 10));
    else
      drop(upload, aborted());
  }
  sweeping_ = !uploads_.empty();
  if (sweeping_) host().after(next - now, [this] { sweep_uploads(); });
}

void Artifacts::drop_uploads_of(std::uint64_t sender) {
  for (auto entry = uploads_.begin(); entry != uploads_.end();) {
    const auto upload = (entry++)->second;
    if (upload->sender == sender) drop(upload, aborted());
  }
}

void Artifacts::drop(const std::shared_ptr<Upload>& upload, const Error& why) {
  uploads_.erase(upload->id);
  for (auto& job : std::exchange(upload->jobs, {})) {
    if (auto* append = std::get_if<AppendCall>(&job))
      bytes_under_way_ -= (*append)->getData().size();
    std::visit([&](auto& call) { call.fail(why); }, job);
    work_done();
  }
  line_.touch();
}

// ---- contents -----------------------------------------------------------------------------------

void Artifacts::begin(Call<protocol::Artifacts::Begin> call) {
  auto draft = read_draft(view(call->getName()), view(call->getMediaType()), call->getLineage());
  if (!draft) return call.fail(draft.error());
  auto upload = open_upload(call.header());
  if (!upload) return call.fail(upload.error());
  (*upload)->draft = std::move(*draft);
  (*upload)->content = std::make_shared<ContentUpload>(*store_);
  call.reply([&](messages::BeginUploadResponse::Builder out) {
    out.setUpload((*upload)->id);
    out.setPartBytes(static_cast<std::uint32_t>(options_.store.part_bytes));
  });
}

void Artifacts::append(AppendCall call) {
  auto found = find_upload(call->getUpload(), call.header());
  if (!found) return call.fail(found.error());
  Upload& upload = **found;
  if (!upload.content || upload.finishing) {
    return call.fail({Errc::FAILED_PRECONDITION,
                      fmt::format("upload {} takes no more parts", upload.id), "upload"});
  }
  const std::size_t size = call->getData().size();
  if (size > options_.store.part_bytes) {
    return call.fail({Errc::INVALID_ARGUMENT,
                      fmt::format("a part has at most {} bytes", options_.store.part_bytes),
                      "data"});
  }
  if (call->getOffset() != upload.accepted_bytes) {
    return call.fail({Errc::FAILED_PRECONDITION,
                      fmt::format("upload {} has {} bytes so far, and this part begins at {}; send "
                                  "the parts in order",
                                  upload.id, upload.accepted_bytes, call->getOffset()),
                      "offset"});
  }
  if (upload.jobs.size() >= kMaxAppendsQueued) {
    return call.fail({Errc::OVERLOADED,
                      fmt::format("{} parts of upload {} are on their way; wait for one of them",
                                  upload.jobs.size(), upload.id),
                      "", true});
  }
  if (auto taken = take_bytes(size); !taken) return call.fail(taken.error());
  upload.accepted_bytes += size;
  ++works_;
  upload.jobs.emplace_back(std::move(call));
  run_next(*found);
}

void Artifacts::finish(FinishCall call) {
  auto found = find_upload(call->getUpload(), call.header());
  if (!found) return call.fail(found.error());
  if (!(*found)->content || (*found)->finishing) {
    return call.fail({Errc::FAILED_PRECONDITION,
                      fmt::format("upload {} cannot be finished so", (*found)->id), "upload"});
  }
  (*found)->finishing = true;
  ++works_;
  (*found)->jobs.emplace_back(std::move(call));
  run_next(*found);
}

void Artifacts::abort(Call<protocol::Artifacts::Abort> call) {
  auto found = find_upload(call->getUpload(), call.header());
  if (!found) return call.fail(found.error());
  drop(*found, aborted());
  call.reply();
}

void Artifacts::run_next(const std::shared_ptr<Upload>& upload) {
  if (upload->busy || upload->jobs.empty()) return;
  upload->busy = true;
  auto job = std::move(upload->jobs.front());
  upload->jobs.pop_front();
  if (auto* call = std::get_if<AppendCall>(&job)) return run_append(upload, std::move(*call));
  run_finish(upload, std::move(std::get<FinishCall>(job)));
}

void Artifacts::job_done(const std::shared_ptr<Upload>& upload) {
  upload->busy = false;
  upload->touched = host().now();
  if (!gone(*upload)) run_next(upload);
  work_done();
}

void Artifacts::run_append(const std::shared_ptr<Upload>& upload, AppendCall call) {
  auto open = std::make_shared<AppendCall>(std::move(call));
  const auto answer = [this, open, upload](const Status& status) {
    bytes_under_way_ -= (*open)->getData().size();
    if (!status) {
      // Some of its bytes are lost: what follows cannot be right any more.
      open->fail(status.error());
      drop(upload, status.error());
    } else if (gone(*upload)) {
      open->fail(aborted());
    } else {
      open->reply();
    }
    job_done(upload);
  };
  host().run_blocking(
      [open, content = upload->content] { return content->append(view((*open)->getData())); },
      [this, answer](Result<std::vector<PreparedPart>> parts) {
        if (!parts) return answer(parts.error());
        if (parts->empty()) return answer({});
        ArtifactBatch batch;
        batch.parts = std::move(*parts);
        store(std::move(batch), [answer](Result<BatchOutcome> outcome) {
          answer(outcome ? Status{} : Status{outcome.error()});
        });
      });
}

void Artifacts::run_finish(const std::shared_ptr<Upload>& upload, FinishCall call) {
  auto open = std::make_shared<FinishCall>(std::move(call));
  const auto fail = [this, open, upload](const Error& error) {
    open->fail(error);
    drop(upload, error);
    job_done(upload);
  };
  host().run_blocking([content = upload->content] { return content->finish(); },
                      [this, open, upload, fail](Result<PreparedContent> content) {
                        if (!content) return fail(content.error());
                        if (gone(*upload)) return fail(aborted());
                        const ContentInfo info = content->info;
                        ArtifactBatch batch;
                        batch.contents.push_back(std::move(*content));
                        if (VersionDraft draft = upload->draft; !draft.name.empty()) {
                          draft.digest = info.digest;
                          draft.created_ms = now_ms();
                          batch.versions.push_back(std::move(draft));
                        }
                        store(std::move(batch),
                              [this, open, upload, fail, info](Result<BatchOutcome> outcome) {
                                if (!outcome) return fail(outcome.error());
                                open->reply([&](messages::FinishUploadResponse::Builder out) {
                                  if (outcome->versions.empty())
                                    write_content(out.initVersion(), info);
                                  else
                                    write_version(out.initVersion(), outcome->versions.front());
                                });
                                drop(upload, aborted());
                                job_done(upload);
                              });
                      });
}

// ---- trees --------------------------------------------------------------------------------------

void Artifacts::commit_tree(Call<protocol::Artifacts::CommitTree> call) {
  auto found = call->getUpload() == 0 ? open_upload(call.header())
                                      : find_upload(call->getUpload(), call.header());
  if (!found) return call.fail(found.error());
  const auto upload = *found;
  if (call->getUpload() == 0) upload->tree = std::make_shared<std::vector<TreeEntry>>();
  if (!upload->tree || upload->finishing) {
    return call.fail({Errc::FAILED_PRECONDITION,
                      fmt::format("upload {} takes no entries of a tree", upload->id), "upload"});
  }
  const auto refuse = [&](const Error& error) {
    call.fail(error);
    drop(upload, error);
  };
  const auto entries = call->getEntries();
  if (upload->tree->size() + entries.size() > kMaxTreeEntries) {
    return refuse({Errc::RESOURCE_EXHAUSTED,
                   fmt::format("a tree has at most {} entries", kMaxTreeEntries), "entries"});
  }
  for (unsigned i = 0; i < entries.size(); ++i) {
    auto entry = read_entry(entries[i], i);
    if (!entry) return refuse(entry.error());
    upload->tree_bytes += entry->path.size() + entry->target.size();
    upload->tree->push_back(std::move(*entry));
  }
  if (upload->tree_bytes > kMaxTreeBytes) {
    return refuse({Errc::RESOURCE_EXHAUSTED,
                   fmt::format("the paths of a tree have at most {} bytes", kMaxTreeBytes),
                   "entries"});
  }
  if (!call->getLast()) {
    return call.reply(
        [&](messages::CommitTreeResponse::Builder out) { out.setUpload(upload->id); });
  }
  auto draft = read_draft(view(call->getName()), kTreeMediaType, call->getLineage());
  if (!draft) return refuse(draft.error());
  upload->draft = std::move(*draft);
  upload->finishing = upload->busy = true;
  finish_tree(upload, std::move(call));
}

void Artifacts::finish_tree(const std::shared_ptr<Upload>& upload,
                            Call<protocol::Artifacts::CommitTree> call) {
  auto open = std::make_shared<Call<protocol::Artifacts::CommitTree>>(std::move(call));
  ++works_;
  const auto end = [this, open, upload](Result<VersionRecord> version) {
    if (version) {
      open->reply([&](messages::CommitTreeResponse::Builder out) {
        out.setUpload(upload->id);
        write_version(out.initVersion(), *version);
      });
    } else {
      open->fail(version.error());
    }
    drop(upload, aborted());
    job_done(upload);
  };
  host().run_blocking(
      [store = store_, entries = upload->tree] {
        return prepare_tree(*store, std::move(*entries));
      },
      [this, upload, end](Result<PreparedTree> tree) {
        if (!tree) return end(tree.error());
        if (gone(*upload)) return end(aborted());
        VersionRecord unnamed;
        unnamed.kind = ArtifactKind::tree;
        unnamed.digest = tree->sizes.digest;
        unnamed.size_bytes = tree->sizes.size_bytes;
        unnamed.stored_size_bytes = tree->sizes.stored_size_bytes;
        unnamed.media_type = kTreeMediaType;
        ArtifactBatch batch;
        batch.contents.push_back(std::move(tree->content));
        if (VersionDraft draft = upload->draft; !draft.name.empty()) {
          draft.kind = ArtifactKind::tree;
          draft.digest = tree->sizes.digest;
          draft.sizes = tree->sizes;
          draft.created_ms = now_ms();
          batch.versions.push_back(std::move(draft));
        }
        store(std::move(batch), [end, unnamed](Result<BatchOutcome> outcome) {
          if (!outcome) return end(outcome.error());
          end(outcome->versions.empty() ? unnamed : outcome->versions.front());
        });
      });
}

}  // namespace symphony::actors
