#include "extensions/operators/data/parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "extensions/operators/kit.hpp"

namespace symphony::extensions {
namespace {

Error at_line(std::size_t line, std::size_t column, std::string_view what) {
  std::string where = "line " + std::to_string(line);
  if (column > 0) where += ", column " + std::to_string(column);
  return Error{Errc::INVALID_ARGUMENT, where + ": " + std::string(what)};
}

Error too_many() {
  return Error{Errc::INVALID_ARGUMENT,
               "the text holds more than " + std::to_string(kMaxListItems) + " values"};
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::size_t line_of(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  return 1 + static_cast<std::size_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// Builds a value and refuses what nlohmann's own reader lets pass: duplicate keys, depth, integers
// that only fit a double.
class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(std::string_view text) : text_(text) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool given) override { return value(given); }
  bool number_integer(number_integer_t given) override { return value(given); }
  bool number_unsigned(number_unsigned_t given) override { return value(given); }
  bool number_float(number_float_t given, const string_t& digits) override {
    if (digits.find_first_of(".eE") == std::string::npos)
      return refuse("the integer " + digits + " has too many digits: quote it to keep them");
    return value(given);
  }
  bool string(string_t& given) override { return value(std::move(given)); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& given) override {
    if (open_.back()->contains(given)) return refuse("the key \"" + given + "\" stands here twice");
    key_ = std::move(given);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
    std::string_view what = error.what();
    for (const std::string_view before : {"] ", ": "})
      if (const auto at = what.find(before); at != std::string_view::npos)
        what.remove_prefix(at + before.size());
    return refuse(what, position);
  }

  Result<Json> take() {
    if (error_) return std::move(*error_);
    return std::move(root_);
  }

 private:
  bool value(Json given) { return put(std::move(given)) != nullptr; }

  Json* put(Json given) {
    if (++count_ > kMaxListItems) {
      error_ = too_many();
      return nullptr;
    }
    if (open_.empty()) return &(root_ = std::move(given));
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(given));
    return &((*open_.back())[key_] = std::move(given));
  }
  bool open(Json given) {
    if (open_.size() == kParseDepthMax)
      return refuse("nested deeper than " + std::to_string(kParseDepthMax) + " levels");
    Json* place = put(std::move(given));
    if (place != nullptr) open_.push_back(place);
    return place != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool refuse(std::string_view what, std::size_t position = 0) {
    error_ = position > 0 ? at_line(line_of(text_, position - 1), 0, what)
                          : Error{Errc::INVALID_ARGUMENT, std::string(what)};
    return false;
  }

  std::string_view text_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::int64_t count_ = 0;
  std::optional<Error> error_;
};

// A field's value where `values` is asked for: what JSON would read as one, else text.
Json value_of(std::string text) {
  if (text.empty()) return nullptr;
  if (text == "true") return true;
  if (text == "false") return false;
  const char* end = text.data() + text.size();
  const std::size_t digit = text.front() == '-' ? 1 : 0;
  const bool leading_zero = text.size() > digit + 1 && text[digit] == '0' &&
                            text[digit + 1] != '.' && text[digit + 1] != 'e' &&
                            text[digit + 1] != 'E';
  if (digit == text.size() || text[digit] < '0' || text[digit] > '9' || leading_zero) return text;
  std::int64_t integer = 0;
  if (auto [rest, error] = std::from_chars(text.data(), end, integer);
      error == std::errc() && rest == end)
    return integer;
  if (text.find_first_of(".eE") == std::string::npos) return text;  // it would lose digits
  double number = 0;
  if (auto [rest, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && rest == end && std::isfinite(number))
    return number;
  return text;
}

// Cuts a CSV text into rows of fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool done() const noexcept { return at_ >= text_.size(); }
  std::size_t line() const noexcept { return line_; }  // of the row that was read

  struct Field {
    std::string text;
    bool quoted = false;
  };

  Result<std::vector<Field>> row() {
    line_ = next_line_;
    std::vector<Field> fields;
    for (;;) {
      auto field = read_field();
      if (!field) return field.error();
      fields.push_back(std::move(*field));
      if (at_ < text_.size() && text_[at_] == separator_) {
        ++at_;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++next_line_;
      return fields;
    }
  }

 private:
  bool at_row_end() const {
    return text_[at_] == '\n' ||
           (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }

  Result<Field> read_field() {
    Field field;
    if (at_ >= text_.size() || text_[at_] != '"') {
      const std::size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != separator_ && !at_row_end()) ++at_;
      field.text = text_.substr(begin, at_ - begin);
      return field;
    }
    field.quoted = true;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        next_line_ += text_[at_] == '\n' ? 1 : 0;
        field.text += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field.text += text_[at_++];
      } else {
        ++at_;
        if (at_ < text_.size() && text_[at_] != separator_ && !at_row_end())
          return at_line(next_line_, 0, "text follows the closing quote of a field");
        return field;
      }
    }
    return at_line(line_, 0, "the quote of a field that begins here is never closed");
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  text = without_mark(text);
  JsonBuilder builder(text);
  Json::sax_parse(text, &builder);
  return builder.take();
}

Result<Json> parse_json_lines(std::string_view text) {
  text = without_mark(text);
  Json list = Json::array();
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    JsonBuilder builder(line);
    Json::sax_parse(line, &builder);
    auto value = builder.take();
    if (!value) {
      std::string_view what = value.error().message;
      if (what.starts_with("line 1: ")) what.remove_prefix(8);
      return at_line(number, 0, what);
    }
    if (static_cast<std::int64_t>(list.size()) == kMaxListItems) return too_many();
    list.push_back(std::move(*value));
  }
  return list;
}

Result<Json> parse_csv(std::string_view text, const CsvOptions& options) {
  CsvReader reader(without_mark(text), options.separator);
  const auto value = [&](CsvReader::Field&& field) {
    return options.values && !field.quoted ? value_of(std::move(field.text))
                                           : Json(std::move(field.text));
  };
  std::vector<std::string> names;
  if (options.header && !reader.done()) {
    auto header = reader.row();
    if (!header) return header.error();
    std::set<std::string_view> seen;
    for (auto& field : *header) names.push_back(std::move(field.text));
    for (const std::string& name : names)
      if (!seen.insert(name).second)
        return at_line(1, 0, "two columns are called \"" + name + "\"");
  }
  Json rows = Json::array();
  std::int64_t count = 0;
  while (!reader.done()) {
    auto fields = reader.row();
    if (!fields) return fields.error();
    const bool blank = fields->size() == 1 && (*fields)[0].text.empty() && !(*fields)[0].quoted;
    if (blank && names.size() != 1) continue;
    count += static_cast<std::int64_t>(fields->size());
    if (count > kMaxListItems) return too_many();
    Json row = options.header ? Json::object() : Json::array();
    if (options.header && fields->size() != names.size())
      return at_line(reader.line(), 0,
                     "has " + std::to_string(fields->size()) + " fields, the header has " +
                         std::to_string(names.size()));
    for (std::size_t i = 0; i < fields->size(); ++i) {
      if (options.header)
        row[names[i]] = value(std::move((*fields)[i]));
      else
        row.push_back(value(std::move((*fields)[i])));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Json> parse_lines(std::string_view text) {
  text = without_mark(text);
  Json list = Json::array();
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (static_cast<std::int64_t>(list.size()) == kMaxListItems) return too_many();
    list.push_back(std::string(line));
  }
  return list;
}

Result<Json> parse_key_values(std::string_view text) {
  const auto lines = parse_lines(text);
  if (!lines) return lines;
  Json object = Json::object();
  std::size_t number = 0;
  for (const Json& entry : *lines) {
    ++number;
    std::string_view line = entry.get_ref<const std::string&>();
    const auto trim = [](std::string_view part) {
      const auto begin = part.find_first_not_of(" \t");
      if (begin == std::string_view::npos) return std::string_view();
      return part.substr(begin, part.find_last_not_of(" \t") - begin + 1);
    };
    line = trim(line);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || trim(line.substr(0, equals)).empty())
      return at_line(number, 0, "is not KEY=VALUE");
    const std::string key(trim(line.substr(0, equals)));
    std::string_view value = trim(line.substr(equals + 1));
    if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
      if (value.size() < 2 || value.back() != value.front())
        return at_line(number, 0, "the quote of the value is never closed");
      value = value.substr(1, value.size() - 2);
    }
    if (object.contains(key)) return at_line(number, 0, "the key " + key + " was given before");
    object[key] = std::string(value);
  }
  return object;
}

}  // namespace symphony::extensions
