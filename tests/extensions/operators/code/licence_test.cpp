#include "extensions/operators/code/licence.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace symphony::extensions::code {
namespace {

std::string name_of(std::string_view head) { return detect_licence(head).name; }

TEST(Licence, OfADebianTextIsNamedByItsTitle) {
  const std::pair<const char*, const char*> texts[] = {
      {"Apache-2.0", "Apache-2.0"},  {"Artistic", "Artistic-1.0-Perl"},
      {"BSD", "BSD-3-Clause"},       {"CC0-1.0", "CC0-1.0"},
      {"GFDL-1.2", "GFDL-1.2-only"}, {"GFDL-1.3", "GFDL-1.3-only"},
      {"GPL-1", "GPL-1.0-only"},     {"GPL-2", "GPL-2.0-only"},
      {"GPL-3", "GPL-3.0-only"},     {"LGPL-2", "LGPL-2.0-only"},
      {"LGPL-2.1", "LGPL-2.1-only"}, {"LGPL-3", "LGPL-3.0-only"},
      {"MPL-1.1", "MPL-1.1"},        {"MPL-2.0", "MPL-2.0"}};
  for (const auto& [file, name] : texts) {
    std::ifstream in(std::string("/usr/share/common-licenses/") + file);
    if (!in) continue;  // an installation without documents
    std::ostringstream text;
    text << in.rdbuf();
    EXPECT_EQ(name_of(text.str()), name) << file;
    EXPECT_EQ(name_of(text.str().substr(0, kLicenceHeadBytes)), name) << file << ", its beginning";
  }
}

TEST(Licence, OfAHeaderIsWhatItsNoticeSays) {
  EXPECT_EQ(
      name_of("// This program is free software; you can redistribute it and/or modify\n"
              "// it under the terms of the GNU General Public License as published by\n"
              "// the Free Software Foundation; either version 2 of the License, or\n"
              "// (at your option) any later version.\n//\n"
              "// but WITHOUT ANY WARRANTY. See the GNU General Public License for more\n"
              "// details. You should have received a copy of the GNU General Public License\n"),
      "GPL-2.0-or-later");
  EXPECT_EQ(name_of("/* This program is free software; you can redistribute it and/or modify it\n"
                    " * under the terms and conditions of the GNU General Public License,\n"
                    " * version 2, as published by the Free Software Foundation. */\n"),
            "GPL-2.0-only");
  EXPECT_EQ(name_of("# under the terms of version 3 of the GNU General Public License\n"),
            "GPL-3.0-only");
  EXPECT_EQ(name_of("# License: GPLv2+\n"), "GPL-2.0-or-later");
  EXPECT_EQ(name_of("# Licensed under the GPL v3.\n"), "GPL-3.0-only");
  EXPECT_EQ(name_of("# distributed under the GNU GPL\n"), "GPL-1.0-or-later");
  EXPECT_EQ(name_of("/* under the terms of the GNU Lesser General Public License as published by\n"
                    "   the Free Software Foundation; either version 2.1 of the License, or (at\n"
                    "   your option) any later version. */"),
            "LGPL-2.1-or-later");
  EXPECT_EQ(
      name_of("/* terms of the GNU Library General Public License as published by the Free\n"
              "   Software Foundation; either version 2 of the License, or any later version"),
      "LGPL-2.0-or-later");
  EXPECT_EQ(
      name_of("terms of the GNU Affero General Public License as published by the Free\n"
              "Software Foundation, either version 3 of the License, or (at your option) any\n"
              "later version."),
      "AGPL-3.0-or-later");
  EXPECT_EQ(name_of("Permission is granted to copy under the terms of the GNU Free Documentation\n"
                    "License, Version 1.3 or any later version published by the Free Software\n"
                    "Foundation; with no Invariant Sections, no Front-Cover Texts"),
            "GFDL-1.3-no-invariants-or-later");
  EXPECT_EQ(name_of("The contents of this file are subject to the Mozilla Public License Version\n"
                    "1.1 (the \"License\");"),
            "MPL-1.1");
  EXPECT_EQ(name_of("/* This Source Code Form is subject to the terms of the Mozilla Public\n"
                    " * License, v. 2.0. If a copy of the MPL was not distributed */"),
            "MPL-2.0");
  EXPECT_EQ(name_of("# Licensed under the Apache License,\n# Version 2.0 (the \"License\")\n"),
            "Apache-2.0");
  EXPECT_EQ(name_of("# under the terms of the Artistic License.\n"), "Artistic-1.0");
  EXPECT_EQ(name_of("# the author has waived all copyright; see\n"
                    "# http://creativecommons.org/publicdomain/zero/1.0/\n"),
            "CC0-1.0");
  EXPECT_EQ(name_of("/* Redistribution and use in source and\n * binary forms ...\n"
                    " * Neither the name of */\n"),
            "BSD-3-Clause");
  EXPECT_EQ(name_of("/* Redistribution and use in source and binary forms ... 3. All advertising\n"
                    " * materials mentioning features ... 4. Neither the name of */\n"),
            "BSD-4-Clause");
}

TEST(Licence, ThatATextOnlyMentionsIsNotItsOwn) {
  EXPECT_EQ(
      name_of("Mozilla Public License Version 2.0\n====\n1.12. \"Secondary License\" means the\n"
              "GNU General Public License, Version 2.0, the GNU Affero General Public\n"
              "License, Version 3.0, or any later versions of those licenses."),
      "MPL-2.0");
  EXPECT_EQ(name_of("GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n\n13. Use with the GNU\n"
                    "Affero General Public License."),
            "GPL-3.0-only");
}

TEST(Licence, OfSeveralIsAChoiceWhereTheTextOffersOne) {
  EXPECT_EQ(
      name_of("subject to the Mozilla Public License Version 1.1 (the \"License\")\n"
              "Alternatively, the contents of this file may be used under the terms of\n"
              "either the GNU General Public License Version 2 or later (the \"GPL\"), or the\n"
              "GNU Lesser General Public License Version 2.1 or later (the \"LGPL\")"),
      "MPL-1.1 OR GPL-2.0-or-later OR LGPL-2.1-or-later");
  EXPECT_EQ(
      name_of("JSZip is dual-licensed. You may use it under the MIT license *or* the GPLv3\n"),
      "MIT OR GPL-3.0-only");
  EXPECT_EQ(name_of("Parts are under the MIT license, parts under the GPLv3.\n"),
            "MIT AND GPL-3.0-only");
  EXPECT_EQ(name_of("it under the same terms as Perl itself."),
            "Artistic-1.0-Perl OR GPL-1.0-or-later");
  EXPECT_EQ(
      name_of("GNU General Public License, either version 3, or any later version. ... granted\n"
              "additional permissions described in the GCC Runtime Library Exception"),
      "GPL-3.0-or-later WITH GCC-exception-3.1");
}

TEST(Licence, OfAnSpdxLineEndsWithItsExpression) {
  EXPECT_EQ(name_of("// SPDX-License-Identifier: GPL-2.0-only OR MIT */\n"), "GPL-2.0-only OR MIT");
  EXPECT_EQ(name_of("<!-- SPDX-License-Identifier: MIT -->"), "MIT");
  EXPECT_EQ(name_of("/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */"),
            "((GPL-2.0-only WITH Linux-syscall-note) OR MIT)");
  EXPECT_EQ(name_of("# SPDX-License-Identifier: LGPL-2.1+\n"), "LGPL-2.1-or-later");
  EXPECT_EQ(name_of("# SPDX-License-Identifier: MIT and more words, \"quoted\"\n"), "MIT");
  EXPECT_EQ(name_of("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: 0BSD OR ISC\n"),
            "MIT AND (0BSD OR ISC)");
  EXPECT_EQ(name_of("# SPDX-License-Identifier: \n"), "");
  EXPECT_TRUE(detect_licence("# SPDX-License-Identifier: MIT\n").spdx);
}

TEST(Licence, IsNothingWhereNothingIsSaid) {
  EXPECT_EQ(name_of("// Copyright (c) 2020 Somebody\n"), "copyright only");
  EXPECT_EQ(name_of("int main() {}\n"), "");
}

TEST(Licence, FilesAreKnownByTheirNames) {
  EXPECT_TRUE(is_licence_file("a/COPYING.LESSER"));
  EXPECT_TRUE(is_licence_file("LICENSE"));
  EXPECT_FALSE(is_licence_file("licence.cpp"));
}

}  // namespace
}  // namespace symphony::extensions::code
