// Where a value or a key was written, so that a problem can point at it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace symphony::runtime {

// A place in a file, an environment variable, a command-line option, or "default".
// Marks from one file share its name; copying is cheap. Thread-safe: immutable once built.
class SourceMark {
 public:
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kOption };
  using Name = std::shared_ptr<const std::string>;

  SourceMark() = default;  // "default"
  // `line` and `column` count from 1, columns in code points; 0 means "the whole file" or line.
  static SourceMark in_file(Name name, std::uint32_t line, std::uint32_t column) {
    return {Kind::kFile, std::move(name), line, column};
  }
  static SourceMark in_environment(std::string_view variable) {
    return {Kind::kEnvironment, std::make_shared<const std::string>(variable), 0, 0};
  }
  // `option` as it was typed: "--set log.level=debug".
  static SourceMark in_option(std::string_view option) {
    return {Kind::kOption, std::make_shared<const std::string>(option), 0, 0};
  }

  Kind kind() const noexcept { return kind_; }
  // The file, variable or option; empty for a default.
  std::string_view name() const noexcept { return name_ ? std::string_view{*name_} : ""; }
  std::uint32_t line() const noexcept { return line_; }
  std::uint32_t column() const noexcept { return column_; }

  // "node.toml:12", "environment SYMPHONY_LOG_LEVEL", "--set log.level=debug" or "default".
  std::string text() const;
  // The same with the column: "node.toml:12:7".
  std::string text_with_column() const;

  friend bool operator==(const SourceMark& a, const SourceMark& b) noexcept {
    return a.kind_ == b.kind_ && a.line_ == b.line_ && a.column_ == b.column_ &&
           a.name() == b.name();
  }

 private:
  SourceMark(Kind kind, Name name, std::uint32_t line, std::uint32_t column)
      : name_(std::move(name)), line_(line), column_(column), kind_(kind) {}

  Name name_;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  Kind kind_ = Kind::kDefault;
};

}  // namespace symphony::runtime
