// The DAG tracker: which nodes of which run may start, journalled. `/pit/dag`.
//
// A shell around RunState (run_state.hpp). `complete` applies what it is told to the state in
// memory and answers at once; what was applied goes to disk behind it, at most one write of a run
// at a time, each with everything that was applied meanwhile. So what is durable is always a
// beginning of what was applied, and `sync` tells when it is all of it. `create`, `open` and
// `cancelRun` answer when they are durable.
//
// When a write fails (disk full) the run is poisoned: what was applied since is lost, every call
// about the run fails with the reason, and nothing is acknowledged. `open` takes it up again from
// what is on disk. The same happens when two incarnations write to one run: the journal refuses
// the one that missed something.
//
// Runs that are under way are in memory, up to `runs_max`; one that ended leaves after its `sync`,
// or when room is needed. `results`, `list` and `show` read the disk; the first and the last wait
// until what was applied before is there.
//
// Retries: when `retryInNs` is over, the asker calls `complete` again, with or without outcomes.
// Time is told by the monotonic clock from where the wall clock stood when the component was made:
// who sets the wall clock back delays nothing.
//
// Attempts have numbers (actors/run/run_state.hpp): an outcome of one that is not the latest is
// dropped, and the answer says so.
//
// A `create` whose asker does not wait any more is not begun, nor written.
//
// Errors: INVALID_ARGUMENT with a field; NOT_FOUND for a run nobody has heard of;
// FAILED_PRECONDITION for one that is not open, or an outcome that does not fit its node;
// OVERLOADED (retryable) beyond runs_max, or when the disk is too far behind.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/dag/run_images.hpp"
#include "actors/pit/state_line.hpp"
#include "messages/dag.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/storage/storage_writer.hpp"

namespace symphony::actors {

// Why a run cannot be asked of: nobody opened it, or it is just being read.
Error not_open(std::string_view run);
Error being_read(std::string_view run);

struct DagOptions {
  std::size_t runs_max = 256;                               // in memory
  std::size_t unwritten_bytes_max = std::size_t{16} << 20;  // of one run, applied and not on disk
};

class Dag : public runtime::ComponentOf<protocol::Dag> {
 public:
  static constexpr std::size_t kInlineResultMax = std::size_t{64} << 10;  // bytes of one node
  static constexpr std::chrono::milliseconds kWriterRetry{20};  // when the writer's queue is full

  // Both must outlive the component.
  Dag(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
      DagOptions options = {});
  ~Dag() noexcept override = default;

  void prepare(runtime::Step step) override;
  void start(runtime::Step step) override;
  void drain(runtime::Step step) override;

  void create(Call<protocol::Dag::Create> call) override;
  void open(Call<protocol::Dag::Open> call) override;
  void complete(Call<protocol::Dag::Complete> call) override;
  void sync(Call<protocol::Dag::Sync> call) override;
  void cancel_run(Call<protocol::Dag::CancelRun> call) override;
  void results(Call<protocol::Dag::Results> call) override;
  void list(Call<protocol::Dag::List> call) override;
  void show(Call<protocol::Dag::Show> call) override;
  void erase(Call<protocol::Dag::Erase> call) override;

 private:
  using Waiter = kj::Function<void(Status)>;

  struct Run {
    std::string name;
    std::uint64_t epoch = 0;               // tells it from another that had the name before
    std::optional<RunState> state;         // nothing while it is being made or read
    RunSummary summary;                    // as it will be after the next write
    Msg<messages::RunBatchResponse> head;  // only its `head` is set
    std::string plan;                      // of a new run, until its first write
    Deadline create_by = kNoDeadline;      // of that write
    std::unique_ptr<JournalWrite> unwritten;
    std::uint64_t applied = 0;  // inputs …
    std::uint64_t durable = 0;  // … and how many of them are on disk
    bool writing = false;
    bool leaving = false;  // it ended and was synced
    std::optional<Error> poison;
    std::deque<std::pair<std::uint64_t, Waiter>> waiters;  // for `durable` to reach the number

    bool settled() const { return state && !writing && durable == applied; }
  };
  // A batch as `complete` reads it; kept for its memory.
  struct Batch {
    JournalRecord running{RecordKind::running};
    JournalRecord completed{RecordKind::completed};
    std::vector<unsigned> positions;  // of the completed in the request
    std::uint32_t dropped = 0;
  };

  std::int64_t now_us() const;
  Run* find(std::string_view name);
  Run* find(std::uint64_t epoch);
  // The run when it can take inputs.
  Result<Run*> find_open(std::string_view name);
  // Makes room if it must, and a Run that is still without a state.
  Result<Run*> admit(std::string_view name);
  void forget(Run& run);

  void begin(Run& run, Call<protocol::Dag::Create> call);
  // Reads a run from disk into memory; `done(Result<Run*>)` after that.
  template <class Done>
  void load(std::string_view name, Done done);
  void resume(Run& run, bool again, Call<protocol::Dag::Open> call);
  void cancel(Run& run, bool is_under_way, Call<protocol::Dag::CancelRun> call);

  Status read_batch(const RunState& state, messages::CompleteNodesRequest::Reader request);
  void retry_what_is_due(Run& run, std::int64_t now_us, std::vector<NodeId>& ready);
  // Applies an input that goes into the journal.
  Result<std::vector<NodeId>> input(Run& run, const JournalRecord& record);
  void note_input(Run& run, const JournalRecord& record);

  void write(Run& run);
  void written(std::uint64_t epoch, std::uint64_t durable, Status status);
  void poison(Run& run, Error error);
  // Runs when everything that is applied by now is durable, or cannot become so.
  void when_durable(Run& run, Waiter waiter);
  void leave_if_over(Run& run);

  template <class M>
  void reply_batch(Call<M>& call, const Run& run, const std::vector<NodeId>& ready, bool with_head);

  template <class M, class View>
  void answer_from_disk(Call<M> call, View view);
  void blocking_done();
  void erase_when_settled(std::shared_ptr<Call<protocol::Dag::Erase>> call);
  // One transaction of it after the other; `begun`: the run is known no more.
  void erase_some(std::string run, bool begun, std::function<void(Status)> done);
  void finish_drain_when_idle();
  std::string describe() const;

  runtime::Storage& storage_;
  runtime::FencedWriter writer_;
  const DagOptions options_;
  const std::int64_t wall_ahead_ns_;  // of the monotonic clock
  std::shared_ptr<const DagStore> store_;
  std::shared_ptr<RunImages> images_;
  std::vector<std::string> half_erased_;  // when this component was made
  std::shared_ptr<const runtime::Mailbox> mailbox_;
  StateLine line_;
  std::map<std::string, Run, std::less<>> runs_;
  std::uint64_t last_epoch_ = 0;
  std::size_t blocking_ = 0;  // works under way on the pool
  Batch batch_;
  std::optional<runtime::Step> draining_;
};

}  // namespace symphony::actors
