// Values with references in them, as melodies write them: "${nodes.list.files}".
//
// A text that is exactly one reference stands for the value referred to, with its type; inside
// other text it is written out as language::as_text does. `$${` is a literal `${`. Lists and tables
// may hold such texts at any depth.
//
// Reference:  inputs.NAME | nodes.NODE.RESULT | item | index | run.id | run.started | run.host
// and, behind any of them, a path into the value: .key and [position].
//
// Everything here is an immutable value; evaluation is pure. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "messages/json_value.hpp"
#include "messages/result.hpp"
#include "runtime/settings/source_mark.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxReferencePathSteps = 32;
inline constexpr std::size_t kMaxReferencesInText = 1'000;
inline constexpr std::size_t kMaxRenderedBytes = std::size_t{64} << 20;  // one text with references

using NodeIndex = std::uint32_t;  // position of a node in its melody and plan
inline constexpr NodeIndex kUnknownNode = 0xffffffffU;

enum class ReferenceKind : std::uint8_t { input, node, item, index, run };

// One step into a value: a key, or a position when `key` is empty.
struct PathStep {
  std::string key;
  std::uint64_t position = 0;
  friend bool operator==(const PathStep&, const PathStep&) = default;
};

struct Reference {
  ReferenceKind kind = ReferenceKind::input;
  std::string name;               // of the input, the node, or the fact of the run
  std::string result;             // of a node
  std::vector<PathStep> path;     // into that value
  NodeIndex node = kUnknownNode;  // filled in when the melody is compiled
  friend bool operator==(const Reference&, const Reference&) = default;
};

// "${nodes.list.files[0].name}".
std::string to_string(const Reference& reference);

// Parses what stands between "${" and "}". INVALID_ARGUMENT with a sentence for a person.
Result<Reference> parse_reference(std::string_view inside);

// Text in pieces: literal text and references alternate as written.
using Piece = std::variant<std::string, Reference>;
using Interpolation = std::vector<Piece>;

// INVALID_ARGUMENT for an unclosed or malformed reference.
Result<Interpolation> parse_interpolation(std::string_view text);

class Binding {
 public:
  using List = std::vector<Binding>;
  using Table = std::vector<std::pair<std::string, Binding>>;
  enum class Kind : std::uint8_t { literal, reference, interpolation, list, table };

  Binding() : body_(Json(nullptr)) {}
  Binding(Json literal, runtime::SourceMark mark = {})
      : body_(std::move(literal)), mark_(std::move(mark)) {}
  Binding(Reference reference, runtime::SourceMark mark = {})
      : body_(std::move(reference)), mark_(std::move(mark)) {}
  Binding(Interpolation pieces, runtime::SourceMark mark = {})
      : body_(std::move(pieces)), mark_(std::move(mark)) {}
  Binding(List items, runtime::SourceMark mark = {})
      : body_(std::move(items)), mark_(std::move(mark)) {}
  Binding(Table members, runtime::SourceMark mark = {})
      : body_(std::move(members)), mark_(std::move(mark)) {}

  Kind kind() const noexcept { return static_cast<Kind>(body_.index()); }
  bool is_literal() const noexcept { return kind() == Kind::literal; }
  // REQUIRES: the binding is of that kind.
  const Json& literal() const { return std::get<Json>(body_); }
  const Reference& reference() const { return std::get<Reference>(body_); }
  const Interpolation& pieces() const { return std::get<Interpolation>(body_); }
  const List& items() const { return std::get<List>(body_); }
  const Table& members() const { return std::get<Table>(body_); }
  const runtime::SourceMark& mark() const noexcept { return mark_; }

  // Visits every reference in it, in the order of writing, with the place of its text.
  using Visitor = std::function<void(const Reference&, const runtime::SourceMark&)>;
  void visit(const Visitor& visitor) const;
  // The same, to fill in Reference::node.
  void resolve(const std::function<void(Reference&)>& resolver);

 private:
  std::variant<Json, Reference, Interpolation, List, Table> body_;
  runtime::SourceMark mark_;
};

// Equal bindings give equal text: what a person would have to write, references as "${…}".
Json to_json(const Binding& value);

// What references stand for during a run.
struct RunScope {
  const Json* inputs = nullptr;  // an object with every input
  // The results of a node that has ended: an object; for a mapped node the list of those of its
  // children, null for skipped ones; nullptr for a node that was skipped.
  std::function<const Json*(NodeIndex)> results;
  // How many children a mapped node has; nothing for other nodes and for one that was skipped. When
  // it is not set, `results` alone is asked.
  std::function<std::optional<std::uint64_t>(NodeIndex)> children = {};
  // The results of one of them, nullptr when it was skipped: what selects one child by its position
  // costs no more than that child.
  std::function<const Json*(NodeIndex, std::uint64_t)> child = {};
  const Json* item = nullptr;  // of a child
  std::optional<std::uint64_t> index;
  std::string run_id;
  std::string run_started;  // ISO 8601, UTC
  std::string run_host;
};

struct Evaluated {
  Json value;
  bool from_skipped = false;  // some reference led to a skipped node and gave null
};

// NOT_FOUND when a path leads nowhere, INVALID_ARGUMENT when it does not fit the value,
// FAILED_PRECONDITION when the scope lacks what is referred to, RESOURCE_EXHAUSTED when a text
// gets too long. A path into null is null.
Result<Evaluated> evaluate_reference(const Reference& reference, const RunScope& scope);
Result<Evaluated> evaluate_fully(const Binding& value, const RunScope& scope);
Result<Json> evaluate(const Binding& value, const RunScope& scope);

}  // namespace symphony::actors
