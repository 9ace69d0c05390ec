#include "extensions/operators/data/template.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "extensions/operators/kit.hpp"
#include "runtime/language/expression.hpp"

namespace symphony::extensions {

struct Template::Part {
  enum class Kind : unsigned char { text, value, raw_value, section, inverted };
  Kind kind = Kind::text;
  std::size_t line = 1;
  std::string text = {};  // literal text, or the expression as written
  std::optional<language::Expression> expression = {};
  std::vector<Part> parts = {};
};

namespace {

using Part = Template::Part;
using Kind = Part::Kind;

Error at_line(std::size_t line, const std::string& what) {
  return invalid("template line " + std::to_string(line) + ": " + what);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Part>> run() {
    open_.emplace_back();
    while (at_ < text_.size()) {
      const auto tag = text_.find("{{", at_);
      add_text(text_.substr(at_, tag - at_));
      if (tag == std::string_view::npos) break;
      at_ = tag;
      if (auto read = read_tag(); !read) return read.error();
    }
    if (open_.size() > 1)
      return at_line(open_.back().line, "the section {{#" + open_.back().text + "}} is not closed");
    return std::move(open_.front().parts);
  }

 private:
  void add_text(std::string_view text) {
    if (text.empty()) return;
    Part part{.line = line_, .text = std::string(text)};
    line_ += static_cast<std::size_t>(std::ranges::count(text, '\n'));
    open_.back().parts.push_back(std::move(part));
  }

  Status read_tag() {
    const bool triple = text_.substr(at_).starts_with("{{{");
    const std::string_view close = triple ? "}}}" : "}}";
    const std::size_t begin = at_ + (triple ? 3 : 2);
    const auto end = text_.find(close, begin);
    if (end == std::string_view::npos) return at_line(line_, "a tag is not closed with }}");
    std::string_view inner = text_.substr(begin, end - begin);
    std::size_t after = end + close.size();
    const std::size_t line = line_;
    line_ += static_cast<std::size_t>(std::ranges::count(inner, '\n'));

    const std::string_view kinds = "#^/!&";
    const char kind =
        !triple && !inner.empty() && kinds.find(inner.front()) != kinds.npos ? inner.front() : ' ';
    if (kind != ' ') inner.remove_prefix(1);
    if (kind != ' ' && kind != '&') after = take_whole_line(after);
    at_ = after;
    inner = trimmed(inner);
    if (kind == '!') return {};
    if (kind == '/') return close_section(inner, line);
    return add_expression(triple || kind == '&' ? Kind::raw_value
                          : kind == '#'         ? Kind::section
                          : kind == '^'         ? Kind::inverted
                                                : Kind::value,
                          inner, line);
  }

  // Where a tag stands alone on its line, drops the blanks before it and gives where the next line
  // begins.
  std::size_t take_whole_line(std::size_t after) {
    std::size_t begin = at_;
    while (begin > 0 && (text_[begin - 1] == ' ' || text_[begin - 1] == '\t')) --begin;
    if (begin > 0 && text_[begin - 1] != '\n') return after;
    std::size_t end = after;
    while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t' || text_[end] == '\r'))
      ++end;
    if (end < text_.size() && text_[end] != '\n') return after;
    auto& parts = open_.back().parts;
    const std::size_t indent = at_ - begin;
    if (indent > 0 && !parts.empty() && parts.back().kind == Kind::text)
      parts.back().text.resize(parts.back().text.size() - indent);
    if (end == text_.size()) return end;
    ++line_;
    return end + 1;
  }

  Status add_expression(Kind kind, std::string_view text, std::size_t line) {
    auto expression = language::Expression::parse(text);
    if (!expression) return at_line(line, expression.error().message);
    Part part{.kind = kind,
              .line = line,
              .text = std::string(text),
              .expression = std::move(*expression)};
    if (kind != Kind::section && kind != Kind::inverted) {
      open_.back().parts.push_back(std::move(part));
      return {};
    }
    if (open_.size() > kMaxTemplateDepth) return at_line(line, "sections are nested too deeply");
    open_.push_back(std::move(part));
    return {};
  }

  Status close_section(std::string_view text, std::size_t line) {
    if (open_.size() == 1)
      return at_line(line, "{{/" + std::string(text) + "}} closes a section that is not open");
    if (!text.empty() && text != open_.back().text) {
      return at_line(line, "{{/" + std::string(text) + "}} cannot close {{#" + open_.back().text +
                               "}} of line " + std::to_string(open_.back().line));
    }
    Part section = std::move(open_.back());
    open_.pop_back();
    open_.back().parts.push_back(std::move(section));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<Part> open_;  // sections that are open; the first holds the template's own parts
};

class Renderer {
 public:
  Renderer(const RenderOptions& options, const std::function<Status()>& going_on)
      : options_(options), going_on_(going_on) {}

  Status run(const std::vector<Part>& parts, const Json& element) {
    for (const Part& part : parts) {
      if (auto done = run(part, element); !done) return done;
    }
    return {};
  }
  std::string take() { return std::move(out_); }

 private:
  Status run(const Part& part, const Json& element) {
    if (part.kind == Kind::text) return append(part.text);
    auto value = part.expression->evaluate(language::Scope(element, outer_, !options_.lenient));
    if (!value) return at_line(part.line, value.error().message);
    switch (part.kind) {
      case Kind::value:
        return append(escape_text(language::as_text(value->get()), options_.escaping));
      case Kind::raw_value:
        return append(language::as_text(value->get()));
      case Kind::inverted:
        return language::is_true(value->get()) ? Status() : run(part.parts, element);
      default:
        return section(part, value->get(), element);
    }
  }

  Status section(const Part& part, const Json& value, const Json& element) {
    if (!language::is_true(value)) return {};
    if (!value.is_array() && !value.is_object()) return run(part.parts, element);
    const bool list = value.is_array();
    const std::size_t count = list ? value.size() : 1;
    outer_.push_back(&element);
    Json loop = {{"loop", Json::object()}};
    const std::size_t depth = outer_.size();
    Status status;
    for (std::size_t i = 0; status && i < count; ++i) {
      if (going_on_) status = going_on_();
      if (!status) break;
      if (list) {
        loop["loop"] = {
            {"index", i}, {"number", i + 1}, {"first", i == 0}, {"last", i + 1 == count}};
        outer_.push_back(&loop);
      }
      status = run(part.parts, list ? value[i] : value);
      outer_.resize(depth);
    }
    outer_.pop_back();
    return status;
  }

  Status append(std::string_view text) {
    if (out_.size() + text.size() > options_.max_output_bytes) {
      return Error{Errc::RESOURCE_EXHAUSTED, "the template gives more than " +
                                                 std::to_string(options_.max_output_bytes) +
                                                 " bytes; raise max_output_bytes or cut the lists"};
    }
    out_ += text;
    return {};
  }

  const RenderOptions& options_;
  const std::function<Status()>& going_on_;
  std::vector<const Json*> outer_;
  std::string out_;
};

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_markdown(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      if (std::string_view("\\`*_[]|#~>").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string escape_text(std::string_view text, Escaping escaping) {
  switch (escaping) {
    case Escaping::html:
      return escape_html(text);
    case Escaping::markdown:
      return escape_markdown(text);
    case Escaping::none:
      break;
  }
  return std::string(text);
}

Result<Template> Template::parse(std::string_view text) {
  if (text.size() > kMaxTemplateBytes)
    return invalid("the template is longer than " + std::to_string(kMaxTemplateBytes) + " bytes");
  auto parts = Parser(text).run();
  if (!parts) return parts.error();
  return Template(std::move(*parts));
}

Template::Template(std::vector<Part> parts) : parts_(std::move(parts)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<std::string> Template::render(const Json& data, const RenderOptions& options,
                                     const std::function<Status()>& going_on) const {
  Renderer renderer(options, going_on);
  if (auto done = renderer.run(parts_, data); !done) return done.error();
  return renderer.take();
}

}  // namespace symphony::extensions
