#include "extensions/operators/data/template_operator.hpp"

#include "extensions/operators/data/template.hpp"
#include "extensions/operators/file/io.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;

Result<Json> render(ArgumentReader& args, OperatorContext& context) {
  std::string text = args.text("template");
  const std::string path = args.path("path");
  const Json& data = args.any("data");
  RenderOptions options;
  const std::string& escaping = args.choice("escape", {"html", "markdown", "none"});
  options.escaping = escaping == "html"       ? Escaping::html
                     : escaping == "markdown" ? Escaping::markdown
                                              : Escaping::none;
  options.lenient = args.flag("lenient");
  options.max_output_bytes =
      static_cast<std::size_t>(args.integer("max_output_bytes", 0, kMaxResultBytes));
  if (text.empty() == path.empty()) args.fail("template", "give either template or path");
  if (auto status = args.status(); !status) return status.error();

  if (!path.empty()) {
    const auto read = read_prefix(path, kMaxTemplateBytes, text);
    if (!read) return read.error();
    if (read->truncated || !is_utf8(text)) {
      return invalid("the template '" + encode_path(path) + "' is " +
                         (read->truncated ? "longer than 4 MiB" : "not UTF-8"),
                     "path");
    }
  }
  const std::string where = path.empty() ? "" : encode_path(path) + ": ";
  const auto located = [&](Error error) {
    error.message = where + error.message;
    return error;
  };
  const auto parsed = Template::parse(text);
  if (!parsed) return located(parsed.error());
  Poller poller(context);
  auto out = parsed->render(data, options, [&] { return poller.check(); });
  if (!out) return located(out.error());
  const std::size_t size = out->size();
  return Json{{"text", std::move(*out)}, {"size", size}};
}

}  // namespace

void add_template_operator(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "template.render",
       .summary = "Renders a Mustache template whose tags are expressions: {{size | bytes}}",
       .arguments = {optional("template", ValueType::text, "",
                              "the template itself, at most 4 MiB"),
                     optional("path", ValueType::path, "", "file that holds the template"),
                     required("data", ValueType::any, "what the tags name"),
                     optional("escape", ValueType::text, "html",
                              "how values are escaped: html, markdown or none; {{{x}}} never is"),
                     optional("lenient", ValueType::boolean, false,
                              "unknown names are empty instead of errors"),
                     optional("max_output_bytes", ValueType::integer, 16 * 1024 * 1024,
                              "give up beyond this many bytes")},
       .results = {result("text", ValueType::text, "the rendered text"),
                   result("size", ValueType::integer, "its length in bytes")}},
      render));
}

}  // namespace symphony::extensions
