#include "actors/pit/artifacts/artifacts.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/component/services.hpp"
#include "runtime/system/system_error.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::actors {

using runtime::Step;

namespace {

Error overdue() {
  return {Errc::DEADLINE_EXCEEDED, "the answer was due before the work was begun", "", true};
}

}  // namespace

Artifacts::Artifacts(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
                     ArtifactsOptions options)
    : ComponentOf(host),
      storage_(storage),
      writer_(writer, host.fence()),
      options_(options),
      mailbox_(host.mailbox()),
      line_(host, [this] { return describe(); }) {}

// ---- lifecycle ----------------------------------------------------------------------------------

void Artifacts::prepare(Step step) {
  host().run_blocking(
      [&storage = storage_, options = options_.store] {
        return ArtifactStore::open(storage, options);
      },
      [this, step = std::move(step)](Result<std::unique_ptr<ArtifactStore>> store) mutable {
        if (!store) return step.fail(std::move(store).error());
        store_ = std::move(*store);
        step.done();
      });
}

void Artifacts::start(Step step) {
  line_.refresh();
  step.done();
}

void Artifacts::drain(Step step) {
  draining_.emplace(std::move(step));
  if (verification_) verification_->state->stop.store(true, std::memory_order_relaxed);
  ++works_;
  work_done();
}

void Artifacts::work_done() {
  --works_;
  line_.touch();
  if (!draining_ || works_ > 0) return;
  uploads_.clear();  // their parts stay, and nothing refers to them
  auto step = std::move(*draining_);
  draining_.reset();
  step.done();
}

void Artifacts::cancelled(const Header& request) {
  // No single request: the asker is gone.
  if (request.correlation == 0) drop_uploads_of(request.sender);
  if (!verification_ || verification_->request.sender != request.sender ||
      verification_->request.correlation != request.correlation)
    return;
  verification_->state->stop.store(true, std::memory_order_relaxed);
}

std::string Artifacts::describe() const {
  std::string line =
      counted(stored_, "write") + ", " + counted(uploads_.size(), "upload") + " open";
  if (verification_) line += ", verifying";
  return line;
}

std::uint64_t Artifacts::now_ms() const {
  return static_cast<std::uint64_t>(host().services().clocks.wall_ns() / 1'000'000);
}

template <class Work, class Done>
void Artifacts::run_accepted(Work work, Done done) {
  ++works_;
  host().run_blocking(std::move(work), [this, done = std::move(done)](auto result) mutable {
    done(std::move(result));
    work_done();
  });
}

template <class M, class Work>
void Artifacts::answer_on_pool(Call<M> call, Work work) {
  auto open = std::make_shared<Call<M>>(std::move(call));
  run_accepted(
      [open, store = store_, work = std::move(work),
       &clocks = host().services().clocks]() -> Result<Words> {
        if (open->header().deadline <= clocks.mono()) return overdue();
        return work(*store, open->request());
      },
      [open](Result<Words> answer) {
        answer ? open->respond(std::move(*answer)) : open->fail(answer.error());
      });
}

// ---- writing ------------------------------------------------------------------------------------

void Artifacts::store(ArtifactBatch batch, Stored done) {
  ++works_;
  const std::size_t bytes = batch.pending_bytes();
  auto outcome = std::make_shared<BatchOutcome>();
  auto op = std::make_shared<runtime::WriteOp>(store_->write_op(std::move(batch), outcome));
  submit(std::move(op), std::move(outcome), bytes, std::make_shared<Stored>(kj::mv(done)));
}

void Artifacts::submit(std::shared_ptr<runtime::WriteOp> op, std::shared_ptr<BatchOutcome> outcome,
                       std::size_t bytes, std::shared_ptr<Stored> done) {
  const Status accepted =
      writer_.submit([op](runtime::WriteTxn& txn) { return (*op)(txn); },
                     [this, home = mailbox_, outcome, done](Status status) {
                       home->post([this, outcome, done, status = std::move(status)]() mutable {
                         if (status) ++stored_;
                         (*done)(status ? Result<BatchOutcome>{std::move(*outcome)}
                                        : Result<BatchOutcome>{std::move(status).error()});
                         work_done();
                       });
                     },
                     bytes);
  if (accepted) return;
  if (accepted.error().code == Errc::OVERLOADED) {
    host().after(kWriterRetry, [=, this] { submit(op, outcome, bytes, done); });
    return;
  }
  (*done)(accepted.error());
  work_done();
}

Status Artifacts::take_bytes(std::size_t bytes) {
  if (bytes_under_way_ + bytes > kMaxBytesUnderWay) {
    return Error{Errc::OVERLOADED,
                 fmt::format("{} bytes wait to be stored; try again in a moment", bytes_under_way_),
                 "", true};
  }
  bytes_under_way_ += bytes;
  return {};
}

struct Artifacts::PutWork {
  Call<protocol::Artifacts::Put> call;
  std::vector<VersionDraft> drafts;  // one for each content; without a name: none is made
  std::vector<ContentInfo> infos;
  std::size_t bytes = 0;
};

void Artifacts::put(Call<protocol::Artifacts::Put> call) {
  const auto drafts = call->getDrafts();
  if (drafts.size() > kMaxDrafts) {
    return call.fail({Errc::INVALID_ARGUMENT,
                      fmt::format("one request stores at most {} contents", kMaxDrafts), "drafts"});
  }
  std::vector<VersionDraft> read;
  read.reserve(drafts.size());
  std::size_t bytes = 0;
  for (unsigned i = 0; i < drafts.size(); ++i) {
    const auto size = drafts[i].getContent().size();
    if (size > options_.store.part_bytes) {
      return call.fail({Errc::INVALID_ARGUMENT,
                        fmt::format("content of {} bytes is too large for one request; send it in "
                                    "parts of up to {}",
                                    size, options_.store.part_bytes),
                        fmt::format("drafts[{}].content", i)});
    }
    auto draft =
        read_draft(view(drafts[i].getName()), view(drafts[i].getMediaType()), call->getLineage());
    if (!draft) {
      Error error = std::move(draft).error();
      if (!error.field.starts_with("lineage"))
        error.field = fmt::format("drafts[{}].{}", i, error.field);
      return call.fail(error);
    }
    draft->created_ms = now_ms();
    read.push_back(std::move(*draft));
    bytes += size;
  }
  if (bytes > kMaxPutBytes) {
    return call.fail(
        {Errc::INVALID_ARGUMENT,
         fmt::format("one request stores at most {} bytes; send several", kMaxPutBytes), "drafts"});
  }
  if (auto taken = take_bytes(bytes); !taken) return call.fail(taken.error());
  auto work = std::make_shared<PutWork>(PutWork{std::move(call), std::move(read), {}, bytes});
  const auto finish = [this, work](Result<BatchOutcome> outcome) {
    bytes_under_way_ -= work->bytes;
    if (!outcome) return work->call.fail(outcome.error());
    work->call.reply([&](messages::PutArtifactsResponse::Builder out) {
      auto versions = out.initVersions(static_cast<unsigned>(work->infos.size()));
      std::size_t named = 0;
      for (unsigned i = 0; i < versions.size(); ++i) {
        if (work->drafts[i].name.empty())
          write_content(versions[i], work->infos[i]);
        else
          write_version(versions[i], outcome->versions[named++]);
      }
    });
  };
  run_accepted(
      [work, store = store_, &clocks = host().services().clocks]() -> Result<ArtifactBatch> {
        if (work->call.header().deadline <= clocks.mono()) return overdue();
        ArtifactBatch batch;
        const auto contents = work->call->getDrafts();
        for (unsigned i = 0; i < contents.size(); ++i) {
          auto prepared = store->prepare(view(contents[i].getContent()));
          if (!prepared) return std::move(prepared).error();
          work->infos.push_back(prepared->info);
          if (VersionDraft draft = work->drafts[i]; !draft.name.empty()) {
            draft.digest = prepared->info.digest;
            batch.versions.push_back(std::move(draft));
          }
          batch.contents.push_back(std::move(*prepared));
        }
        return batch;
      },
      [this, finish](Result<ArtifactBatch> batch) {
        if (!batch) return finish(batch.error());
        store(std::move(*batch),
              [finish](Result<BatchOutcome> outcome) { finish(std::move(outcome)); });
      });
}

// ---- reading ------------------------------------------------------------------------------------

void Artifacts::stat(Call<protocol::Artifacts::Stat> call) {
  answer_on_pool(std::move(call),
                 [](const ArtifactStore& store,
                    messages::StatArtifactRequest::Reader request) -> Result<Words> {
                   auto resolved = store.resolve(view(request.getRef()));
                   if (!resolved) return std::move(resolved).error();
                   bool tree = resolved->version && resolved->version->kind == ArtifactKind::tree;
                   if (!resolved->version) {  // only the content itself says whether it is a tree
                     auto head = store.read(resolved->content.digest, 0, kTreeHeadBytes);
                     if (!head) return std::move(head).error();
                     tree = looks_like_tree(*head);
                   }
                   return Words::build<messages::StatArtifactResponse>([&](auto out) {
                     if (resolved->version)
                       write_version(out.initVersion(), *resolved->version);
                     else
                       write_content(out.initVersion(), resolved->content);
                     out.setTree(tree);
                   });
                 });
}

void Artifacts::read(Call<protocol::Artifacts::Read> call) {
  answer_on_pool(std::move(call),
                 [](const ArtifactStore& store,
                    messages::ReadArtifactRequest::Reader request) -> Result<Words> {
                   auto resolved = store.resolve(view(request.getRef()));
                   if (!resolved) return std::move(resolved).error();
                   const auto& info = resolved->content;
                   const std::uint64_t wanted =
                       request.getSizeBytes() == 0
                           ? kReadMaxBytes
                           : std::min<std::uint64_t>(request.getSizeBytes(), kReadMaxBytes);
                   auto bytes = store.read(info.digest, request.getOffset(), wanted);
                   if (!bytes) return std::move(bytes).error();
                   return Words::build<messages::ReadArtifactResponse>([&](auto out) {
                     out.setDigest(info.digest.hex());
                     out.setTotalBytes(info.size_bytes);
                     out.setData(as_data(*bytes));
                   });
                 });
}

void Artifacts::log(Call<protocol::Artifacts::Log> call) {
  answer_on_pool(std::move(call),
                 [](const ArtifactStore& store,
                    messages::ArtifactLogRequest::Reader request) -> Result<Words> {
                   const std::size_t max = request.getMax() == 0
                                               ? kLogPageDefault
                                               : std::min(request.getMax(), kLogPageMax);
                   const auto write = [](const std::vector<VersionRecord>& versions, bool more) {
                     return Words::build<messages::ArtifactLogResponse>([&](auto out) {
                       auto rows = out.initVersions(static_cast<unsigned>(versions.size()));
                       for (unsigned i = 0; i < rows.size(); ++i)
                         write_version(rows[i], versions[i]);
                       out.setMore(more);
                     });
                   };
                   if (view(request.getName()).empty()) {
                     auto page = store.names("", view(request.getAfter()), max);
                     if (!page) return std::move(page).error();
                     return write(page->latest, !page->next_after.empty());
                   }
                   auto page = store.log(view(request.getName()), request.getBefore(), max);
                   if (!page) return std::move(page).error();
                   return write(page->versions, page->next_before != 0);
                 });
}

void Artifacts::have(Call<protocol::Artifacts::Have> call) {
  if (call->getDigests().size() > kMaxDrafts) {
    return call.fail({Errc::INVALID_ARGUMENT,
                      fmt::format("one request asks for at most {} contents", kMaxDrafts),
                      "digests"});
  }
  answer_on_pool(std::move(call),
                 [](const ArtifactStore& store,
                    messages::HaveContentsRequest::Reader request) -> Result<Words> {
                   const auto digests = request.getDigests();
                   std::vector<bool> there;
                   there.reserve(digests.size());
                   for (unsigned i = 0; i < digests.size(); ++i) {
                     const auto digest = Digest::from_hex(view(digests[i]));
                     if (!digest) {
                       return Error{Errc::INVALID_ARGUMENT,
                                    "a digest is 64 lower-case hexadecimal digits",
                                    fmt::format("digests[{}]", i)};
                     }
                     auto info = store.intact(*digest);
                     if (!info) return std::move(info).error();
                     there.push_back(info->has_value());
                   }
                   return Words::build<messages::HaveContentsResponse>([&](auto out) {
                     auto list = out.initThere(static_cast<unsigned>(there.size()));
                     for (unsigned i = 0; i < list.size(); ++i) list.set(i, there[i]);
                   });
                 });
}

void Artifacts::place(Call<protocol::Artifacts::Place> call) {
  answer_on_pool(
      std::move(call),
      [part_bytes = options_.store.part_bytes](
          const ArtifactStore& store, messages::StorePlaceRequest::Reader) -> Result<Words> {
        const auto& dir = store.storage().dir();
        struct stat about {};
        if (::stat(dir.c_str(), &about) != 0) return runtime::system_error("look at", dir, errno);
        return Words::build<messages::StorePlaceResponse>([&](auto out) {
          out.setPartBytes(static_cast<std::uint32_t>(part_bytes));
          out.setDirectory(runtime::encode_path(std::filesystem::absolute(dir).native()));
          out.setDevice(about.st_dev);
          out.setInode(about.st_ino);
        });
      });
}

void Artifacts::tree(Call<protocol::Artifacts::Tree> call) {
  struct Page {
    TreeCache tree;
    Words words;
  };
  auto open = std::make_shared<Call<protocol::Artifacts::Tree>>(std::move(call));
  run_accepted(
      [open, store = store_, cached = tree_cache_]() -> Result<Page> {
        const auto& request = open->request();
        auto resolved = store->resolve(view(request.getRef()));
        if (!resolved) return std::move(resolved).error();
        TreeCache tree{resolved->content.digest, nullptr};
        if (cached && cached->digest == tree.digest) {
          tree = *cached;
        } else {
          auto loaded = load_tree(*store, tree.digest);
          if (!loaded) return std::move(loaded).error();
          tree.entries = std::make_shared<const std::vector<TreeEntry>>(std::move(*loaded));
        }
        const std::uint64_t first = request.getOffset();
        const std::size_t count = page_of(*tree.entries, first, request.getMax());
        auto words = Words::build<messages::ReadTreeResponse>([&](auto out) {
          out.setTotal(tree.entries->size());
          if (resolved->version)
            write_version(out.initVersion(), *resolved->version);
          else
            write_content(out.initVersion(), resolved->content);
          auto rows = out.initEntries(static_cast<unsigned>(count));
          for (unsigned i = 0; i < rows.size(); ++i)
            write_entry(rows[i], (*tree.entries)[first + i]);
        });
        return Page{std::move(tree), std::move(words)};
      },
      [this, open](Result<Page> page) {
        if (!page) return open->fail(page.error());
        if (page->tree.entries->size() <= kTreeCacheEntries) tree_cache_ = std::move(page->tree);
        open->respond(std::move(page->words));
      });
}

void Artifacts::verify(Call<protocol::Artifacts::Verify> call) {
  if (verification_) {
    return call.fail(
        {Errc::OVERLOADED, "a verification is under way; ask again when it is over", "", true});
  }
  verification_ = Verification{call.header(), std::make_shared<Verification::State>()};
  verified_ = verification_->state;
  auto open = std::make_shared<Call<protocol::Artifacts::Verify>>(std::move(call));
  run_accepted(
      [store = store_, state = verification_->state, deadline = open->header().deadline,
       &clocks = host().services().clocks] {
        VerifyOptions options;
        options.cancelled = [state, deadline, &clocks] {
          return state->stop.load(std::memory_order_relaxed) || deadline <= clocks.coarse();
        };
        options.on_progress = [state](std::uint64_t checked, std::uint64_t total) {
          state->done.store(checked, std::memory_order_relaxed);
          state->total.store(total, std::memory_order_relaxed);
        };
        return actors::verify(*store, std::move(options));
      },
      [this, open](Result<VerifyReport> report) {
        verification_.reset();
        if (!report) return open->fail(report.error());
        const bool repair = open->request().getRepair() &&
                            !(report->spoilt_contents.empty() && report->spoilt_parts.empty());
        if (!repair) return report_verified(open, *report, 0);
        auto removed = std::make_shared<std::uint64_t>(0);
        auto op = std::make_shared<runtime::WriteOp>(
            store_->remove_damaged_op(report->spoilt_contents, report->spoilt_parts, removed));
        ++works_;
        submit(std::move(op), std::make_shared<BatchOutcome>(), 0,
               std::make_shared<Stored>(
                   [this, open, removed, report = std::move(*report)](Result<BatchOutcome> done) {
                     if (!done) return open->fail(done.error());
                     report_verified(open, report, *removed);
                   }));
      });
}

void Artifacts::report_verified(const std::shared_ptr<Call<protocol::Artifacts::Verify>>& call,
                                const VerifyReport& report, std::uint64_t repaired) {
  call->reply([&](messages::VerifyArtifactsResponse::Builder out) {
    out.setContents(report.contents);
    out.setParts(report.parts);
    out.setVersions(report.versions);
    out.setTrees(report.trees);
    out.setBytes(report.content_bytes);
    out.setUnreferenced(report.unreferenced_contents);
    out.setRepaired(repaired);
    auto problems = out.initProblems(static_cast<unsigned>(report.problems.size()));
    for (unsigned i = 0; i < problems.size(); ++i)
      problems.set(i, report.problems[i].where + ": " + report.problems[i].what);
  });
}

void Artifacts::verify_progress(Call<protocol::Artifacts::VerifyProgress> call) {
  call.reply([&](messages::VerifyProgressResponse::Builder out) {
    out.setRunning(verification_.has_value());
    if (verified_ == nullptr) return;
    out.setDone(verified_->done.load(std::memory_order_relaxed));
    out.setTotal(verified_->total.load(std::memory_order_relaxed));
  });
}

}  // namespace symphony::actors
