// Output on disk. Integers big-endian, "text" is a 4-byte length and bytes.
//
//   database       key                     value
//   output.runs    run                     u8 version, u64 next sequence, u64 bytes in all pieces
//   output.pieces  run, 0x00, u64 sequence u8 version, u8 stream, i64 time (ns), i64 started (ns),
//                                          u64 offset, text node, bytes
//
// Thread-safe; everything here may wait for the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/output/output_log.hpp"
#include "messages/result.hpp"
#include "runtime/storage/storage.hpp"

namespace symphony::actors {

inline constexpr std::size_t kOutputRunIdBytesMax = 64;

struct OutputPage {
  std::vector<std::pair<std::uint64_t, OutputPiece>> pieces;
  std::uint64_t next = 0;
  bool more = false;
};

class OutputStore {
 public:
  struct Row {
    std::uint64_t next_sequence = 1;
    std::uint64_t bytes = 0;
  };

  // Opens its databases. `storage` must outlive the store.
  static Result<OutputStore> open(runtime::Storage& storage);

  // Where the run's row stands; a fresh one when it printed nothing. DATA_CORRUPT.
  Result<Row> row(std::string_view run) const;
  // Inside a StorageWriter's transaction.
  Status write(runtime::WriteTxn& txn, std::string_view run, const OutputWrite& what) const;
  // Pieces after `cursor`, of `node` and its children or of all, at most so many and so large.
  Result<OutputPage> read(std::string_view run, std::uint64_t cursor, std::string_view node,
                          std::size_t pieces_max, std::size_t bytes_max) const;
  // Inside a transaction: forgets at most `pieces_max` of the run; how many. Fewer: all is gone.
  Result<std::uint64_t> erase(runtime::WriteTxn& txn, std::string_view run,
                              std::uint64_t pieces_max) const;

 private:
  OutputStore(runtime::Storage& storage, runtime::Database runs, runtime::Database pieces)
      : storage_(&storage), runs_(runs), pieces_(pieces) {}

  runtime::Storage* storage_;
  runtime::Database runs_;
  runtime::Database pieces_;
};

}  // namespace symphony::actors
