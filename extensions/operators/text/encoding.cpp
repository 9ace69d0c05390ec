#include "extensions/operators/text/encoding.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/text/words.hpp"

namespace symphony::extensions {
namespace {

constexpr std::size_t kDeclarationBytes = 1024;  // where HTML wants it; others want less
constexpr std::size_t kSampleBytes = 4096;
constexpr std::size_t kNameBytesMax = 40;

struct CloseConverter {
  void operator()(void* handle) const noexcept { ::iconv_close(handle); }
};

// The content in UTF-8, or nothing when it is not in this encoding, or nobody knows it.
std::optional<std::string> converted(std::string_view content, const char* from) {
  const ::iconv_t handle = ::iconv_open("UTF-8", from);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): this is how iconv tells of a failure
  if (handle == reinterpret_cast<::iconv_t>(-1)) return std::nullopt;
  const std::unique_ptr<void, CloseConverter> close(handle);
  std::string text;
  char* in = const_cast<char*>(content.data());
  std::size_t left = content.size();
  while (left > 0) {
    char chunk[4096];
    char* out = chunk;
    std::size_t room = sizeof chunk;
    const bool failed = ::iconv(handle, &in, &left, &out, &room) == static_cast<std::size_t>(-1);
    text.append(chunk, sizeof chunk - room);
    if (failed && errno != E2BIG) return std::nullopt;
  }
  return text;
}

// Text in two-byte units without a mark: of what people write, most units have a zero in one half.
const char* unmarked_utf16(std::string_view content) {
  const auto sample = content.substr(0, kSampleBytes);
  if (content.size() % 2 != 0 || sample.size() < 4) return nullptr;
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < sample.size(); ++i) zeros[i % 2] += sample[i] == '\0' ? 1 : 0;
  const std::size_t most = sample.size() / 2 * 2 / 5;
  if (zeros[0] == 0 && zeros[1] > most) return "UTF-16LE";
  if (zeros[1] == 0 && zeros[0] > most) return "UTF-16BE";
  return nullptr;
}

// The name after `key` and a colon or equals sign: "coding: latin-1", "encoding=\"ISO-8859-1\"".
std::string name_after(std::string_view text, std::string_view key) {
  const auto same = [](char a, char b) { return to_lower(a) == b; };
  const auto found = std::search(text.begin(), text.end(), key.begin(), key.end(), same);
  if (found == text.end()) return "";
  auto at = static_cast<std::size_t>(found - text.begin()) + key.size();
  const auto skip = [&](std::string_view these) {
    while (at < text.size() && these.find(text[at]) != std::string_view::npos) ++at;
  };
  skip(" \t");
  if (at >= text.size() || (text[at] != ':' && text[at] != '=')) return "";
  ++at;
  skip(" \t\"'");
  std::string name;
  for (; at < text.size() && name.size() < kNameBytesMax; ++at) {
    const char c = to_lower(text[at]);
    const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                      c == '.' || c == ':';
    if (!part) break;
    name += c;
  }
  return name;
}

std::string declared_encoding(std::string_view content) {
  const auto head = content.substr(0, kDeclarationBytes);
  if (head.starts_with("<?xml")) return name_after(head.substr(0, head.find("?>")), "encoding");
  std::size_t lines = head.find('\n');
  if (lines != std::string_view::npos) lines = head.find('\n', lines + 1);
  if (auto name = name_after(head.substr(0, lines), "coding"); !name.empty()) return name;
  return head.find('<') == std::string_view::npos ? "" : name_after(head, "charset");
}

// Python and Emacs have names of their own for the encodings that iconv knows.
std::string iconv_name(std::string name) {
  for (const std::string_view end : {"-unix", "-dos", "-mac"})
    if (name.ends_with(end)) name.resize(name.size() - end.size());
  if (name == "latin-1" || name == "latin_1" || name == "iso-latin-1") return "iso-8859-1";
  return name;
}

}  // namespace

SourceText decode_source(std::string_view content, std::string& buffer) {
  const auto as = [&](const char* from, std::string_view bytes, std::string name) {
    auto text = converted(bytes, from);
    if (!text) return SourceText{{}, "binary"};
    buffer = std::move(*text);
    return SourceText{buffer, std::move(name)};
  };
  constexpr std::string_view kWide{"\xFF\xFE\0\0", 4};
  constexpr std::string_view kWideBig{"\0\0\xFE\xFF", 4};
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  if (content.starts_with(kWide)) return as("UTF-32LE", content.substr(4), "utf-32");
  if (content.starts_with(kWideBig)) return as("UTF-32BE", content.substr(4), "utf-32");
  if (content.starts_with("\xFF\xFE")) return as("UTF-16LE", content.substr(2), "utf-16");
  if (content.starts_with("\xFE\xFF")) return as("UTF-16BE", content.substr(2), "utf-16");
  if (looks_binary(content)) {
    const char* wide = unmarked_utf16(content);
    return wide == nullptr ? SourceText{{}, "binary"} : as(wide, content, "utf-16");
  }
  if (is_utf8(content)) return {content, "utf-8"};
  if (std::string name = declared_encoding(content); !name.empty()) {
    if (SourceText text = as(iconv_name(name).c_str(), content, name); !text.binary()) return text;
  }
  return {content, "other"};
}

}  // namespace symphony::extensions
