// Base64 as in RFC 4648 section 4: padded, no line breaks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace symphony {

void append_base64(std::span<const unsigned char> bytes, std::string& out);

// Nothing when the text is not the base64 of any bytes: other characters, missing padding,
// leftover bits that are not zero.
std::optional<std::vector<unsigned char>> decode_base64(std::string_view text);

}  // namespace symphony
