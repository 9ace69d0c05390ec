#include "extensions/operators/text/encoding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace symphony::extensions {
namespace {

struct Decoded {
  std::string text;
  std::string encoding;
};

Decoded decoded(std::string_view content) {
  std::string buffer;
  const SourceText source = decode_source(content, buffer);
  return {std::string(source.text), source.encoding};
}

std::string wide(std::string_view text, bool big = false) {
  std::string units;
  for (const char c : text) {
    units += big ? '\0' : c;
    units += big ? c : '\0';
  }
  return units;
}

TEST(SourceText, LosesItsByteOrderMark) {
  EXPECT_EQ(decoded("\xEF\xBB\xBFint a;").text, "int a;");
  EXPECT_EQ(decoded("int a;").encoding, "utf-8");
}

TEST(SourceText, IsReadFromWideUnitsWithAndWithoutAMark) {
  for (const bool big : {false, true}) {
    const std::string mark = big ? "\xFE\xFF" : "\xFF\xFE";
    EXPECT_EQ(decoded(mark + wide("int a;\n", big)).text, "int a;\n");
    EXPECT_EQ(decoded(wide("int a;\n", big)).text, "int a;\n");
    EXPECT_EQ(decoded(wide("int a;\n", big)).encoding, "utf-16");
  }
  EXPECT_EQ(decoded(std::string("\xFF\xFE\0\0A\0\0\0", 8)).text, "A");
  EXPECT_EQ(decoded(std::string("\xFF\xFE\0\0A\0\0\0", 8)).encoding, "utf-32");
}

TEST(SourceText, IsReadAsTheFileDeclares) {
  EXPECT_EQ(decoded("# -*- coding: latin-1 -*-\n# \xE9\n").text,
            "# -*- coding: latin-1 -*-\n# \xC3\xA9\n");
  EXPECT_EQ(decoded("#!/usr/bin/python\n# vim: fileencoding=iso-8859-15\n# \xA4\n").text,
            "#!/usr/bin/python\n# vim: fileencoding=iso-8859-15\n# \xE2\x82\xAC\n");
  EXPECT_EQ(decoded("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>").text,
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xC3\xA9</a>");
  EXPECT_EQ(decoded("<html><meta charset=\"windows-1252\">\x80").encoding, "windows-1252");
  EXPECT_EQ(decoded("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xC3\xA9</a>").encoding,
            "utf-8");
}

TEST(SourceText, IsTakenByteByByteWhereNobodyKnows) {
  EXPECT_EQ(decoded("caf\xE9").text, "caf\xE9");
  EXPECT_EQ(decoded("caf\xE9").encoding, "other");
  EXPECT_EQ(decoded("# coding: no-such-thing\n\xE9").encoding, "other");
}

TEST(SourceText, IsNoneInABinaryFile) {
  EXPECT_EQ(decoded(std::string("\x7F"
                                "ELF\0\0\1\2",
                                8))
                .encoding,
            "binary");
  EXPECT_EQ(decoded(std::string("\xFF\xFE\0\xD8", 4)).encoding, "binary");  // half a pair
  EXPECT_EQ(decoded(std::string(64, '\0')).encoding, "binary");
  EXPECT_EQ(decoded("").encoding, "utf-8");
}

}  // namespace
}  // namespace symphony::extensions
