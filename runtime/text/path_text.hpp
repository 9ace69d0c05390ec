// File names as text, and back without loss.
//
// A Linux file name is any bytes but '/' and NUL; JSON, Cap'n Proto text and reports want UTF-8.
// Here each byte 0x80+n that is not part of valid UTF-8 becomes the private-use code point U+F780+n
// (U+F780..U+F7FF). Where one of those code points occurs in a name, its three bytes are mapped
// like invalid ones. So every name has exactly one text, different names have different texts, the
// text is always valid UTF-8, and ordinary names are unchanged. Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace symphony::runtime {

// The text of a name. Any bytes go in; valid UTF-8 comes out.
std::string encode_path(std::string_view bytes);

// The name of a text: decode_path(encode_path(x)) == x. Of a text that encode_path does not produce
// it is what lies nearest: bytes that are no escape are kept.
std::string decode_path(std::string_view text);

// For people: bytes that are not valid UTF-8 and control characters as \xNN, \n, \t, \r; a
// backslash as \\. Takes the bytes of a name, not its encoded text. Always valid UTF-8 on one line.
std::string display_path(std::string_view bytes);

}  // namespace symphony::runtime
