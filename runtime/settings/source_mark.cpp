#include "runtime/settings/source_mark.hpp"

#include "runtime/settings/value.hpp"

namespace symphony::runtime {

std::string SourceMark::text() const {
  switch (kind_) {
    case Kind::kDefault:
      return "default";
    case Kind::kFile: {
      auto text = printable(name(), kMaxShownPathBytes);
      if (line_ > 0) text.append(":").append(std::to_string(line_));
      return text;
    }
    case Kind::kEnvironment:
      return "environment " + printable(name(), kMaxShownPathBytes);
    case Kind::kOption:
      return printable(name(), kMaxShownPathBytes);
  }
  return {};
}

std::string SourceMark::text_with_column() const {
  auto result = text();
  if (kind_ == Kind::kFile && line_ > 0 && column_ > 0) {
    result.append(":").append(std::to_string(column_));
  }
  return result;
}

}  // namespace symphony::runtime
