#include "actors/pit/output/node_output.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "actors/pit/text_view.hpp"
#include "runtime/component/services.hpp"

namespace symphony::actors {

using runtime::Step;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kWatchPeriod{100};

Status check_run(std::string_view run) {
  const bool good = !run.empty() && run.size() <= kOutputRunIdBytesMax &&
                    std::ranges::all_of(run, [](char c) { return c > ' ' && c < '\x7F'; });
  if (good) return {};
  return Error{Errc::INVALID_ARGUMENT, "run must be the id of a run", "run"};
}

Status check(messages::AppendOutputRequest::Reader request) {
  if (auto run = check_run(view(request.getRun())); !run) return run;
  if (request.getNode().size() == 0 || request.getNode().size() > NodeOutput::kNodeBytesMax)
    return Error{Errc::INVALID_ARGUMENT, "node must be the name of a node", "node"};
  if (request.getData().size() > NodeOutput::kAppendBytesMax)
    return Error{Errc::INVALID_ARGUMENT,
                 "data of " + std::to_string(request.getData().size()) +
                     " bytes is too large for one request; send parts of up to " +
                     std::to_string(NodeOutput::kAppendBytesMax),
                 "data"};
  if (request.getStream() > messages::PrintedOn::ERR)
    return Error{Errc::INVALID_ARGUMENT, "stream must be out or err", "stream"};
  return {};
}

void write_piece(messages::OutputPiece::Builder out, std::uint64_t sequence,
                 const OutputPiece& piece) {
  out.setSequence(sequence);
  out.setTimeNs(piece.time_ns);
  out.setNode(piece.node);
  out.setStartedNs(piece.started_ns);
  out.setStream(piece.stream);
  out.setOffset(piece.offset);
  out.setData(as_data(piece.data));
}

void reply_page(Call<protocol::NodeOutput::Read>& call, const OutputPage& page) {
  call.reply([&](messages::ReadOutputResponse::Builder out) {
    out.setNext(page.next);
    out.setMore(page.more);
    auto pieces = out.initPieces(static_cast<unsigned>(page.pieces.size()));
    for (unsigned i = 0; i < pieces.size(); ++i)
      write_piece(pieces[i], page.pieces[i].first, page.pieces[i].second);
  });
}

}  // namespace

NodeOutput::NodeOutput(runtime::Host& host, runtime::Storage& storage,
                       runtime::StorageWriter& writer, OutputLimits limits)
    : ComponentOf(host),
      storage_(storage),
      writer_(writer),
      limits_(limits),
      mailbox_(host.mailbox()),
      line_(host, [this] { return describe(); }) {}

// ---- lifecycle ----------------------------------------------------------------------------------

void NodeOutput::prepare(Step step) {
  host().run_blocking([&storage = storage_] { return OutputStore::open(storage); },
                      [this, step = std::move(step)](Result<OutputStore> store) mutable {
                        if (!store) return step.fail(std::move(store).error());
                        store_ = std::make_shared<const OutputStore>(std::move(*store));
                        step.done();
                      });
}

void NodeOutput::start(Step step) {
  line_.refresh();
  step.done();
}

void NodeOutput::drain(Step step) {
  draining_.emplace(std::move(step));
  for (Reader& reader : std::exchange(waiting_, {}))
    reply_page(reader.call, {{}, reader.cursor, false});
  std::vector<std::string> names;
  for (const auto& [name, run] : runs_) names.push_back(name);
  for (const auto& name : names) flush(name);
  finish_drain_when_idle();
}

void NodeOutput::finish_drain_when_idle() {
  const bool writing = std::ranges::any_of(
      runs_, [](const auto& one) { return one.second.refused || one.second.log.pending(); });
  if (!draining_ || works_ > 0 || writing) return;
  auto step = std::move(*draining_);
  draining_.reset();
  step.done();
}

std::string NodeOutput::describe() const { return counted(runs_.size(), "run") + " with output"; }

// ---- what comes ---------------------------------------------------------------------------------

Result<NodeOutput::Run*> NodeOutput::run_of(const std::string& name) {
  const auto found = runs_.find(name);
  if (found != runs_.end()) return &found->second;
  if (runs_.size() >= kRunsMax)
    return Error{Errc::OVERLOADED, std::to_string(kRunsMax) + " runs print already", "", true};
  const auto row = store_->row(name);
  if (!row) return row.error();
  line_.touch();
  return &runs_.try_emplace(name, OutputLog(limits_, row->next_sequence, row->bytes)).first->second;
}

void NodeOutput::append(AppendCall call) {
  if (auto good = check(call.request()); !good) return call.fail(good.error());
  const std::string name(view(call->getRun()));
  auto run = run_of(name);
  if (!run) return call.fail(run.error());
  OutputLog& log = (*run)->log;
  log.append(view(call->getNode()), call->getStartedNs(), call->getStream(), call->getOffset(),
             view(call->getData()), host().services().clocks.wall_ns());
  if (!call->getLast()) {
    call.reply();
    return flush_soon(name, **run);
  }
  log.end(view(call->getNode()), call->getStartedNs());
  (*run)->last.push_back(std::move(call));
  flush(name);
}

void NodeOutput::flush_soon(const std::string& name, Run& run) {
  if (run.writing > 0 || run.flush_due) return;  // goes on when that is done
  if (run.log.pending_bytes() >= kFlushBytes) return flush(name);
  run.flush_due = true;
  host().after(kFlushDelay, [this, name] {
    const auto found = runs_.find(name);
    if (found == runs_.end()) return;
    found->second.flush_due = false;
    if (found->second.writing == 0) flush(name);
  });
}

void NodeOutput::flush(const std::string& name) {
  const auto found = runs_.find(name);
  if (found == runs_.end() || found->second.refused) return;
  if (found->second.log.pending())
    submit(name, found->second, std::make_shared<OutputWrite>(found->second.log.take()));
  else
    for (AppendCall& call : std::exchange(found->second.last, {})) call.reply();
  forget_if_idle(name);
}

void NodeOutput::submit(const std::string& name, Run& run, std::shared_ptr<OutputWrite> write) {
  ++run.writing;
  ++works_;
  const Status accepted = writer_.submit(
      [store = store_, name, write](runtime::WriteTxn& txn) {
        return store->write(txn, name, *write);
      },
      [this, home = mailbox_, name](Status status) {
        home->post([this, name, status = std::move(status)] { written(name, status); });
      },
      write->size_bytes);
  if (accepted) {
    for (AppendCall& call : std::exchange(run.last, {})) call.reply();
    return;
  }
  --run.writing;
  --works_;
  if (accepted.error().code != Errc::OVERLOADED) {
    host().log().error("output is lost", {{"run", name}, {"reason", accepted.error().message}});
    for (AppendCall& call : std::exchange(run.last, {})) call.reply();
    return;
  }
  run.refused = std::move(write);
  host().after(kWriterRetry, [this, name] {
    const auto waiting = runs_.find(name);
    if (waiting == runs_.end() || !waiting->second.refused) return;
    submit(name, waiting->second, std::exchange(waiting->second.refused, nullptr));
    flush(name);
    finish_drain_when_idle();
  });
}

void NodeOutput::written(const std::string& name, const Status& status) {
  --works_;
  ++commits_;
  if (!status)
    host().log().error("output is lost", {{"run", name}, {"reason", status.error().message}});
  if (const auto found = runs_.find(name); found != runs_.end()) {
    --found->second.writing;
    if (found->second.log.pending()) flush_soon(name, found->second);
  }
  forget_if_idle(name);
  answer_waiting(name);
  finish_drain_when_idle();
}

void NodeOutput::forget_if_idle(const std::string& name) {
  const auto found = runs_.find(name);
  if (found == runs_.end()) return;
  const Run& run = found->second;
  if (run.writing > 0 || run.refused || !run.last.empty() || !run.log.idle()) return;
  runs_.erase(found);
  line_.touch();
}

// ---- what is read -------------------------------------------------------------------------------

void NodeOutput::read(ReadCall call) {
  Reader reader{std::move(call), {}, 0, {}};
  reader.run = view(reader.call->getRun());
  reader.cursor = reader.call->getCursor();
  if (auto good = check_run(reader.run); !good) return reader.call.fail(good.error());
  const auto now = host().now();
  const auto left = reader.call.header().deadline - now;
  reader.give_up_at =
      reader.call->getWait() ? now + left - std::min<runtime::Nanos>(kMargin, left / 2) : now;
  serve(std::move(reader));
}

void NodeOutput::serve(Reader reader) {
  ++works_;
  const std::size_t asked = reader.call->getMax();
  const std::size_t max = asked == 0 ? kPiecesMax : std::min(asked, kPiecesMax);
  auto held = std::make_shared<Reader>(std::move(reader));
  host().run_blocking(
      [store = store_, held, max] {
        return store->read(held->run, held->cursor, view(held->call->getNode()), max,
                           kAnswerBytesMax);
      },
      [this, held, commits = commits_](Result<OutputPage> page) {
        --works_;
        if (!page) {
          held->call.fail(page.error());
        } else {
          held->cursor = page->next;
          const bool over = draining_ || host().now() >= held->give_up_at;
          if (!page->pieces.empty() || (over && !page->more))
            reply_page(held->call, *page);
          else if (page->more || commits != commits_)  // what was written meanwhile
            serve(std::move(*held));
          else
            wait_for_more(std::move(*held));
        }
        finish_drain_when_idle();
      });
}

void NodeOutput::wait_for_more(Reader reader) {
  if (waiting_.size() >= kReadersMax)
    return reader.call.fail({Errc::OVERLOADED,
                             std::to_string(kReadersMax) + " readers wait for output already", "",
                             true});
  waiting_.push_back(std::move(reader));
  watch_readers();
}

void NodeOutput::answer_waiting(const std::string& run) {
  std::vector<Reader> concerned;
  for (Reader& reader : waiting_)
    if (reader.run == run) concerned.push_back(std::move(reader));
  std::erase_if(waiting_, [](const Reader& reader) { return !reader.call.open(); });
  for (Reader& reader : concerned) serve(std::move(reader));
}

void NodeOutput::watch_readers() {
  if (waiting_.empty() || std::exchange(watching_, true)) return;
  host().after(kWatchPeriod, [this] {
    watching_ = false;
    const auto now = host().now();
    for (Reader& reader : waiting_)
      if (now >= reader.give_up_at) reply_page(reader.call, {{}, reader.cursor, false});
    std::erase_if(waiting_, [](const Reader& reader) { return !reader.call.open(); });
    watch_readers();
  });
}

void NodeOutput::cancelled(const Header& request) {
  std::erase_if(waiting_, [&](const Reader& reader) {
    return reader.call.header().sender == request.sender &&
           reader.call.header().correlation == request.correlation;
  });
}

// ---- what goes ----------------------------------------------------------------------------------

void NodeOutput::erase(EraseCall call) {
  std::string run(view(call->getRun()));
  if (auto good = check_run(run); !good) return call.fail(good.error());
  if (runs_.contains(run))
    return call.fail(
        {Errc::FAILED_PRECONDITION, "run " + run + " still prints; cancel it first", "run"});
  erase_some(std::make_shared<EraseCall>(std::move(call)), std::move(run), 0);
}

void NodeOutput::erase_some(std::shared_ptr<EraseCall> call, std::string run,
                            std::uint64_t before) {
  ++works_;
  auto count = std::make_shared<std::uint64_t>(0);
  const Status accepted = writer_.submit(
      [store = store_, run, count](runtime::WriteTxn& txn) -> Status {
        auto erased = store->erase(txn, run, kErasedAtOnce);
        if (!erased) return erased.error();
        *count = *erased;
        return {};
      },
      [this, home = mailbox_, call, run, count, before](Status status) {
        home->post([this, call, run, count, before, status = std::move(status)] {
          --works_;
          const std::uint64_t all = before + *count;
          if (!status)
            call->fail(status.error());
          else if (*count == kErasedAtOnce)
            erase_some(call, run, all);
          else
            call->reply([&](auto out) { out.setPieces(all); });
          finish_drain_when_idle();
        });
      });
  if (accepted) return;
  --works_;
  call->fail(accepted.error());
}

}  // namespace symphony::actors
