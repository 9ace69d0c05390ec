@0xd9e21c4a70b6f385;
# The artifact store: content by SHA-256, versions by name.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;

interface Artifacts $name("/pit/artifacts") {
  # Whatever is acknowledged here is durable. Digests are 64 lower-case hexadecimal digits.
  put @0 PutArtifactsRequest -> PutArtifactsResponse;
  # Stores whole contents (up to the part size each) in one transaction.
  begin @1 BeginUploadRequest -> BeginUploadResponse;
  # Starts an upload in parts, for contents of any size.
  append @2 AppendUploadRequest -> AppendUploadResponse;
  finish @3 FinishUploadRequest -> FinishUploadResponse;
  abort @4 AbortUploadRequest -> AbortUploadResponse;
  stat @5 StatArtifactRequest -> StatArtifactResponse $idempotent;
  # What a name, name@version or digest means.
  read @6 ReadArtifactRequest -> ReadArtifactResponse $idempotent;
  # A range of a content.
  log @7 ArtifactLogRequest -> ArtifactLogResponse $idempotent;
  # The versions of a name, newest first; or all names.
  tree @8 ReadTreeRequest -> ReadTreeResponse $idempotent;
  # The entries of a tree.
  commitTree @9 CommitTreeRequest -> CommitTreeResponse;
  # Makes contents that are stored already one atomic version of a tree.
  verify @10 VerifyArtifactsRequest -> VerifyArtifactsResponse;
  # Reads everything back and checks it.
  verifyProgress @11 VerifyProgressRequest -> VerifyProgressResponse $idempotent;
  # How far the verification that is under way is, or how far the latest came.
  have @12 HaveContentsRequest -> HaveContentsResponse $idempotent;
  # Which contents are stored and whole: each is read back and checked.
  place @13 StorePlaceRequest -> StorePlaceResponse $idempotent;
  # Where the store lies, and what it takes at once.
}

struct ArtifactDraft {
  content @0 :Data;
  name @1 :Text;          # empty: content only, without a name
  mediaType @2 :Text;     # empty: application/octet-stream
}
struct Lineage {
  run @0 :Text;           # the run that made it; empty: none
  node @1 :Text;          # the melody's node
  parents @2 :List(Text); # digests it was made from
}
struct ArtifactVersion {
  name @0 :Text;
  version @1 :UInt64;     # from 1
  digest @2 :Text;
  sizeBytes @3 :UInt64;
  storedBytes @4 :UInt64; # after compression
  mediaType @5 :Text;
  createdNs @6 :Int64;    # Unix time
  lineage @7 :Lineage;
}

struct PutArtifactsRequest {
  drafts @0 :List(ArtifactDraft);
  lineage @1 :Lineage;
}
struct PutArtifactsResponse {
  versions @0 :List(ArtifactVersion);  # in the order of the drafts; version 0: no name was given
}

struct BeginUploadRequest {
  name @0 :Text;
  mediaType @1 :Text;
  lineage @2 :Lineage;
}
struct BeginUploadResponse {
  upload @0 :UInt64;
  partBytes @1 :UInt32;   # the most that one append takes
}
struct AppendUploadRequest {
  upload @0 :UInt64;
  offset @1 :UInt64;      # how much was appended before: a check
  data @2 :Data;
}
struct AppendUploadResponse {}
struct FinishUploadRequest {
  upload @0 :UInt64;
}
struct FinishUploadResponse {
  version @0 :ArtifactVersion;
}
struct AbortUploadRequest {
  upload @0 :UInt64;
}
struct AbortUploadResponse {}

struct StatArtifactRequest {
  ref @0 :Text;           # "name", "name@3", "sha256:…", a digest or its unique beginning
}
struct StatArtifactResponse {
  version @0 :ArtifactVersion;
  tree @1 :Bool;
}

struct ReadArtifactRequest {
  ref @0 :Text;
  offset @1 :UInt64;
  sizeBytes @2 :UInt32;   # 0: as much as fits
}
struct ReadArtifactResponse {
  digest @0 :Text;
  totalBytes @1 :UInt64;
  data @2 :Data;          # shorter than asked for only at the end
}

struct ArtifactLogRequest {
  name @0 :Text;          # empty: the latest version of every name
  before @1 :UInt64;      # versions below this one; 0: from the newest
  max @2 :UInt32;         # 0: a sane default
  after @3 :Text;         # with an empty name: names after this one
}
struct ArtifactLogResponse {
  versions @0 :List(ArtifactVersion);
  more @1 :Bool;
}

struct TreeEntry {
  path @0 :Data;          # bytes, relative, "/" between parts
  mode @1 :UInt32;        # permission bits
  kind @2 :TreeEntryKind;
  digest @3 :Text;        # of a file
  sizeBytes @4 :UInt64;
  target @5 :Data;        # of a symlink; of a hard link the path of the file that has its content
  modifiedS @6 :Int64;    # when it was changed last: seconds since 1970, UTC
  modifiedNs @7 :UInt32 = 4294967295;  # and nanoseconds; 4294967295: not known
  sparse @8 :Bool;        # a file with holes
}
enum TreeEntryKind {
  file @0;
  directory @1;
  symlink @2;
  hardLink @3;
}
struct ReadTreeRequest {
  ref @0 :Text;
  offset @1 :UInt64;      # of the first entry
  max @2 :UInt32;         # 0: as many as fit
}
struct ReadTreeResponse {
  entries @0 :List(TreeEntry);
  total @1 :UInt64;
  version @2 :ArtifactVersion;
}
struct CommitTreeRequest {
  # Large trees come in several requests with the same `upload`; the last one names it.
  upload @0 :UInt64;      # 0: a new one
  entries @1 :List(TreeEntry);
  last @2 :Bool;
  name @3 :Text;
  lineage @4 :Lineage;
}
struct CommitTreeResponse {
  upload @0 :UInt64;
  version @1 :ArtifactVersion;  # of the tree, once it was the last
}

struct VerifyArtifactsRequest {
  repair @0 :Bool;        # removes damaged records that nothing refers to
}
struct VerifyArtifactsResponse {
  contents @0 :UInt64;
  parts @1 :UInt64;
  versions @2 :UInt64;
  trees @3 :UInt64;
  bytes @4 :UInt64;
  unreferenced @5 :UInt64;     # contents no name leads to; legal
  problems @6 :List(Text);
  repaired @7 :UInt64;         # damaged records that were removed
}

struct VerifyProgressRequest {}
struct VerifyProgressResponse {
  running @0 :Bool;
  done @1 :UInt64;             # records checked
  total @2 :UInt64;            # 0: not counted yet
}

struct HaveContentsRequest {
  digests @0 :List(Text);
}
struct HaveContentsResponse {
  there @0 :List(Bool);        # in the order of the digests
}

struct StorePlaceRequest {}
struct StorePlaceResponse {
  partBytes @0 :UInt32;        # the most that one draft or one append holds
  directory @1 :Text;          # absolute, on the node's machine
  device @2 :UInt64;           # what stat(2) says of the directory: it is known again by any path
  inode @3 :UInt64;
}
