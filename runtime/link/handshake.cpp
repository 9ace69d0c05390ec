#include "runtime/link/handshake.hpp"

#include <algorithm>
#include <cstring>

namespace symphony::runtime {
namespace {

constexpr std::string_view kMagic = "SYMPHONY";
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kCodeAt = 10;
constexpr std::size_t kTextBytesAt = 11;

bool printable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

std::vector<std::byte> encode_greeting(const Greeting& greeting) {
  const auto text_bytes = std::min(greeting.text.size(), kMaxGreetingTextBytes);
  std::vector<std::byte> out(kGreetingHeadBytes + text_bytes);
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  std::memcpy(out.data() + kVersionAt, &greeting.version, sizeof greeting.version);
  out[kCodeAt] = std::byte{greeting.code};
  out[kTextBytesAt] = static_cast<std::byte>(text_bytes);
  std::transform(greeting.text.begin(),
                 greeting.text.begin() + static_cast<std::ptrdiff_t>(text_bytes),
                 out.begin() + kGreetingHeadBytes,
                 [](char c) { return static_cast<std::byte>(printable(c) ? c : '?'); });
  return out;
}

std::span<std::byte> GreetingReader::space() noexcept {
  auto whole = kGreetingHeadBytes;
  if (filled_bytes_ >= whole) whole += std::to_integer<std::size_t>(buffer_[kTextBytesAt]);
  return std::span{buffer_}.first(whole).subspan(filled_bytes_);
}

Result<std::optional<Greeting>> GreetingReader::advance(std::size_t bytes) {
  filled_bytes_ += bytes;
  // What is there of the magic is judged at once: garbage is not waited for.
  const auto magic_bytes = std::min(filled_bytes_, kMagic.size());
  if (std::memcmp(buffer_.data(), kMagic.data(), magic_bytes) != 0)
    return Error{Errc::DATA_CORRUPT, "the peer does not speak Symphony's link protocol"};
  if (filled_bytes_ < kGreetingHeadBytes) return std::optional<Greeting>{};
  const auto text_bytes = std::to_integer<std::size_t>(buffer_[kTextBytesAt]);
  if (text_bytes > max_text_bytes_)
    return Error{Errc::DATA_CORRUPT, "the peer's greeting has " + std::to_string(text_bytes) +
                                         " bytes of text, at most " +
                                         std::to_string(max_text_bytes_) + " are allowed"};
  if (filled_bytes_ < kGreetingHeadBytes + text_bytes) return std::optional<Greeting>{};
  Greeting greeting;
  std::memcpy(&greeting.version, buffer_.data() + kVersionAt, sizeof greeting.version);
  greeting.code = std::to_integer<std::uint8_t>(buffer_[kCodeAt]);
  greeting.text.assign(reinterpret_cast<const char*>(buffer_.data()) + kGreetingHeadBytes,
                       text_bytes);
  if (!std::all_of(greeting.text.begin(), greeting.text.end(), printable))
    return Error{Errc::DATA_CORRUPT, "the peer's greeting is not printable"};
  return std::optional<Greeting>{std::move(greeting)};
}

Status check_hello(const Greeting& hello) {
  if (hello.version != kLinkVersion)
    return Error{Errc::FAILED_PRECONDITION,
                 "this node speaks version " + std::to_string(kLinkVersion) +
                     " of the link protocol, the peer version " + std::to_string(hello.version) +
                     ": use the same release of symphony on both sides"};
  if (hello.code > static_cast<std::uint8_t>(PeerKind::node))
    return Error{Errc::INVALID_ARGUMENT,
                 "this node knows no peers of kind " + std::to_string(hello.code)};
  if (hello.text.empty()) return Error{Errc::INVALID_ARGUMENT, "a peer has to say its name"};
  return {};
}

Status check_uid(std::uint32_t peer_uid, std::uint32_t own_uid) {
  if (peer_uid == own_uid || peer_uid == 0) return {};
  return Error{Errc::PERMISSION_DENIED, "this process belongs to user " + std::to_string(own_uid) +
                                            " and does not talk to user " +
                                            std::to_string(peer_uid)};
}

}  // namespace symphony::runtime
