// Which licence a file says it is under, as an SPDX expression.
//
// In this order: SPDX-License-Identifier lines; the title of a licence's own text, if the file
// begins with one (licences it mentions do not count then); the notices that files carry. Several
// notices are joined with OR where the text offers a choice, else with AND. The text of a GNU
// licence alone counts as "-only": it is its notice that says "or any later version".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace symphony::extensions::code {

inline constexpr std::size_t kLicenceHeadBytes = 8 * 1024;

struct Licence {
  // An SPDX expression ("MIT", "GPL-2.0-or-later WITH ..."), "public domain", "copyright only" for
  // a notice without a known licence, empty for nothing.
  std::string name;
  bool spdx = false;  // said by an SPDX-License-Identifier line
};

// `head` is the beginning of a file, or all of a licence file. Linear in its size.
Licence detect_licence(std::string_view head);

// LICENSE, LICENCE.txt, COPYING.LESSER, UNLICENSE ... (path or name, any case).
bool is_licence_file(std::string_view path);

}  // namespace symphony::extensions::code
