// Which licence a file says it is under: an SPDX line, or the wording of a well-known licence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace symphony::extensions::code {

inline constexpr std::size_t kLicenceHeadBytes = 8 * 1024;

struct Licence {
  // An SPDX expression ("MIT", "GPL-2.0-or-later WITH ..."), "copyright only" for a notice
  // without a known licence, empty for nothing.
  std::string name;
  bool spdx = false;  // said by an SPDX-License-Identifier line
};

// `head` is the beginning of a file, or all of a licence file.
Licence detect_licence(std::string_view head);

// LICENSE, LICENCE.txt, COPYING.LESSER, UNLICENSE ... (path or name, any case).
bool is_licence_file(std::string_view path);

}  // namespace symphony::extensions::code
