#include "extensions/operators/code/licence_wordings.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace symphony::extensions::code {
namespace {

// A title further down is one that is quoted.
constexpr std::size_t kTitleWithin = 300;
// How far from the name of a GNU licence its version may stand, and "or later" from the version.
constexpr std::size_t kVersionWithin = 160;
constexpr std::size_t kLaterWithin = 60;

constexpr auto kNone = std::string_view::npos;

struct Title {
  std::string_view words;
  std::string_view name;
};

constexpr std::array<Title, 25> kTitles = {{
    {"gnu general public license version 1, february 1989", "GPL-1.0-only"},
    {"gnu general public license version 2, june 1991", "GPL-2.0-only"},
    {"gnu general public license version 3, 29 june 2007", "GPL-3.0-only"},
    {"gnu library general public license version 2, june 1991", "LGPL-2.0-only"},
    {"gnu lesser general public license version 2.1, february 1999", "LGPL-2.1-only"},
    {"gnu lesser general public license version 3, 29 june 2007", "LGPL-3.0-only"},
    {"gnu affero general public license version 3, 19 november 2007", "AGPL-3.0-only"},
    {"gnu free documentation license version 1.1", "GFDL-1.1-only"},
    {"gnu free documentation license version 1.2", "GFDL-1.2-only"},
    {"gnu free documentation license version 1.3", "GFDL-1.3-only"},
    {"apache license version 2.0, january 2004", "Apache-2.0"},
    {"the apache software license, version 1.1", "Apache-1.1"},
    {"mozilla public license version 1.0", "MPL-1.0"},
    {"mozilla public license version 1.1", "MPL-1.1"},
    {"mozilla public license version 2.0", "MPL-2.0"},
    {"mozilla public license, version 2.0", "MPL-2.0"},
    {"the artistic license 2.0", "Artistic-2.0"},
    {"the artistic license preamble", "Artistic-1.0"},
    {"creative commons legal code cc0 1.0 universal", "CC0-1.0"},
    {"cc0 1.0 universal", "CC0-1.0"},
    {"eclipse public license - v 1.0", "EPL-1.0"},
    {"eclipse public license - v 2.0", "EPL-2.0"},
    {"boost software license - version 1.0", "BSL-1.0"},
    {"european union public licence v. 1.2", "EUPL-1.2"},
    {"creative commons attribution-sharealike 4.0", "CC-BY-SA-4.0"},
}};

// A notice: all of the words stand in the text. Of one group the first that fits counts.
struct Notice {
  char group;
  std::string_view words[2];
  std::string_view name;
};

constexpr std::array<Notice, 32> kNotices = {{
    {'a', {"apache license v2.0 with llvm exceptions", ""}, "Apache-2.0 WITH LLVM-exception"},
    {'a', {"apache license, version 2.0", ""}, "Apache-2.0"},
    {'a', {"apache license version 2.0", ""}, "Apache-2.0"},
    {'a', {"apache license 2.0", ""}, "Apache-2.0"},
    {'a', {"apache.org/licenses/license-2.0", ""}, "Apache-2.0"},
    {'m', {"mozilla public license", "v. 2.0"}, "MPL-2.0"},
    {'m', {"mozilla public license", "version 2.0"}, "MPL-2.0"},
    {'m', {"mozilla public license version 1.1", ""}, "MPL-1.1"},
    {'m', {"mozilla public license, version 1.1", ""}, "MPL-1.1"},
    {'e', {"eclipse public license", "2.0"}, "EPL-2.0"},
    {'e', {"eclipse public license", ""}, "EPL-1.0"},
    {'b', {"boost software license", ""}, "BSL-1.0"},
    {'p', {"same terms as perl itself", ""}, "Artistic-1.0-Perl OR GPL-1.0-or-later"},
    {'p', {"artistic license", "2.0"}, "Artistic-2.0"},
    {'p', {"artistic license", ""}, "Artistic-1.0"},
    {'0', {"creativecommons.org/publicdomain/zero/1.0", ""}, "CC0-1.0"},
    {'0', {"cc0 public domain dedication", ""}, "CC0-1.0"},
    {'0', {"cc0 1.0 universal", ""}, "CC0-1.0"},
    {'x',
     {"permission is hereby granted, free of charge, to any person obtaining a copy", "software"},
     "MIT"},
    {'x', {"mit license", ""}, "MIT"},
    {'x', {"licensed under the mit", ""}, "MIT"},
    {'i', {"permission to use, copy, modify, and/or distribute this software", ""}, "ISC"},
    {'i',
     {"permission to use, copy, modify, and distribute this software for any purpose", ""},
     "ISC"},
    {'d',
     {"redistribution and use in source and binary forms", "all advertising materials"},
     "BSD-4-Clause"},
    {'d',
     {"redistribution and use in source and binary forms", "neither the name"},
     "BSD-3-Clause"},
    {'d',
     {"redistribution and use in source and binary forms", "may be used to endorse"},
     "BSD-3-Clause"},
    {'d', {"redistribution and use in source and binary forms", ""}, "BSD-2-Clause"},
    {'d', {"bsd-style license", ""}, "BSD-3-Clause"},
    {'z', {"altered source versions must be plainly marked", ""}, "Zlib"},
    {'u', {"this is free and unencumbered software", ""}, "Unlicense"},
    {'w', {"released into the public domain", ""}, "public domain"},
    {'w', {"in the public domain", ""}, "public domain"},
}};

// The names under which notices speak of a GNU licence; the special ones hold the general one.
struct GnuName {
  std::string_view words;
  std::string_view family;
  std::string_view oldest;  // what a notice without a version leaves to choose from
};

constexpr std::array<GnuName, 14> kGnuNames = {{
    {"gnu affero general public license", "AGPL", "3.0"},
    {"gnu agpl", "AGPL", "3.0"},
    {"agplv", "AGPL", "3.0"},
    {"gnu lesser general public", "LGPL", "2.0"},
    {"gnu library general public", "LGPL", "2.0"},
    {"gnu lgpl", "LGPL", "2.0"},
    {"lgplv", "LGPL", "2.0"},
    {"lgpl v", "LGPL", "2.0"},
    {"gnu free documentation license", "GFDL", "1.1"},
    {"gnu general public license", "GPL", "1.0"},
    {"gnu public license", "GPL", "1.0"},
    {"gnu gpl", "GPL", "1.0"},
    {"gplv", "GPL", "1.0"},
    {"gpl v", "GPL", "1.0"},
}};

struct Exception {
  std::string_view words;
  std::string_view family;
  std::string_view name;
};

constexpr std::array<Exception, 3> kExceptions = {{
    {"gcc runtime library exception", "GPL", "GCC-exception-3.1"},
    {"linking this library statically or dynamically with other modules", "GPL",
     "Classpath-exception-2.0"},
    {"as a special exception, you may create a larger work that contains part or all of the bison",
     "GPL", "Bison-exception-2.2"},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::string_view window(std::string_view text, std::size_t from, std::size_t size) {
  return from < text.size() ? text.substr(from, size) : std::string_view();
}

bool says_later(std::string_view text) {
  for (const std::string_view words :
       {"any later version", "or later", "or newer", "or any later", "or higher", "or above"}) {
    if (text.find(words) != kNone) return true;
  }
  return false;
}

struct Version {
  std::string number;  // "2.0"; empty for none
  bool later = false;
};

// The version that begins at `at` ("2", "2.1", "2+", "2 or later").
Version version_at(std::string_view text, std::size_t at) {
  Version version;
  std::size_t end = at;
  while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && end + 1 < text.size() &&
                                                       is_digit(text[end + 1]))))
    ++end;
  if (end == at) return version;
  version.number = text.substr(at, end - at);
  if (version.number.find('.') == kNone) version.number += ".0";
  version.later =
      (end < text.size() && text[end] == '+') || says_later(window(text, end, kLaterWithin));
  return version;
}

// The version nearest after the licence's name: "…license, version 2", "license v2", "gplv3".
Version version_after(std::string_view flat, std::size_t end) {
  // Another licence's name, or the end of the sentence that grants, ends the search.
  std::string_view near = window(flat, end, kVersionWithin);
  near = near.substr(0, near.find("gnu "));
  if (!near.empty() && is_digit(near.front())) return version_at(flat, end);
  for (std::size_t i = 0; i < near.size(); ++i) {
    const bool word_begins = i == 0 || !is_letter(near[i - 1]);
    if (!word_begins || near[i] != 'v') continue;
    std::size_t number = i + 1;
    if (near.substr(i).starts_with("version")) number = i + 7;
    while (number < near.size() && (near[number] == ' ' || near[number] == '.')) ++number;
    if (number < near.size() && is_digit(near[number])) return version_at(flat, end + number);
  }
  return {};
}

// "version 2 of the gnu …", "version 2 or later of the gnu …", "version 2 of the license, …".
Version version_before(std::string_view flat, std::size_t at) {
  const std::size_t from = at > kVersionWithin / 2 ? at - kVersionWithin / 2 : 0;
  const std::string_view near = flat.substr(from, at - from);
  const std::size_t word = near.rfind("version ");
  if (word == kNone || !near.ends_with("of the ") || near.find(". ", word) != kNone) return {};
  return version_at(flat.substr(0, at), from + word + 8);
}

struct Named {
  std::size_t at;
  std::string name;
};

// The GNU licences that the text names, each family with the versions it gives.
void find_gnu(std::string_view flat, std::vector<Named>& found) {
  struct Mention {
    std::size_t at;
    const GnuName* name;
    Version version;
  };
  std::vector<Mention> mentions;
  for (std::size_t at = flat.find('g'); at != kNone; at = flat.find('g', at + 1)) {
    for (const GnuName& name : kGnuNames) {
      // The words of a family may begin before its g: "lgplv2".
      const std::size_t lead = name.words.find('g');
      if (at < lead || !flat.substr(at - lead).starts_with(name.words)) continue;
      const std::size_t begin = at - lead;
      if (begin > 0 && is_letter(flat[begin - 1])) continue;
      const std::size_t end = begin + name.words.size();
      Version version = version_before(flat, begin);
      if (version.number.empty()) version = version_after(flat, end);
      mentions.push_back({begin, &name, std::move(version)});
      at = end - 1;
      break;
    }
  }
  for (const Mention& mention : mentions) {
    const auto versioned = [&](const Mention& other) {
      return other.name->family == mention.name->family && !other.version.number.empty();
    };
    std::string name(mention.name->family);
    if (!mention.version.number.empty()) {
      name += "-" + mention.version.number;
      if (mention.name->family == "GFDL" && flat.find("no invariant sections") != kNone)
        name += "-no-invariants";
      name += mention.version.later ? "-or-later" : "-only";
    } else if (std::ranges::none_of(mentions, versioned)) {
      name += "-" + std::string(mention.name->oldest) + "-or-later";
    } else {
      continue;
    }
    for (const Exception& exception : kExceptions) {
      if (exception.family == mention.name->family && flat.find(exception.words) != kNone)
        name += " WITH " + std::string(exception.name);
    }
    found.push_back({mention.at, std::move(name)});
  }
}

}  // namespace

std::string flattened(std::string_view text) {
  std::string flat;
  flat.reserve(text.size());
  for (const char c : text) {
    const bool decoration = std::isspace(static_cast<unsigned char>(c)) != 0 || c == '*' ||
                            c == '#' || c == '"' || c == '%' || c == ';' || c == '`';
    if (!decoration && !(c == '/' && (flat.empty() || flat.back() == ' '))) {
      flat += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!flat.empty() && flat.back() != ' ') {
      flat += ' ';
    }
  }
  return flat;
}

std::string titled_licence(std::string_view flat) {
  const Title* best = nullptr;
  std::size_t first = kTitleWithin;
  for (const Title& title : kTitles) {
    const std::size_t at = window(flat, 0, kTitleWithin + title.words.size()).find(title.words);
    if (at >= first) continue;
    first = at;
    best = &title;
  }
  // A notice names the licence inside a sentence that grants something.
  if (best == nullptr || flat.substr(0, first).find("under the") != kNone ||
      flat.substr(0, first).find("subject to the") != kNone)
    return "";
  if (best->name == "Artistic-1.0" && flat.find("interpreter") != kNone) return "Artistic-1.0-Perl";
  return std::string(best->name);
}

std::vector<std::string> noticed_licences(std::string_view flat) {
  std::vector<Named> found;
  char last_group = '\0';
  for (const Notice& notice : kNotices) {
    if (notice.group == last_group) continue;
    const std::size_t at = flat.find(notice.words[0]);
    if (at == kNone || (!notice.words[1].empty() && flat.find(notice.words[1], at) == kNone))
      continue;
    last_group = notice.group;
    found.push_back({at, std::string(notice.name)});
  }
  find_gnu(flat, found);
  std::ranges::stable_sort(found, std::ranges::less(), &Named::at);
  std::vector<std::string> names;
  for (Named& named : found) {
    if (std::ranges::find(names, named.name) == names.end()) names.push_back(std::move(named.name));
  }
  return names;
}

bool offers_choice(std::string_view flat) {
  for (const std::string_view words :
       {"alternatively", "dual-licen", "dual licen", "dually licen", "at your choice",
        "your choice", "either of the", "tri-licen", "tri licen", "terms of either", "under either",
        "or the gnu", "licensed under the terms of one of", "mit/gpl", "bsd/gpl"}) {
    if (flat.find(words) != kNone) return true;
  }
  return false;
}

std::string current_identifier(std::string_view identifier) {
  for (const std::string_view family : {"GPL-", "LGPL-", "AGPL-", "GFDL-"}) {
    if (!identifier.starts_with(family)) continue;
    std::string_view version = identifier.substr(family.size());
    const bool later = version.ends_with('+');
    if (later) version.remove_suffix(1);
    const bool plain = !version.empty() &&
                       std::ranges::all_of(version, [](char c) { return is_digit(c) || c == '.'; });
    if (plain) return std::string(family) + std::string(version) + (later ? "-or-later" : "-only");
  }
  return std::string(identifier);
}

}  // namespace symphony::extensions::code
