#include "actors/pit/output/output_log.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {

OutputLog::Attempt& OutputLog::attempt_of(std::string_view node, std::int64_t started_ns) {
  const auto found = attempts_.find(node);
  if (found != attempts_.end() && found->second.started_ns == started_ns) return found->second;
  if (found != attempts_.end()) forget(found);  // it never said its end
  if (attempts_.size() >= limits_.attempts_max)
    forget(std::ranges::min_element(attempts_, {},
                                    [](const auto& one) { return one.second.started_ns; }));
  Attempt& attempt = attempts_[std::string(node)];
  attempt.started_ns = started_ns;
  return attempt;
}

void OutputLog::forget(Attempts::iterator attempt) {
  for (const auto& pending : attempt->second.pending) pending->attempt = nullptr;
  attempts_.erase(attempt);
}

void OutputLog::append(std::string_view node, std::int64_t started_ns, messages::PrintedOn stream,
                       std::uint64_t offset, std::string_view data, std::int64_t now_ns) {
  if (data.empty()) return;
  Attempt& attempt = attempt_of(node, started_ns);
  while (!data.empty()) {
    Pending* last = attempt.pending.empty() ? nullptr : &*attempt.pending.back();
    const bool goes_on = last != nullptr && last->piece.stream == stream &&
                         last->piece.offset + last->piece.data.size() == offset &&
                         last->piece.data.size() < limits_.piece_bytes_max;
    if (!goes_on) {
      pieces_.push_back({{std::string(node), started_ns, stream, offset, now_ns, {}}, &attempt});
      attempt.pending.push_back(std::prev(pieces_.end()));
      last = &pieces_.back();
    }
    const auto size = std::min(data.size(), limits_.piece_bytes_max - last->piece.data.size());
    last->piece.data.append(data.substr(0, size));
    data.remove_prefix(size);
    offset += size;
    attempt.bytes += size;
    pending_bytes_ += size;
    trim(attempt);
  }
}

void OutputLog::trim(Attempt& attempt) {
  const std::size_t limit =
      run_bytes_ < limits_.run_bytes_max ? limits_.attempt_bytes_max : limits_.short_bytes_max;
  while (attempt.bytes > limit && !attempt.stored.empty()) {
    attempt.bytes -= attempt.stored.front().bytes;
    run_bytes_ -= std::min<std::uint64_t>(run_bytes_, attempt.stored.front().bytes);
    erased_.push_back(attempt.stored.front().sequence);
    attempt.stored.pop_front();
  }
  while (attempt.bytes > limit) {
    OutputPiece& piece = attempt.pending.front()->piece;
    const std::size_t cut = std::min(attempt.bytes - limit, piece.data.size());
    attempt.bytes -= cut;
    pending_bytes_ -= cut;
    piece.data.erase(0, cut);
    piece.offset += cut;
    if (!piece.data.empty()) continue;
    pieces_.erase(attempt.pending.front());
    attempt.pending.pop_front();
  }
}

void OutputLog::end(std::string_view node, std::int64_t started_ns) {
  const auto found = attempts_.find(node);
  if (found != attempts_.end() && found->second.started_ns == started_ns) forget(found);
}

OutputWrite OutputLog::take() {
  OutputWrite write;
  write.erased = std::exchange(erased_, {});
  for (Pending& pending : pieces_) {
    const std::size_t size = pending.piece.data.size();
    if (pending.attempt != nullptr) {
      pending.attempt->stored.push_back({next_sequence_, size});
      pending.attempt->pending.clear();
    }
    run_bytes_ += size;
    write.size_bytes += size;
    write.pieces.emplace_back(next_sequence_++, std::move(pending.piece));
  }
  pieces_.clear();
  pending_bytes_ = 0;
  write.next_sequence = next_sequence_;
  write.run_bytes = run_bytes_;
  return write;
}

}  // namespace symphony::actors
