#include "actors/pit/artifacts/artifacts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/tree_put.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using runtime::Step;

namespace {

constexpr std::string_view kTreeMagic{"symtree\x01", 8};

Error overdue() {
  return {Errc::DEADLINE_EXCEEDED, "the answer was due before the work was begun", "", true};
}

}  // namespace

Artifacts::Artifacts(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
                     ArtifactsOptions options)
    : ComponentOf(host),
      storage_(storage),
      writer_(writer),
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
  if (bytes_under_way_ + bytes > kMaxBytesUnderWay) {
    return call.fail(
        {Errc::OVERLOADED,
         fmt::format("{} bytes wait to be stored; try again in a moment", bytes_under_way_), "",
         true});
  }
  bytes_under_way_ += bytes;
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
  auto resolved = store_->resolve(view(call->getRef()));
  if (!resolved) return call.fail(resolved.error());
  if (resolved->version) {
    return call.reply([&](messages::StatArtifactResponse::Builder out) {
      write_version(out.initVersion(), *resolved->version);
      out.setTree(resolved->version->kind == ArtifactKind::tree);
    });
  }
  // Only the content itself says whether it is a tree.
  auto open = std::make_shared<Call<protocol::Artifacts::Stat>>(std::move(call));
  run_accepted(
      [store = store_, digest = resolved->content.digest] {
        return store->read(digest, 0, kTreeMagic.size());
      },
      [open, info = resolved->content](Result<std::string> head) {
        if (!head) return open->fail(head.error());
        open->reply([&](messages::StatArtifactResponse::Builder out) {
          write_content(out.initVersion(), info);
          out.setTree(*head == kTreeMagic);
        });
      });
}

void Artifacts::read(Call<protocol::Artifacts::Read> call) {
  auto resolved = store_->resolve(view(call->getRef()));
  if (!resolved) return call.fail(resolved.error());
  const ContentInfo info = resolved->content;
  const std::uint64_t wanted = call->getSizeBytes() == 0
                                   ? kReadMaxBytes
                                   : std::min<std::uint64_t>(call->getSizeBytes(), kReadMaxBytes);
  const auto words = [info](const Result<std::string>& bytes) {
    return Words::build<messages::ReadArtifactResponse>([&](auto out) {
      out.setDigest(info.digest.hex());
      out.setTotalBytes(info.size_bytes);
      out.setData(as_data(*bytes));
    });
  };
  const std::uint64_t offset = call->getOffset();
  if (info.size_bytes <= kReadInHandlerBytes) {
    const auto bytes = store_->read(info.digest, offset, wanted);
    return bytes ? call.respond(words(bytes)) : call.fail(bytes.error());
  }
  auto open = std::make_shared<Call<protocol::Artifacts::Read>>(std::move(call));
  run_accepted(
      [open, store = store_, words, info, offset, wanted,
       &clocks = host().services().clocks]() -> Result<Words> {
        if (open->header().deadline <= clocks.mono()) return overdue();
        const auto bytes = store->read(info.digest, offset, wanted);
        if (!bytes) return bytes.error();
        return words(bytes);
      },
      [open](Result<Words> answer) {
        answer ? open->respond(std::move(*answer)) : open->fail(answer.error());
      });
}

void Artifacts::log(Call<protocol::Artifacts::Log> call) {
  auto open = std::make_shared<Call<protocol::Artifacts::Log>>(std::move(call));
  run_accepted(
      [open, store = store_]() -> Result<Words> {
        const auto& request = open->request();
        const std::size_t max =
            request.getMax() == 0 ? kLogPageDefault : std::min(request.getMax(), kLogPageMax);
        const auto write = [](const std::vector<VersionRecord>& versions, bool more) {
          return Words::build<messages::ArtifactLogResponse>([&](auto out) {
            auto rows = out.initVersions(static_cast<unsigned>(versions.size()));
            for (unsigned i = 0; i < rows.size(); ++i) write_version(rows[i], versions[i]);
            out.setMore(more);
          });
        };
        if (view(request.getName()).empty()) {
          auto page = store->names("", view(request.getAfter()), max);
          if (!page) return std::move(page).error();
          return write(page->latest, !page->next_after.empty());
        }
        auto page = store->log(view(request.getName()), request.getBefore(), max);
        if (!page) return std::move(page).error();
        return write(page->versions, page->next_before != 0);
      },
      [open](Result<Words> answer) {
        answer ? open->respond(std::move(*answer)) : open->fail(answer.error());
      });
}

void Artifacts::tree(Call<protocol::Artifacts::Tree> call) {
  auto resolved = store_->resolve(view(call->getRef()));
  if (!resolved) return call.fail(resolved.error());
  struct Page {
    TreeCache tree;
    Words words;
  };
  std::optional<TreeCache> cached;
  if (tree_cache_ && tree_cache_->digest == resolved->content.digest) cached = tree_cache_;
  auto open = std::make_shared<Call<protocol::Artifacts::Tree>>(std::move(call));
  run_accepted(
      [open, store = store_, cached, resolved = std::move(*resolved)]() -> Result<Page> {
        TreeCache tree{resolved.content.digest, nullptr};
        if (cached) {
          tree = *cached;
        } else {
          auto loaded = load_tree(*store, tree.digest);
          if (!loaded) return std::move(loaded).error();
          tree.entries = std::make_shared<const std::vector<TreeEntry>>(std::move(*loaded));
        }
        const auto& request = open->request();
        const std::uint64_t first = request.getOffset();
        const std::size_t count = page_of(*tree.entries, first, request.getMax());
        auto words = Words::build<messages::ReadTreeResponse>([&](auto out) {
          out.setTotal(tree.entries->size());
          if (resolved.version)
            write_version(out.initVersion(), *resolved.version);
          else
            write_content(out.initVersion(), resolved.content);
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
        open->reply([&](messages::VerifyArtifactsResponse::Builder out) {
          out.setContents(report->contents);
          out.setParts(report->parts);
          out.setVersions(report->versions);
          out.setTrees(report->trees);
          out.setBytes(report->content_bytes);
          out.setUnreferenced(report->unreferenced_contents);
          auto problems = out.initProblems(static_cast<unsigned>(report->problems.size()));
          for (unsigned i = 0; i < problems.size(); ++i)
            problems.set(i, report->problems[i].where + ": " + report->problems[i].what);
        });
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
