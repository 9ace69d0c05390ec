#include "runtime/settings/toml.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/settings/toml_nesting.hpp"

namespace symphony::runtime {
namespace {

class Converter {
 public:
  explicit Converter(SourceMark::Name file) : file_(std::move(file)) {}

  Value convert(const toml::node& node, const std::string& path, std::size_t depth) {
    const auto mark = mark_of(node.source());
    if (!count(mark, path, depth)) return Value{};
    if (const auto* table = node.as_table()) return convert_table(*table, mark, path, depth);
    if (const auto* array = node.as_array()) {
      Value::Array items;
      items.reserve(array->size());
      for (const auto& item : *array) {
        items.push_back(convert(item, join_path(path, items.size()), depth + 1));
      }
      return Value{std::move(items), mark};
    }
    if (const auto* text = node.as_string()) return Value{text->get(), mark};
    if (const auto* integer = node.as_integer()) return Value{integer->get(), mark};
    if (const auto* number = node.as_floating_point()) return Value{number->get(), mark};
    if (const auto* boolean = node.as_boolean()) return Value{boolean->get(), mark};
    problems_.add({mark, path, "dates and times are not supported; write it as text, in quotes"});
    return Value{};
  }

  Problems take_problems() { return std::move(problems_); }

 private:
  SourceMark mark_of(const toml::source_region& region) const {
    return SourceMark::in_file(file_, region.begin.line, region.begin.column);
  }

  Value convert_table(const toml::table& table, const SourceMark& mark, const std::string& path,
                      std::size_t depth) {
    // The library sorts by key; people wrote in an order, and it may carry meaning.
    std::vector<std::pair<const toml::key*, const toml::node*>> members;
    members.reserve(table.size());
    for (auto&& [key, node] : table) members.emplace_back(&key, &node);
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      const auto& left = a.first->source().begin;
      const auto& right = b.first->source().begin;
      return std::pair{left.line, left.column} < std::pair{right.line, right.column};
    });
    Value::Object object;
    for (const auto& [key, node] : members) {
      object.set(std::string{key->str()}, mark_of(key->source()),
                 convert(*node, join_path(path, key->str()), depth + 1));
    }
    return Value{std::move(object), mark};
  }

  bool count(const SourceMark& mark, const std::string& path, std::size_t depth) {
    if (depth > kMaxTomlDepth) {
      problems_.add({mark, path, nesting_message()});
      return false;
    }
    if (++values_ == kMaxTomlValues + 1) {
      problems_.add(
          {mark, path,
           "more than " + std::to_string(kMaxTomlValues) + " values in one file; " + "split it"});
    }
    return values_ <= kMaxTomlValues;
  }

  SourceMark::Name file_;
  Problems problems_;
  std::size_t values_ = 0;
};

Checked<Value> refused(SourceMark mark, std::string message) {
  Checked<Value> result;
  result.problems.add({std::move(mark), {}, std::move(message)});
  return result;
}

std::string too_large() {
  return "is larger than " + std::to_string(kMaxTomlBytes >> 20) + " MiB; split it";
}

// The library's words for the most frequent mistakes, in words that say what to do. What is not
// recognised stays as it is.
std::string in_plain_words(std::string_view description) {
  constexpr std::string_view kPreamble = "Error while parsing ";
  constexpr std::string_view kTwice = "cannot redefine existing ";
  if (description.starts_with(kPreamble)) {
    const auto colon = description.find(": ");
    if (colon != std::string_view::npos) description.remove_prefix(colon + 2);
  }
  if (description.starts_with("unescaped control characters")) {
    return "text must be closed with a quote on the line where it starts, and holds no control "
           "characters";
  }
  if (description.starts_with("could not determine value type")) {
    return "cannot tell what this value is; text must be in quotes";
  }
  if (description.starts_with("expected a comment or whitespace")) {
    return "only a comment may follow here; start a new line";
  }
  if (const auto name = description.find('\'');
      description.starts_with(kTwice) && name != std::string_view::npos) {
    return printable(description.substr(name), kMaxShownPathBytes) + " is written twice";
  }
  return printable(description, kMaxShownPathBytes);
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

Checked<Value> parse_toml(std::string_view text, std::string_view file_name) {
  const auto file = std::make_shared<const std::string>(file_name);
  if (text.size() > kMaxTomlBytes) return refused(SourceMark::in_file(file, 0, 0), too_large());
  // The library frees nested tables recursively, so what is too deep must not reach it.
  if (const auto place = find_excessive_nesting(text, kMaxTomlDepth)) {
    return refused(SourceMark::in_file(file, place->line, place->column), nesting_message());
  }
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    const auto& begin = error.source().begin;
    return refused(SourceMark::in_file(file, begin.line, begin.column),
                   in_plain_words(error.description()));
  }
  Converter converter{file};
  Checked<Value> result;
  auto value = converter.convert(parsed.table(), {}, 0);
  result.problems = converter.take_problems();
  if (result.problems.empty()) {
    result.value = std::move(value);
  } else {
    result.problems.sort_by_place();
  }
  return result;
}

Checked<Value> parse_toml_file(const std::string& path) {
  const auto mark = SourceMark::in_file(std::make_shared<const std::string>(path), 0, 0);
  const auto failed = [&](std::string_view what) {
    return refused(mark, std::string{what} + ": " + std::strerror(errno));
  };
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0) return failed("cannot open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed("cannot read");
  if (!S_ISREG(status.st_mode)) return refused(mark, "is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > kMaxTomlBytes) return refused(mark, too_large());
  std::string text;
  std::array<char, 16 * 1024> part;
  while (text.size() <= kMaxTomlBytes) {
    const auto got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("cannot read");
    if (got == 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return parse_toml(text, path);
}

}  // namespace symphony::runtime
