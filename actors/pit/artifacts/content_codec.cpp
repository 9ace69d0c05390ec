#include "actors/pit/artifacts/content_codec.hpp"

#include <zstd.h>

#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

namespace {

enum Encoding : char { kRaw = 0, kZstd = 1 };

// Compressing fewer bytes than this gains nothing.
constexpr std::size_t kWorthCompressingBytes = 64;

Error corrupt(std::string_view why) {
  return {.code = Errc::DATA_CORRUPT, .message = std::string("a stored part ") + std::string(why)};
}

}  // namespace

void ContentCodec::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void ContentCodec::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

ContentCodec::ContentCodec(int compression_level)
    : compression_level_(compression_level),
      compressor_(ZSTD_createCCtx()),
      decompressor_(ZSTD_createDCtx()) {
  SYMPHONY_ASSERT(compressor_ != nullptr && decompressor_ != nullptr);
}

void ContentCodec::append_frame(std::string& out, std::string_view part) {
  SYMPHONY_ASSERT(part.size() <= kMaxPartBytes);
  const auto start = out.size();
  out.push_back(kRaw);
  runtime::append_be32(out, static_cast<std::uint32_t>(part.size()));
  if (part.size() >= kWorthCompressingBytes) {
    const auto data = out.size();
    // Room for one byte less than raw: what does not fit is not smaller.
    out.resize(data + part.size() - 1);
    const auto size = ZSTD_compressCCtx(compressor_.get(), out.data() + data, part.size() - 1,
                                        part.data(), part.size(), compression_level_);
    if (!ZSTD_isError(size)) {
      out.resize(data + size);
      out[start] = kZstd;
      return;
    }
    out.resize(data);
  }
  out.append(part);
}

Status ContentCodec::append_part(std::string& out, std::string_view frame) {
  if (frame.size() < kFrameHeaderBytes) return corrupt("is cut short");
  const char encoding = frame.front();
  const std::size_t size = runtime::read_be32(frame.substr(1));
  frame.remove_prefix(kFrameHeaderBytes);
  if (size > kMaxPartBytes) return corrupt("claims to be larger than any part may be");
  if (encoding == kRaw) {
    if (frame.size() != size) return corrupt("has the wrong size");
    out.append(frame);
    return {};
  }
  if (encoding != kZstd) return corrupt("has an unknown encoding");
  const auto start = out.size();
  out.resize(start + size);
  const auto got = ZSTD_decompressDCtx(decompressor_.get(), out.data() + start, size, frame.data(),
                                       frame.size());
  if (ZSTD_isError(got) || got != size) {
    out.resize(start);
    return corrupt("does not decompress");
  }
  return {};
}

CodecPool::Lease CodecPool::lease() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto codec = std::move(idle_.back());
      idle_.pop_back();
      return Lease(*this, std::move(codec));
    }
  }
  return Lease(*this, std::make_unique<ContentCodec>(compression_level_));
}

void CodecPool::give_back(std::unique_ptr<ContentCodec> codec) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(codec));
}

}  // namespace symphony::actors
