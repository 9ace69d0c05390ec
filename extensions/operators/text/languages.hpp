// Which language a file is in and how to tell its code from its comments and strings.
//
// The table is data: names, extensions, comment and string syntax. `detect_language` finds the
// entry, and a `Scanner` made from it cuts a text into spans of code, comment and string that
// cover it without gaps. Everything here is thread-safe: the table is constant, scanners are
// immutable after construction.
//
// Scanning takes time linear in the text, whatever the text is: what is searched for in vain is
// remembered (Scanner::Memory).
//
// Known simplifications: interpolated code inside strings counts as what surrounds it; a string
// that its line leaves open ends with the line unless the syntax says it may go on.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace symphony::extensions {

enum class LanguageKind : unsigned char { programming, markup, data, prose };
std::string_view to_string(LanguageKind kind) noexcept;

// Where a comment may start.
enum class CommentPlace : unsigned char {
  anywhere,
  word_start,  // after white space or one of ;&|(){}[] (shell: `$#` is no comment)
  line_start,  // first thing on its line (vim's ")
  column_one,  // first byte of its line (=begin, Fortran's C)
};

struct BlockComment {
  std::string_view open;
  std::string_view close;
  bool nested = false;
  CommentPlace place = CommentPlace::anywhere;
};

enum class StringStyle : unsigned char {
  line,       // ends at the line's end at the latest, unless the newline is escaped
  multiline,  // goes on until closed
  docstring,  // multiline; a comment where it is the first thing on its line (Python)
  character,  // a string only if it closes after one (escaped) character: 'x' but not 'a in Rust
  cpp_raw,    // R"delimiter( ... )delimiter"
  hash_raw,   // r#"..."#, any number of #
  bracket,    // [==[ ... ]==], any number of =
  regex,      // /.../ where an operand is expected
};

// How a language writes text that stands on the lines below the one that opens it.
enum class HereDocuments : unsigned char {
  none,
  shell,   // <<WORD, <<-WORD, << 'WORD'
  script,  // <<WORD, <<~WORD, <<"WORD" (Perl, Ruby): no blank, unquoted words in capitals
  php,     // <<<WORD, <<<'WORD'; more may follow the closing word
};

struct StringSyntax {
  std::string_view open;
  std::string_view close;
  char escape = '\\';  // 0: none. A doubled close is taken as two strings, which is the same
  StringStyle style = StringStyle::line;
};

// Lists are words separated by blanks. Matching of extensions ignores case (but .C and .H are C++);
// names are exact.
struct Language {
  std::string_view name;
  LanguageKind kind = LanguageKind::programming;
  std::string_view extensions = {};     // without the dot
  std::string_view file_names = {};     // whole names
  std::string_view interpreters = {};   // programs of a #! line, without a version
  std::string_view line_comments = {};  // tokens
  CommentPlace line_comment_place = CommentPlace::anywhere;
  std::array<BlockComment, 2> block_comments = {};
  std::array<StringSyntax, 5> strings = {};
  HereDocuments here_documents = HereDocuments::none;
  bool ignore_case = false;  // of comment tokens (REM, rem)
};

std::span<const Language> languages() noexcept;

// By name ("C++"); nullptr when unknown.
const Language* find_language(std::string_view name) noexcept;

// The language of a file from its path (any bytes), then its first kilobytes (may be empty): file
// name, #! line, editor's mode line, extension, XML declaration; headers and other shared
// extensions (.h, .m, .ts, .pl, .v) are told apart by what `head` holds. nullptr: not known.
const Language* detect_language(std::string_view path, std::string_view head) noexcept;

enum class SpanKind : unsigned char { code, comment, string };

class Scanner {
 public:
  explicit Scanner(const Language& language);

  // Calls visit(SpanKind, begin, end) for consecutive spans that cover `text`; neighbours differ
  // in kind or are separate comments or strings. Line comments end before their newline.
  template <class Visit>
  void for_each_span(std::string_view text, Visit&& visit) const {
    std::size_t code_begin = 0;
    std::size_t at = 0;
    Memory memory;
    while (at < text.size()) {
      const Found found = next_token(text, at, memory);
      if (found.begin > code_begin) visit(SpanKind::code, code_begin, found.begin);
      if (found.end > found.begin) visit(found.kind, found.begin, found.end);
      code_begin = at = found.end;
    }
  }

  // Openings of here-documents that may stay without their closing word before a text is taken to
  // have none (`1 << n` looks like one).
  static constexpr unsigned kHereDocumentsUnclosedMax = 64;

 private:
  // What one pass over a text remembers.
  struct Memory {
    struct HereDocument {
      std::string_view word;
      bool indented = false;  // the closing word may be
    };
    std::vector<HereDocument> opened;  // whose text begins on the next line
    unsigned unclosed = 0;
    std::size_t no_regex_before = 0;  // an expression that its line leaves open was met
  };
  struct Token {
    std::string_view open;
    std::string_view close;  // empty: to the end of the line
    CommentPlace place = CommentPlace::anywhere;
    StringStyle style = StringStyle::line;
    char escape = 0;
    bool nested = false;
    bool comment = false;
    bool ignore_case = false;
  };
  struct Found {
    SpanKind kind;
    std::size_t begin;
    std::size_t end;
  };

  void add(const Token& token);
  // The next comment or string at or after `from`, or {code, size, size}.
  Found next_token(std::string_view text, std::size_t from, Memory& memory) const;
  // One past the token that starts at `at`, or `at` when this is not one after all.
  std::size_t token_end(const Token& token, std::string_view text, std::size_t at,
                        Memory& memory) const;
  // Remembers the here-document that opens at `at`, if one does.
  void open_here_document(std::string_view text, std::size_t at, Memory& memory) const;
  // One past the here-documents whose text begins at `from`, `from` when there are none.
  std::size_t close_here_documents(std::string_view text, std::size_t from, Memory& memory) const;

  std::vector<Token> tokens_;  // longest opening first
  HereDocuments here_documents_;
  std::array<bool, 256> may_open_{};
};

struct LineCounts {
  std::size_t lines = 0;    // as an editor counts: a last line without a newline counts
  std::size_t code = 0;     // some code or string on it
  std::size_t comment = 0;  // only comment on it
  std::size_t blank = 0;    // white space only, also inside comments, not inside strings
  std::size_t longest_line_bytes = 0;
};

// lines == code + comment + blank. `language` nullptr: no comments.
LineCounts count_lines(std::string_view text, const Language* language);

}  // namespace symphony::extensions
