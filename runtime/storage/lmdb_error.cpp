#include "runtime/storage/lmdb_error.hpp"

#include <fmt/format.h>
#include <lmdb.h>

#include <cerrno>

#include "runtime/system/system_error.hpp"

namespace symphony::runtime {

namespace {

struct Meaning {
  Errc code;
  bool retryable;
  std::string_view advice;
};

Meaning meaning_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {errc_of(code), true, "; free space there"};
    case MDB_MAP_FULL:
      return {Errc::RESOURCE_EXHAUSTED, false, "; raise the storage's map size"};
    case MDB_TXN_FULL:
      return {Errc::RESOURCE_EXHAUSTED, false, "; write less in one transaction"};
    case MDB_DBS_FULL:
      return {Errc::RESOURCE_EXHAUSTED, false, "; raise the storage's limit on databases"};
    case ENOMEM:
      return {Errc::RESOURCE_EXHAUSTED, true, "; memory or address space is used up"};
    case MDB_READERS_FULL:
      return {Errc::OVERLOADED, true, "; too many are reading at once"};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
      return {Errc::DATA_CORRUPT, false, "; restore it from a copy"};
    case MDB_VERSION_MISMATCH:
      return {Errc::FAILED_PRECONDITION, false, "; another version of LMDB wrote it"};
    case MDB_PANIC:
    case EIO:
    case ESTALE:
      return {Errc::UNAVAILABLE, false, "; check the disk and restart the node"};
    case MDB_BAD_VALSIZE:
      return {Errc::INVALID_ARGUMENT, false, "; a key has 1 to 511 bytes"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::PERMISSION_DENIED, false, "; make it writable for this user"};
    default:
      return {code > 0 ? errc_of(code) : Errc::INTERNAL, false, ""};
  }
}

}  // namespace

Error lmdb_error(int code, std::string_view doing, std::string_view where) {
  const auto meaning = meaning_of(code);
  return Error{.code = meaning.code,
               .message = fmt::format("cannot {}{}{}: {}{}", doing, where.empty() ? "" : " ", where,
                                      mdb_strerror(code), meaning.advice),
               .retryable = meaning.retryable};
}

}  // namespace symphony::runtime
