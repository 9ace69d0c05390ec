// Hashes, compresses and decompresses the parts of content: pure CPU.
//
// A frame is how one part is kept: 1 byte encoding (0 raw, 1 zstd), 4 bytes big-endian size of the
// part, data. Data is raw when compression does not make it smaller.
//
// A codec holds the working memory of OpenSSL and zstd and is used by one thread at a time; a pool
// lends codecs to any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/system/sha256.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace symphony::actors {

using runtime::Digest;
using runtime::Sha256;

inline constexpr std::size_t kMaxPartBytes = std::size_t{16} << 20;
inline constexpr std::size_t kFrameHeaderBytes = 5;

class ContentCodec {
 public:
  explicit ContentCodec(int compression_level);
  ContentCodec(ContentCodec&&) noexcept = default;
  ContentCodec& operator=(ContentCodec&&) noexcept = default;

  Sha256& sha256() { return sha256_; }

  // Appends the frame of `part` to `out`. REQUIRES: part.size() <= kMaxPartBytes.
  void append_frame(std::string& out, std::string_view part);

  // Appends the part kept in `frame` to `out`. Errors: DATA_CORRUPT.
  Status append_part(std::string& out, std::string_view frame);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_DCtx_s* context) const;
  };

  int compression_level_;
  Sha256 sha256_;
  std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompressor_;
};

// Thread-safe. Keeps at most kMaxIdle codecs that nobody uses. Must outlive its leases.
class CodecPool {
 public:
  static constexpr std::size_t kMaxIdle = 16;

  explicit CodecPool(int compression_level) : compression_level_(compression_level) {}

  class Lease {
   public:
    Lease(CodecPool& pool, std::unique_ptr<ContentCodec> codec)
        : pool_(pool), codec_(std::move(codec)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(codec_)); }
    ContentCodec& operator*() const { return *codec_; }
    ContentCodec* operator->() const { return codec_.get(); }

   private:
    CodecPool& pool_;
    std::unique_ptr<ContentCodec> codec_;
  };

  Lease lease();

 private:
  void give_back(std::unique_ptr<ContentCodec> codec);

  const int compression_level_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ContentCodec>> idle_;
};

}  // namespace symphony::actors
