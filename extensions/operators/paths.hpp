// Paths as operators see them: raw bytes inside, path-text (valid UTF-8, lossless) in JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace symphony::extensions {

// Raw bytes of a path to text and back; decode_path(encode_path(x)) == x for every x.
std::string encode_path(std::string_view raw);
std::string decode_path(std::string_view text);

// Length of the well-formed UTF-8 sequence (Unicode 15, table 3-7) that starts at `at`, or 0.
std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept;
bool is_utf8(std::string_view text) noexcept;
// `text` with every byte that is not UTF-8 replaced by U+FFFD.
std::string to_utf8_lossy(std::string_view text);
// The longest prefix of at most `max_bytes` that does not split a code point.
std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept;

// `relative` below `root`; an absolute or empty-rooted one stands alone.
std::string join_path(std::string_view root, std::string_view relative);

}  // namespace symphony::extensions
