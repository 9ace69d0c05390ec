// The artifact store as a component: `/pit/artifacts`. What is acknowledged is durable.
//
// A shell around ArtifactStore (artifact_store.hpp). Hashing, compressing and whatever reads runs
// on the blocking pool: a page that is not in memory keeps no handler. Writes go through the node's
// StorageWriter.
//
// Uploads in parts: an upload belongs to whoever began it, its parts come in order (several may be
// on their way), and it ends by `finish`, `abort`, an error, kUploadIdle without a sign of life,
// with its asker when that goes away (a peer whose connection ends), or with the component. Its
// parts are durable as they are acknowledged; nothing refers to them
// before `finish`. A tree that comes in several requests is an upload of its own kind.
//
// Errors: INVALID_ARGUMENT with a field; NOT_FOUND; PERMISSION_DENIED for an upload of another;
// FAILED_PRECONDITION (a part out of order, a tree of contents that are not stored); OVERLOADED
// (retryable) beyond a limit below; RESOURCE_EXHAUSTED (disk full); CANCELLED.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "actors/pit/artifacts/artifact_tree.hpp"
#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/content_upload.hpp"
#include "actors/pit/state_line.hpp"
#include "messages/artifacts.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/storage/storage_writer.hpp"

namespace symphony::actors {

struct ArtifactsOptions {
  ArtifactStoreOptions store = {};
  std::size_t uploads_max = 64;
};

class Artifacts final : public runtime::ComponentOf<protocol::Artifacts> {
 public:
  static constexpr std::size_t kMaxDrafts = 10'000;
  static constexpr std::size_t kMaxPutBytes = std::size_t{64} << 20;        // of one put
  static constexpr std::size_t kMaxBytesUnderWay = std::size_t{256} << 20;  // of all of them
  static constexpr std::size_t kMaxAppendsQueued = 16;                      // of one upload
  static constexpr std::chrono::seconds kUploadIdle{60};
  static constexpr std::size_t kReadMaxBytes = std::size_t{4} << 20;
  static constexpr std::uint32_t kLogPageDefault = 100;
  static constexpr std::uint32_t kLogPageMax = 1'000;
  static constexpr std::size_t kTreeCacheEntries = 200'000;  // of the tree that was read last
  static constexpr std::chrono::milliseconds kWriterRetry{20};

  // Both must outlive the component.
  Artifacts(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
            ArtifactsOptions options = {});
  ~Artifacts() noexcept override = default;

  void prepare(runtime::Step step) override;
  void start(runtime::Step step) override;
  void drain(runtime::Step step) override;
  void cancelled(const Header& request) override;

  void put(Call<protocol::Artifacts::Put> call) override;
  void begin(Call<protocol::Artifacts::Begin> call) override;
  void append(Call<protocol::Artifacts::Append> call) override;
  void finish(Call<protocol::Artifacts::Finish> call) override;
  void abort(Call<protocol::Artifacts::Abort> call) override;
  void stat(Call<protocol::Artifacts::Stat> call) override;
  void read(Call<protocol::Artifacts::Read> call) override;
  void log(Call<protocol::Artifacts::Log> call) override;
  void tree(Call<protocol::Artifacts::Tree> call) override;
  void commit_tree(Call<protocol::Artifacts::CommitTree> call) override;
  void verify(Call<protocol::Artifacts::Verify> call) override;
  void verify_progress(Call<protocol::Artifacts::VerifyProgress> call) override;
  void have(Call<protocol::Artifacts::Have> call) override;
  void place(Call<protocol::Artifacts::Place> call) override;

 private:
  using AppendCall = Call<protocol::Artifacts::Append>;
  using FinishCall = Call<protocol::Artifacts::Finish>;
  using Stored = kj::Function<void(Result<BatchOutcome>)>;

  struct Upload {
    std::uint64_t id = 0;
    std::uint64_t sender = 0;
    Deadline touched;
    VersionDraft draft;
    std::shared_ptr<ContentUpload> content;        // nothing: a tree
    std::shared_ptr<std::vector<TreeEntry>> tree;  // nothing: a content
    std::size_t tree_bytes = 0;                    // of its paths and targets
    std::uint64_t accepted_bytes = 0;
    std::deque<std::variant<AppendCall, FinishCall>> jobs;
    bool busy = false;
    bool finishing = false;
  };
  struct Verification {
    // Shared with the thread that verifies.
    struct State {
      std::atomic<bool> stop{false};
      std::atomic<std::uint64_t> done{0};
      std::atomic<std::uint64_t> total{0};
    };
    Header request;
    std::shared_ptr<State> state;
  };
  struct TreeCache {
    Digest digest;
    std::shared_ptr<const std::vector<TreeEntry>> entries;
  };
  struct PutWork;

  std::uint64_t now_ms() const;
  // Work on the pool that counts as accepted until `done` has run.
  template <class Work, class Done>
  void run_accepted(Work work, Done done);
  // The same for a call: `work(store, request)` gives the Result<Words> of its answer.
  template <class M, class Work>
  void answer_on_pool(Call<M> call, Work work);
  // Whether as many more fit beside what waits to be stored; counts them.
  Status take_bytes(std::size_t bytes);
  // One durable transaction; waits for a writer whose queue is full.
  void store(ArtifactBatch batch, Stored done);
  void submit(std::shared_ptr<runtime::WriteOp> op, std::shared_ptr<BatchOutcome> outcome,
              std::size_t bytes, std::shared_ptr<Stored> done);
  void work_done();

  Result<std::shared_ptr<Upload>> open_upload(const Header& request);
  Result<std::shared_ptr<Upload>> find_upload(std::uint64_t id, const Header& request);
  void run_next(const std::shared_ptr<Upload>& upload);
  void run_append(const std::shared_ptr<Upload>& upload, AppendCall call);
  void run_finish(const std::shared_ptr<Upload>& upload, FinishCall call);
  void job_done(const std::shared_ptr<Upload>& upload);
  void drop(const std::shared_ptr<Upload>& upload, const Error& why);
  bool gone(const Upload& upload) const { return !uploads_.contains(upload.id); }
  void sweep_uploads();
  void drop_uploads_of(std::uint64_t sender);
  void report_verified(const std::shared_ptr<Call<protocol::Artifacts::Verify>>& call,
                       const VerifyReport& report, std::uint64_t repaired);
  void finish_tree(const std::shared_ptr<Upload>& upload,
                   Call<protocol::Artifacts::CommitTree> call);
  std::string describe() const;

  runtime::Storage& storage_;
  runtime::FencedWriter writer_;
  const ArtifactsOptions options_;
  std::shared_ptr<const ArtifactStore> store_;
  std::shared_ptr<const runtime::Mailbox> mailbox_;
  StateLine line_;
  std::map<std::uint64_t, std::shared_ptr<Upload>> uploads_;
  std::uint64_t last_upload_ = 0;
  bool sweeping_ = false;
  std::size_t works_ = 0;
  std::size_t bytes_under_way_ = 0;
  std::uint64_t stored_ = 0;  // transactions
  std::optional<Verification> verification_;
  std::shared_ptr<const Verification::State> verified_;  // how far the latest came
  std::optional<TreeCache> tree_cache_;
  std::optional<runtime::Step> draining_;
};

}  // namespace symphony::actors
