// The text of a source file, whatever encoding it is in.
//
// A byte order mark counts first, then what is valid UTF-8, then the look of UTF-16 without a mark,
// then what the file declares of itself in its first lines (XML, HTML, `coding:` as Python, Ruby
// and editors read it). What is left is taken byte by byte. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace symphony::extensions {

struct SourceText {
  // UTF-8 without a byte order mark; the bytes as they are where `encoding` is "other". Empty for
  // "binary". Lies in the content or in the buffer that were given.
  std::string_view text;
  // "utf-8", "utf-16", "utf-32", the name that the file declares (in lower case), "other",
  // "binary".
  std::string encoding = "utf-8";
  bool binary() const noexcept { return encoding == "binary"; }
};

// `buffer` holds the text where it had to be converted.
SourceText decode_source(std::string_view content, std::string& buffer);

}  // namespace symphony::extensions
