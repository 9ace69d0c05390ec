#include "runtime/system/sha256.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "messages/result.hpp"

namespace symphony::runtime {

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string Digest::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kBytes);
  for (const auto byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::optional<Digest> Digest::from_hex(std::string_view text) {
  if (text.size() != 2 * kBytes) return std::nullopt;
  Digest digest;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

std::optional<Digest> Digest::from_bytes(std::string_view bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  Digest digest;
  std::memcpy(digest.bytes.data(), bytes.data(), kBytes);
  return digest;
}

void Sha256::Free::operator()(evp_md_st* algorithm) const { EVP_MD_free(algorithm); }
void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  SYMPHONY_ASSERT(algorithm_ != nullptr && context_ != nullptr);
  restart();
}

void Sha256::restart() {
  SYMPHONY_ASSERT(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
  SYMPHONY_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  unsigned size = 0;
  SYMPHONY_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), &size) == 1);
  SYMPHONY_ASSERT(size == Digest::kBytes);
  restart();
  return digest;
}

Digest Sha256::of(std::string_view bytes) {
  update(bytes);
  return finish();
}

Digest sha256(std::string_view bytes) { return Sha256().of(bytes); }

}  // namespace symphony::runtime
