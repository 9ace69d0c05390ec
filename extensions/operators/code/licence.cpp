#include "extensions/operators/code/licence.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions::code {
namespace {

// A wording and what it means; the first one found wins, so the special ones come first.
struct Wording {
  std::string_view all_of[2];
  std::string_view name;
};

constexpr std::array<Wording, 25> kWordings = {{
    {{"gnu affero general public license", ""}, "AGPL-3.0"},
    {{"gnu lesser general public license", "version 3"}, "LGPL-3.0"},
    {{"gnu lesser general public license", "version 2.1"}, "LGPL-2.1"},
    {{"gnu lesser general public", ""}, "LGPL"},
    {{"gnu library general public", ""}, "LGPL-2.0"},
    {{"gcc runtime library exception", ""}, "GPL-3.0 WITH GCC-exception-3.1"},
    {{"gnu general public license", "version 3"}, "GPL-3.0"},
    {{"gnu general public license", "version 2"}, "GPL-2.0"},
    {{"gnu general public license", ""}, "GPL"},
    {{"apache license", "version 2.0"}, "Apache-2.0"},
    {{"mozilla public license", "2.0"}, "MPL-2.0"},
    {{"eclipse public license", ""}, "EPL"},
    {{"boost software license", ""}, "BSL-1.0"},
    {{"permission is hereby granted, free of charge, to any person obtaining a copy", "software"},
     "MIT"},
    {{"mit license", ""}, "MIT"},
    {{"permission to use, copy, modify, and/or distribute this software", ""}, "ISC"},
    {{"permission to use, copy, modify, and distribute this software for any purpose", ""}, "ISC"},
    {{"redistribution and use in source and binary forms", "neither the name"}, "BSD-3-Clause"},
    {{"redistribution and use in source and binary forms", ""}, "BSD-2-Clause"},
    {{"bsd-style license", ""}, "BSD-3-Clause"},
    {{"altered source versions must be plainly marked", ""}, "Zlib"},
    {{"this is free and unencumbered software", ""}, "Unlicense"},
    {{"creative commons legal code", "cc0"}, "CC0-1.0"},
    {{"released into the public domain", ""}, "public domain"},
    {{"in the public domain", ""}, "public domain"},
}};

// Lower case, with runs of blanks and comment decoration as one space: wordings break over lines.
std::string flattened(std::string_view text) {
  std::string flat;
  flat.reserve(text.size());
  for (const char c : text) {
    const bool decoration = std::isspace(static_cast<unsigned char>(c)) != 0 || c == '*' ||
                            c == '#' || c == '"' || c == '%' || c == ';';
    if (!decoration && !(c == '/' && (flat.empty() || flat.back() == ' '))) {
      flat += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!flat.empty() && flat.back() != ' ') {
      flat += ' ';
    }
  }
  return flat;
}

std::string spdx_expression(std::string_view head) {
  constexpr std::string_view kMark = "SPDX-License-Identifier:";
  const std::size_t mark = head.find(kMark);
  if (mark == std::string_view::npos) return "";
  std::string_view rest = head.substr(mark + kMark.size());
  rest = rest.substr(0, rest.find('\n'));
  std::string expression;
  for (const char c : rest.substr(0, 120)) {
    const bool allowed = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
                         c == '+' || c == '(' || c == ')' || c == ' ' || c == ':';
    if (!allowed) break;
    expression += c;
  }
  const auto end = expression.find_last_not_of(" -");
  const auto begin = expression.find_first_not_of(' ');
  return begin == std::string::npos || end == std::string::npos
             ? ""
             : expression.substr(begin, end - begin + 1);
}

}  // namespace

Licence detect_licence(std::string_view head) {
  if (std::string spdx = spdx_expression(head); !spdx.empty()) return {std::move(spdx), true};
  const std::string flat = flattened(head);
  for (const Wording& wording : kWordings) {
    if (flat.find(wording.all_of[0]) != std::string::npos &&
        (wording.all_of[1].empty() || flat.find(wording.all_of[1]) != std::string::npos)) {
      return {std::string(wording.name), false};
    }
  }
  if (flat.find("copyright (c)") != std::string::npos ||
      flat.find("copyright \xC2\xA9") != std::string::npos ||
      flat.find("all rights reserved") != std::string::npos ||
      flat.find("spdx-filecopyrighttext") != std::string::npos) {
    return {"copyright only", false};
  }
  return {};
}

bool is_licence_file(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view stem : {"license", "licence", "copying", "unlicense"}) {
    if (!name.starts_with(stem)) continue;
    const std::string_view rest = std::string_view(name).substr(stem.size());
    if (rest.empty() || rest == "s" || rest == ".txt" || rest == ".md" || rest == ".rst" ||
        rest.starts_with('-') || rest == ".lesser" || rest == ".lib") {
      return true;
    }
  }
  return false;
}

}  // namespace symphony::extensions::code
