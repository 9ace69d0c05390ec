// The half of the store that reads names.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

using runtime::Cursor;
using runtime::Txn;

namespace {

Error no_name(std::string_view name) {
  return {.code = Errc::NOT_FOUND,
          .message = fmt::format("no artifact is named \"{}\"", name),
          .field = "name"};
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

Result<VersionRecord> find_version(const Txn& txn, const ArtifactStore::Databases& databases,
                                   std::string_view name, std::uint64_t version) {
  // No stored name is longer, and a longer key could not be looked up.
  if (name.empty() || name.size() > kMaxArtifactNameBytes) return no_name(name);
  auto cursor = txn.cursor(databases.versions);
  if (!cursor) return std::move(cursor).error();
  const auto prefix = version_prefix(name);
  const bool found = version == 0 ? cursor->seek_before(runtime::after_prefix(prefix))
                                  : cursor->seek(version_key(name, version));
  if (found && cursor->in(prefix)) {
    auto record = parse_version(cursor->key(), cursor->value());
    if (!record || version == 0 || record->version == version) return record;
  }
  if (auto status = cursor->status(); !status) return std::move(status).error();
  if (version == 0) return no_name(name);
  return Error{.code = Errc::NOT_FOUND,
               .message = fmt::format("\"{}\" has no version {}", name, version),
               .field = "name"};
}

Result<ContentInfo> find_content(const Txn& txn, const ArtifactStore::Databases& databases,
                                 const Digest& digest) {
  auto value = txn.get(databases.contents, digest.view());
  if (!value) return std::move(value).error();
  if (value->has_value()) return parse_content_info(digest, **value);
  return Error{.code = Errc::NOT_FOUND,
               .message = fmt::format("no artifact has the digest {}", digest.hex())};
}

// The one content whose digest starts with these hex digits.
Result<ContentInfo> find_prefix(const Txn& txn, const ArtifactStore::Databases& databases,
                                std::string_view digits) {
  if (digits.size() < ArtifactStore::kMinDigestPrefix || digits.size() > 2 * Digest::kBytes) {
    return Error{.code = Errc::INVALID_ARGUMENT,
                 .message = fmt::format("a digest has {} to {} hex digits, and \"{}\" has {}",
                                        ArtifactStore::kMinDigestPrefix, 2 * Digest::kBytes, digits,
                                        digits.size())};
  }
  std::string wanted(digits);
  for (auto& c : wanted) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  const auto lowest =
      *Digest::from_hex(wanted + std::string(2 * Digest::kBytes - wanted.size(), '0'));
  auto cursor = txn.cursor(databases.contents);
  if (!cursor) return std::move(cursor).error();

  const auto matches = [&] {
    const auto digest = Digest::from_bytes(cursor->key());
    return digest && digest->hex().starts_with(wanted);
  };
  if (cursor->seek(lowest.view()) && matches()) {
    auto info = parse_content_info(*Digest::from_bytes(cursor->key()), cursor->value());
    if (cursor->next() && matches()) {
      return Error{
          .code = Errc::INVALID_ARGUMENT,
          .message = fmt::format("more than one digest starts with {}; give more digits", digits)};
    }
    return info;
  }
  if (auto status = cursor->status(); !status) return std::move(status).error();
  return Error{.code = Errc::NOT_FOUND,
               .message = fmt::format("no artifact's digest starts with {}", digits)};
}

struct NameAndVersion {
  std::string_view name;
  std::uint64_t version = 0;
};

// "name@3" taken apart. Version 0: nothing of the kind (also for "name@0").
NameAndVersion split_version(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return {text, 0};
  std::uint64_t version = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + at + 1, end, version);
  if (error != std::errc() || stop != end || at + 1 == text.size()) return {text, 0};
  return {text.substr(0, at), version};
}

}  // namespace

Result<VersionRecord> ArtifactStore::version(std::string_view name, std::uint64_t version) const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  return find_version(*txn, databases_, name, version);
}

Result<VersionPage> ArtifactStore::log(std::string_view name, std::uint64_t before,
                                       std::size_t limit) const {
  limit = std::clamp<std::size_t>(limit, 1, kMaxPage);
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto newest = find_version(*txn, databases_, name, 0);
  if (!newest) return std::move(newest).error();

  auto cursor = txn->cursor(databases_.versions);
  if (!cursor) return std::move(cursor).error();
  const auto prefix = version_prefix(name);
  const auto end = before == 0 ? runtime::after_prefix(prefix) : version_key(name, before);
  VersionPage page;
  for (bool more = cursor->seek_before(end); more && cursor->in(prefix); more = cursor->prev()) {
    if (page.versions.size() == limit) {
      page.next_before = page.versions.back().version;
      break;
    }
    auto record = parse_version(cursor->key(), cursor->value());
    if (!record) return std::move(record).error();
    page.versions.push_back(std::move(*record));
  }
  if (auto status = cursor->status(); !status) return std::move(status).error();
  return page;
}

Result<NamePage> ArtifactStore::names(std::string_view prefix, std::string_view after,
                                      std::size_t limit) const {
  limit = std::clamp<std::size_t>(limit, 1, kMaxPage);
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto cursor = txn->cursor(databases_.versions);
  if (!cursor) return std::move(cursor).error();

  // Behind all versions of a name, which are its name and a zero byte.
  const auto behind = [](std::string_view name) {
    return runtime::after_prefix(version_prefix(name));
  };
  const auto start =
      after.empty() ? std::string(prefix) : std::max(std::string(prefix), behind(after));
  NamePage page;
  bool more = cursor->seek(start);
  while (more && cursor->in(prefix)) {
    if (page.latest.size() == limit) {
      page.next_after = page.latest.back().name;
      break;
    }
    const auto end = cursor->key().find('\0');
    const std::string name(cursor->key().substr(0, end));
    // To the last version: one step back from behind the name.
    if (!cursor->seek_before(behind(name))) break;
    auto record = parse_version(cursor->key(), cursor->value());
    if (!record) return std::move(record).error();
    page.latest.push_back(std::move(*record));
    more = cursor->next();
  }
  if (auto status = cursor->status(); !status) return std::move(status).error();
  return page;
}

Result<Resolved> ArtifactStore::resolve(std::string_view text) const {
  constexpr std::string_view kScheme = "sha256:";
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  const auto as_digest = [&](std::string_view digits) -> Result<Resolved> {
    auto info = find_prefix(*txn, databases_, digits);
    if (!info) return std::move(info).error();
    return Resolved{*info, std::nullopt};
  };
  if (text.starts_with(kScheme)) {
    const auto digits = text.substr(kScheme.size());
    if (is_hex(digits)) return as_digest(digits);
    return Error{
        .code = Errc::INVALID_ARGUMENT,
        .message = fmt::format("\"{}\" is not a digest: hex digits come after \"sha256:\"", text)};
  }
  const auto [name, number] = split_version(text);
  auto record = find_version(*txn, databases_, name, number);
  if (record) {
    auto info = find_content(*txn, databases_, record->digest);
    if (!info) return std::move(info).error();
    return Resolved{*info, std::move(*record)};
  }
  const bool may_be_digest =
      record.error().code == Errc::NOT_FOUND && is_hex(text) && text.size() >= kMinDigestPrefix;
  if (!may_be_digest) return std::move(record).error();
  return as_digest(text);
}

}  // namespace symphony::actors
