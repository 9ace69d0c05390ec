// UTF-8: the one place that knows which bytes are text. Pure and thread-safe.
//
// Text of messages, settings and reports is well-formed UTF-8 (RFC 3629): no overlong forms, no
// surrogates, nothing above U+10FFFF. Bytes from outside (file names, exceptions, other programs)
// become text where they enter; `valid_text` is for what people read and nobody turns back into
// bytes (see runtime/text/path_text.hpp for what does).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace symphony {

// The length of the well-formed sequence that `text` begins with, 1 to 4; 0 when it begins with
// none or is empty.
std::size_t utf8_sequence_length(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

// `text` for people: \xNN for each byte that is not part of a well-formed sequence, and "…" after
// `bytes_max` bytes.
std::string valid_text(std::string_view text, std::size_t bytes_max = std::string_view::npos);

// `text` when it has at most `bytes_max` bytes; else as many whole sequences of it as fit, and "…".
std::string shortened(std::string_view text, std::size_t bytes_max);

}  // namespace symphony
