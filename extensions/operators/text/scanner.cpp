#include <algorithm>
#include <cstring>

#include "extensions/operators/text/languages.hpp"
#include "extensions/operators/text/words.hpp"

namespace symphony::extensions {

namespace {

// A character literal is at most '\U0001F600' long.
constexpr std::size_t kMaxCharacterLiteralBytes = 14;
constexpr std::size_t kMaxRawDelimiterBytes = 16;
constexpr std::size_t kLongestKeyword = 10;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != to_lower(prefix[i])) return false;
  }
  return true;
}

bool first_on_line(std::string_view text, std::size_t at) {
  while (at > 0 && is_space(text[at - 1])) --at;
  return at == 0 || text[at - 1] == '\n';
}

bool may_start(CommentPlace place, std::string_view text, std::size_t at) {
  switch (place) {
    case CommentPlace::anywhere:
      return true;
    case CommentPlace::word_start:
      return at == 0 || std::strchr(" \t\r\n;&|(){}[]", text[at - 1]) != nullptr;
    case CommentPlace::line_start:
      return first_on_line(text, at);
    case CommentPlace::column_one:
      return at == 0 || text[at - 1] == '\n';
  }
  return false;
}

// One past the newline-free rest of the line.
std::size_t line_end(std::string_view text, std::size_t at) {
  const auto end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end;
}

std::size_t after(std::string_view text, std::string_view close, std::size_t from) {
  const auto found = text.find(close, from);
  return found == std::string_view::npos ? text.size() : found + close.size();
}

// A string without special delimiters; line strings end before an unescaped newline.
std::size_t plain_string_end(std::string_view text, std::size_t from, std::string_view close,
                             char escape, bool multiline) {
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (escape != 0 && c == escape) {
      if (i + 2 < text.size() && text[i + 1] == '\r' && text[i + 2] == '\n') ++i;
      ++i;
    } else if (c == close.front() && text.substr(i).starts_with(close)) {
      return i + close.size();
    } else if (c == '\n' && !multiline) {
      return i;
    }
  }
  return text.size();
}

std::size_t character_end(std::string_view text, std::size_t at, char quote, char escape) {
  std::size_t i = at + 1;
  if (i >= text.size() || text[i] == '\n' || text[i] == quote) return at;
  if (escape != 0 && text[i] == escape) {
    const std::size_t limit = std::min(text.size(), at + kMaxCharacterLiteralBytes);
    for (i += 2; i < limit && text[i] != '\n'; ++i) {
      if (text[i] == quote) return i + 1;
    }
    return at;
  }
  ++i;
  while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
  return i < text.size() && text[i] == quote ? i + 1 : at;
}

std::size_t cpp_raw_end(std::string_view text, std::size_t at) {
  const std::size_t size = text.substr(at + 2, kMaxRawDelimiterBytes + 1).find('(');
  if (size == std::string_view::npos) return at;
  const std::size_t open = at + 2 + size;
  const auto delimiter = text.substr(at + 2, size);
  if (delimiter.find_first_of(" \\)\n\"") != std::string_view::npos) return at;
  char close[kMaxRawDelimiterBytes + 2];
  close[0] = ')';
  std::copy(delimiter.begin(), delimiter.end(), close + 1);
  close[delimiter.size() + 1] = '"';
  return after(text, {close, delimiter.size() + 2}, open);
}

// r##"..."## and [==[...]==]: `mark` repeated, between two kinds of bracket.
std::size_t counted_end(std::string_view text, std::size_t first_mark, char mark, char open,
                        std::string_view close_left, std::string_view close_right, std::size_t at) {
  std::size_t i = first_mark;
  while (i < text.size() && text[i] == mark) ++i;
  const std::size_t marks = i - first_mark;
  if (i >= text.size() || text[i] != open) return at;
  for (std::size_t from = i + 1;;) {
    const auto found = text.find(close_left, from);
    if (found == std::string_view::npos) return text.size();
    std::size_t end = found + close_left.size();
    while (end < text.size() && text[end] == mark && end - found - close_left.size() < marks) ++end;
    if (end - found - close_left.size() == marks && text.substr(end).starts_with(close_right))
      return end + close_right.size();
    from = found + 1;
  }
}

// What may stand before a value: after these words a slash begins a regular expression.
bool expects_operand(std::string_view word) {
  for (const std::string_view known : {"return", "typeof", "case", "in", "of", "do", "else", "void",
                                       "delete", "throw", "new", "instanceof", "yield", "await"}) {
    if (word == known) return true;
  }
  return false;
}

// A slash begins a regular expression where an operand is expected and a division otherwise.
bool regex_may_start(std::string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_space(text[before - 1])) --before;
  if (before == 0) return true;
  const char last = text[before - 1];
  const char previous = before > 1 ? text[before - 2] : '\0';
  if (is_word_byte(last)) {
    std::size_t begin = before;
    while (begin > 0 && before - begin < kLongestKeyword && is_word_byte(text[begin - 1])) --begin;
    const bool member = begin > 0 && (text[begin - 1] == '.' || is_word_byte(text[begin - 1]));
    return !member && expects_operand(text.substr(begin, before - begin));
  }
  if (last == '>') return previous == '=';  // an arrow's body, not a tag's end
  if (last == '+' || last == '-') return previous != last;
  return std::strchr("(,=:[!&|?{};\n~^%*", last) != nullptr;
}

// One past the expression that starts at `at`; `at` where its line leaves it open.
std::size_t regex_end(std::string_view text, std::size_t at) {
  bool in_class = false;
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      if (i + 1 < text.size() && text[i + 1] == '\n') return at;
      ++i;
    } else if (text[i] == '[') {
      in_class = true;
    } else if (text[i] == ']') {
      in_class = false;
    } else if (text[i] == '/' && !in_class) {
      return i + 1;
    }
  }
  return at;
}

std::size_t nested_comment_end(std::string_view text, std::size_t from, std::string_view open,
                               std::string_view close) {
  std::size_t depth = 1;
  for (std::size_t i = from; i < text.size();) {
    const auto rest = text.substr(i);
    if (rest.starts_with(close)) {
      i += close.size();
      if (--depth == 0) return i;
    } else if (rest.starts_with(open)) {
      i += open.size();
      ++depth;
    } else {
      ++i;
    }
  }
  return text.size();
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_leading_blanks(std::string_view line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

}  // namespace

Scanner::Scanner(const Language& language) : here_documents_(language.here_documents) {
  for_each_word(language.line_comments, [&](std::string_view word) {
    add({.open = word,
         .close = {},
         .place = language.line_comment_place,
         .comment = true,
         .ignore_case = language.ignore_case});
  });
  for (const auto& block : language.block_comments) {
    if (block.open.empty()) continue;
    add({.open = block.open,
         .close = block.close,
         .place = block.place,
         .nested = block.nested,
         .comment = true});
  }
  for (const auto& string : language.strings) {
    if (string.open.empty()) continue;
    add({.open = string.open,
         .close = string.close,
         .style = string.style,
         .escape = string.escape});
  }
  std::ranges::stable_sort(tokens_, std::ranges::greater(),
                           [](const Token& token) { return token.open.size(); });
  if (here_documents_ != HereDocuments::none) may_open_['<'] = may_open_['\n'] = true;
}

void Scanner::add(const Token& token) {
  tokens_.push_back(token);
  const char first = token.open.front();
  may_open_[static_cast<unsigned char>(first)] = true;
  if (!token.ignore_case) return;
  may_open_[static_cast<unsigned char>(to_lower(first))] = true;
  may_open_[static_cast<unsigned char>(to_upper(first))] = true;
}

Scanner::Found Scanner::next_token(std::string_view text, std::size_t from, Memory& memory) const {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (!may_open_[static_cast<unsigned char>(text[i])]) [[likely]]
      continue;
    if (text[i] == '\n') {
      const std::size_t end = close_here_documents(text, i + 1, memory);
      if (end > i + 1) return {SpanKind::string, i + 1, end};
      continue;
    }
    const auto rest = text.substr(i);
    for (const Token& token : tokens_) {
      const bool opens = token.ignore_case ? starts_with_ignoring_case(rest, token.open)
                                           : rest.starts_with(token.open);
      if (!opens || !may_start(token.place, text, i)) continue;
      const std::size_t end = token_end(token, text, i, memory);
      if (end == i) continue;
      const bool comment =
          token.comment || (token.style == StringStyle::docstring && first_on_line(text, i));
      return {comment ? SpanKind::comment : SpanKind::string, i, end};
    }
    if (text[i] == '<') open_here_document(text, i, memory);
  }
  return {SpanKind::code, text.size(), text.size()};
}

void Scanner::open_here_document(std::string_view text, std::size_t at, Memory& memory) const {
  const std::string_view mark = here_documents_ == HereDocuments::php ? "<<<" : "<<";
  if (here_documents_ == HereDocuments::none || memory.unclosed >= kHereDocumentsUnclosedMax ||
      !text.substr(at).starts_with(mark) || (at > 0 && text[at - 1] == '<'))
    return;
  std::size_t i = at + mark.size();
  const auto next = [&] { return i < text.size() ? text[i] : '\0'; };
  bool indented = here_documents_ == HereDocuments::php;
  if (next() == '-' || (next() == '~' && here_documents_ == HereDocuments::script)) {
    indented = true;
    ++i;
  }
  if (here_documents_ != HereDocuments::script)
    while (is_blank(next())) ++i;
  const char quote =
      next() == '"' || next() == '\'' || next() == '`' || next() == '\\' ? next() : '\0';
  if (quote != '\0') ++i;
  const std::size_t begin = i;
  if (quote == '\0' || quote == '\\') {
    while (is_word_byte(next())) ++i;
  } else {
    while (next() != quote && next() != '\n' && next() != '\0') ++i;
    if (next() != quote) return;
  }
  const std::string_view word = text.substr(begin, i - begin);
  const bool number = !word.empty() && word.front() >= '0' && word.front() <= '9';
  const bool small = quote == '\0' && here_documents_ == HereDocuments::script && !word.empty() &&
                     word.front() >= 'a' && word.front() <= 'z';
  if (!word.empty() && !number && !small) memory.opened.push_back({word, indented});
}

std::size_t Scanner::close_here_documents(std::string_view text, std::size_t from,
                                          Memory& memory) const {
  for (const auto& document : memory.opened) {
    bool closed = false;
    for (std::size_t begin = from; begin < text.size() && !closed;) {
      const std::size_t end = line_end(text, begin);
      std::string_view line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (document.indented) line = without_leading_blanks(line);
      const bool more_may_follow = here_documents_ == HereDocuments::php &&
                                   line.size() > document.word.size() &&
                                   !is_word_byte(line[document.word.size()]);
      closed = line.starts_with(document.word) &&
               (line.size() == document.word.size() || more_may_follow);
      if (closed)
        from = static_cast<std::size_t>(line.data() - text.data()) + document.word.size();
      else
        begin = end + 1;
    }
    if (!closed) ++memory.unclosed;
  }
  memory.opened.clear();
  return from;
}

std::size_t Scanner::token_end(const Token& token, std::string_view text, std::size_t at,
                               Memory& memory) const {
  const std::size_t inside = at + token.open.size();
  if (token.comment) {
    if (token.close.empty()) {
      // REM and dnl are words, not prefixes of words.
      if (is_word_byte(token.open.back()) && inside < text.size() && is_word_byte(text[inside]))
        return at;
      // A % or # behind a backslash is the character itself in TeX, make and the shell.
      if (token.open.size() == 1 && token.open != ";" && at > 0 && text[at - 1] == '\\') return at;
      return line_end(text, at);
    }
    return token.nested ? nested_comment_end(text, inside, token.open, token.close)
                        : after(text, token.close, inside);
  }
  switch (token.style) {
    case StringStyle::line:
      return plain_string_end(text, inside, token.close, token.escape, false);
    case StringStyle::multiline:
    case StringStyle::docstring:
      return plain_string_end(text, inside, token.close, token.escape, true);
    case StringStyle::character:
      return character_end(text, at, token.open.front(), token.escape);
    case StringStyle::cpp_raw:
      return cpp_raw_end(text, at);
    case StringStyle::hash_raw:
      return counted_end(text, at + 1, '#', '"', "\"", "", at);
    case StringStyle::bracket:
      return counted_end(text, at + 1, '=', '[', "]", "]", at);
    case StringStyle::regex: {
      if (at < memory.no_regex_before || !regex_may_start(text, at)) return at;
      const std::size_t end = regex_end(text, at);
      if (end == at) memory.no_regex_before = line_end(text, at);
      return end;
    }
  }
  return at;
}

namespace {

// Sums up lines from consecutive spans.
class LineCounter {
 public:
  void add(std::string_view text, SpanKind kind, std::size_t begin, std::size_t end) {
    while (begin < end) {
      const auto* found =
          static_cast<const char*>(std::memchr(text.data() + begin, '\n', end - begin));
      const std::size_t stop = found ? static_cast<std::size_t>(found - text.data()) : end;
      bool& mark = kind == SpanKind::comment ? comment_ : code_;
      mark = mark || kind == SpanKind::string;  // its blank lines are part of it
      for (std::size_t i = begin; !mark && i < stop; ++i) mark = !is_space(text[i]);
      if (!found) return;
      finish_line(stop);
      begin = stop + 1;
    }
  }

  LineCounts take(std::size_t size) {
    if (line_begin_ < size) finish_line(size);
    return counts_;
  }

 private:
  void finish_line(std::size_t end) {
    ++counts_.lines;
    ++(code_ ? counts_.code : comment_ ? counts_.comment : counts_.blank);
    counts_.longest_line_bytes = std::max(counts_.longest_line_bytes, end - line_begin_);
    line_begin_ = end + 1;
    code_ = comment_ = false;
  }

  LineCounts counts_;
  std::size_t line_begin_ = 0;
  bool code_ = false;
  bool comment_ = false;
};

}  // namespace

LineCounts count_lines(std::string_view text, const Language* language) {
  LineCounter counter;
  if (!language) {
    counter.add(text, SpanKind::code, 0, text.size());
  } else {
    const Scanner scanner(*language);
    scanner.for_each_span(text, [&](SpanKind kind, std::size_t begin, std::size_t end) {
      counter.add(text, kind, begin, end);
    });
  }
  return counter.take(text.size());
}

}  // namespace symphony::extensions
