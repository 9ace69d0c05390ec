#include "actors/pit/output/output_store.hpp"

#include "runtime/storage/bytes.hpp"

namespace symphony::actors {
namespace {

constexpr std::uint8_t kVersion = 1;

std::string prefix_of(std::string_view run) {
  std::string key(run);
  key.push_back('\0');
  return key;
}

std::string key_of(std::string_view run, std::uint64_t sequence) {
  std::string key = prefix_of(run);
  runtime::append_be64(key, sequence);
  return key;
}

Error unreadable(std::string_view run, std::uint8_t version) {
  if (version > kVersion)
    return Error{Errc::FAILED_PRECONDITION,
                 "the output of run " + std::string(run) + " was written by a newer version"};
  return Error{Errc::DATA_CORRUPT, "the output of run " + std::string(run) + " is damaged"};
}

std::string encode(const OutputPiece& piece) {
  runtime::RecordWriter out;
  out.u8(kVersion).u8(static_cast<std::uint8_t>(piece.stream));
  out.u64(static_cast<std::uint64_t>(piece.time_ns));
  out.u64(static_cast<std::uint64_t>(piece.started_ns));
  out.u64(piece.offset).text(piece.node).bytes(piece.data);
  return std::move(out).str();
}

Result<OutputPiece> decode(std::string_view run, std::string_view bytes) {
  runtime::RecordReader in(bytes);
  const std::uint8_t version = in.u8();
  OutputPiece piece;
  const std::uint8_t stream = in.u8();
  piece.stream = static_cast<messages::PrintedOn>(stream);
  piece.time_ns = static_cast<std::int64_t>(in.u64());
  piece.started_ns = static_cast<std::int64_t>(in.u64());
  piece.offset = in.u64();
  piece.node = in.text();
  piece.data = in.rest();
  if (version != kVersion || !in.ok() || stream > 1) return unreadable(run, version);
  return piece;
}

bool is_meant(std::string_view name, std::string_view node) {
  return node.empty() || name == node ||
         (name.starts_with(node) && name.substr(node.size()).starts_with('['));
}

}  // namespace

Result<OutputStore> OutputStore::open(runtime::Storage& storage) {
  auto runs = storage.open_database("output.runs");
  if (!runs) return runs.error();
  auto pieces = storage.open_database("output.pieces");
  if (!pieces) return pieces.error();
  return OutputStore(storage, *runs, *pieces);
}

Result<OutputStore::Row> OutputStore::row(std::string_view run) const {
  auto txn = storage_->begin_read();
  if (!txn) return txn.error();
  const auto value = txn->get(runs_, run);
  if (!value) return value.error();
  Row row;
  if (!value->has_value()) return row;
  runtime::RecordReader in(**value);
  const std::uint8_t version = in.u8();
  row.next_sequence = in.u64();
  row.bytes = in.u64();
  if (version != kVersion || !in.complete()) return unreadable(run, version);
  return row;
}

Status OutputStore::write(runtime::WriteTxn& txn, std::string_view run,
                          const OutputWrite& what) const {
  for (const std::uint64_t sequence : what.erased)
    if (auto erased = txn.erase(pieces_, key_of(run, sequence)); !erased) return erased.error();
  for (const auto& [sequence, piece] : what.pieces)
    if (auto put = txn.put(pieces_, key_of(run, sequence), encode(piece)); !put) return put;
  runtime::RecordWriter row;
  row.u8(kVersion).u64(what.next_sequence).u64(what.run_bytes);
  return txn.put(runs_, run, row.str());
}

Result<OutputPage> OutputStore::read(std::string_view run, std::uint64_t cursor,
                                     std::string_view node, std::size_t pieces_max,
                                     std::size_t bytes_max) const {
  auto txn = storage_->begin_read();
  if (!txn) return txn.error();
  auto at = txn->cursor(pieces_);
  if (!at) return at.error();
  const std::string prefix = prefix_of(run);
  OutputPage page;
  page.next = cursor;
  std::size_t bytes = 0;
  for (at->seek(key_of(run, cursor + 1)); at->in(prefix); at->next()) {
    if (page.pieces.size() >= pieces_max || bytes >= bytes_max) {
      page.more = true;
      break;
    }
    const std::uint64_t sequence = runtime::read_be64(at->key().substr(prefix.size()));
    auto piece = decode(run, at->value());
    if (!piece) return piece.error();
    page.next = sequence;
    if (!is_meant(piece->node, node)) continue;
    bytes += piece->data.size();
    page.pieces.emplace_back(sequence, std::move(*piece));
  }
  if (auto status = at->status(); !status) return status.error();
  return page;
}

Result<std::uint64_t> OutputStore::erase(runtime::WriteTxn& txn, std::string_view run,
                                         std::uint64_t pieces_max) const {
  const std::string prefix = prefix_of(run);
  std::vector<std::string> keys;
  {
    auto at = txn.cursor(pieces_);
    if (!at) return at.error();
    for (at->seek(prefix); at->in(prefix) && keys.size() < pieces_max; at->next())
      keys.emplace_back(at->key());
    if (auto status = at->status(); !status) return status.error();
  }
  for (const auto& key : keys)
    if (auto erased = txn.erase(pieces_, key); !erased) return erased.error();
  if (keys.size() < pieces_max)
    if (auto erased = txn.erase(runs_, run); !erased) return erased.error();
  return std::uint64_t{keys.size()};
}

}  // namespace symphony::actors
