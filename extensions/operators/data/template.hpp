// Templates: the sections of Mustache (mustache(5)) around the expressions of expression.hpp.
//
//   {{ expr }}            the value as text, escaped as the template says
//   {{{ expr }}} {{& expr }}  the same, never escaped
//   {{# expr }}...{{/ expr }}  once for each element of a list; once for any other true value, with
//                         an object's fields in reach; not at all for what is false
//   {{^ expr }}...{{/ expr }}  once if it is false or an empty list
//   {{! comment }}
//
// The closing tag repeats the expression or is {{/}}. Inside a section names are looked up from the
// innermost element outwards; {{.}} or {{it}} is the element; loop.index (from 0), loop.number
// (from 1), loop.first and loop.last tell its place in the list. A section or comment tag alone on
// its line takes the line with it.
//
// Not in it: partials, changing delimiters, lambdas. Templates are immutable once parsed and
// thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::extensions {

inline constexpr std::size_t kMaxTemplateBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxTemplateDepth = 64;  // sections in sections

enum class Escaping : unsigned char { html, markdown, none };

struct RenderOptions {
  Escaping escaping = Escaping::html;
  bool lenient = false;  // unknown names are empty instead of errors
  std::size_t max_output_bytes = 64 * 1024 * 1024;
};

// & < > " ' for HTML; for Markdown what would be markup in a line or a table cell, newlines become
// blanks.
std::string escape_text(std::string_view text, Escaping escaping);

class Template {
 public:
  // Errors name the line.
  static Result<Template> parse(std::string_view text);

  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  // `going_on` is asked once an element of a section.
  Result<std::string> render(const Json& data, const RenderOptions& options,
                             const std::function<Status()>& going_on = {}) const;

  struct Part;

 private:
  explicit Template(std::vector<Part> parts);
  std::vector<Part> parts_;
};

}  // namespace symphony::extensions
