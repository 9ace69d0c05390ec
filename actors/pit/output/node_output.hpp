// `/pit/output`: what programs print that run for nodes. Kept with the run, read while it is made.
//
// A shell around OutputLog (what is kept) and OutputStore (the disk). What comes goes to disk
// kFlushDelay later, one write of a run at a time; the last of an attempt at once, and is answered
// when the writer has it, so that nothing of the run that is journalled after it survives without
// it. Readers see what is on disk; who waits is answered after the next write, or kMargin before
// his deadline.
//
// When a write fails (disk full) what it held is lost and the log says so; a run does not fail for
// want of its output. Errors: INVALID_ARGUMENT with a field; OVERLOADED beyond a limit below.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/pit/output/output_store.hpp"
#include "actors/pit/state_line.hpp"
#include "messages/output.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/storage/storage_writer.hpp"

namespace symphony::actors {

class NodeOutput final : public runtime::ComponentOf<protocol::NodeOutput> {
 public:
  static constexpr std::chrono::milliseconds kFlushDelay{100};
  static constexpr std::size_t kFlushBytes = std::size_t{1} << 20;  // of a run: then at once
  static constexpr std::chrono::milliseconds kWriterRetry{20};      // when its queue is full
  static constexpr std::size_t kAppendBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kNodeBytesMax = 1'024;  // of a name
  static constexpr std::size_t kPiecesMax = 1'000;     // of one answer
  static constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kReadersMax = 256;  // that wait
  static constexpr std::chrono::milliseconds kMargin{200};
  static constexpr std::uint64_t kErasedAtOnce = 10'000;
  static constexpr std::size_t kRunsMax = 1'000;  // with output in memory

  // Both must outlive the component.
  NodeOutput(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
             OutputLimits limits = {});
  ~NodeOutput() noexcept override = default;

  void prepare(runtime::Step step) override;
  void start(runtime::Step step) override;
  void drain(runtime::Step step) override;
  void cancelled(const Header& request) override;

  void append(Call<protocol::NodeOutput::Append> call) override;
  void read(Call<protocol::NodeOutput::Read> call) override;
  void erase(Call<protocol::NodeOutput::Erase> call) override;

 private:
  using AppendCall = Call<protocol::NodeOutput::Append>;
  using ReadCall = Call<protocol::NodeOutput::Read>;
  using EraseCall = Call<protocol::NodeOutput::Erase>;

  struct Run {
    explicit Run(OutputLog log) : log(std::move(log)) {}
    OutputLog log;
    std::size_t writing = 0;               // writes under way
    bool flush_due = false;                // a timer runs
    std::shared_ptr<OutputWrite> refused;  // by a writer whose queue is full
    std::vector<AppendCall> last;          // to be answered when the writer has all
  };
  struct Reader {
    ReadCall call;
    std::string run;
    std::uint64_t cursor = 0;
    runtime::MonoTime give_up_at{};
  };

  Result<Run*> run_of(const std::string& name);
  void flush_soon(const std::string& name, Run& run);
  void flush(const std::string& name);
  void submit(const std::string& name, Run& run, std::shared_ptr<OutputWrite> write);
  void written(const std::string& name, const Status& status);
  void forget_if_idle(const std::string& name);
  void serve(Reader reader);
  void wait_for_more(Reader reader);
  void answer_waiting(const std::string& run);
  void watch_readers();
  void erase_some(std::shared_ptr<EraseCall> call, std::string run, std::uint64_t before);
  void finish_drain_when_idle();
  std::string describe() const;

  runtime::Storage& storage_;
  runtime::StorageWriter& writer_;
  const OutputLimits limits_;
  std::shared_ptr<const OutputStore> store_;
  std::shared_ptr<const runtime::Mailbox> mailbox_;
  StateLine line_;
  std::map<std::string, Run, std::less<>> runs_;
  std::vector<Reader> waiting_;
  bool watching_ = false;
  std::size_t works_ = 0;      // reads and writes under way
  std::uint64_t commits_ = 0;  // writes that ended
  std::optional<runtime::Step> draining_;
};

}  // namespace symphony::actors
