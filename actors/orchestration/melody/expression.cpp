#include "actors/orchestration/melody/expression.hpp"

#include <cctype>
#include <optional>

namespace symphony::actors {
namespace {

struct Operator {
  std::string_view sign;
  ExpressionKind kind;
};
// Longer signs first: "<=" is not "<" and then "=".
constexpr Operator kComparisons[] = {
    {"==", ExpressionKind::equal},         {"!=", ExpressionKind::not_equal},
    {"<=", ExpressionKind::less_or_equal}, {">=", ExpressionKind::greater_or_equal},
    {"<", ExpressionKind::less},           {">", ExpressionKind::greater}};

std::string_view sign_of(ExpressionKind kind) {
  for (const Operator& comparison : kComparisons) {
    if (comparison.kind == kind) return comparison.sign;
  }
  return kind == ExpressionKind::logical_and ? "and" : "or";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expression> parse() {
    auto expression = parse_or(0);
    if (!expression) return expression;
    skip_space();
    if (at_ != text_.size()) {
      return fail("expected and, or, a comparison or the end");
    }
    return expression;
  }

 private:
  Error fail(std::string_view what) const {
    return Error{Errc::INVALID_ARGUMENT,
                 std::string(what) + " at character " + std::to_string(at_ + 1)};
  }

  std::string_view rest() const { return text_.substr(at_); }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool take_word(std::string_view word) {
    skip_space();
    if (!rest().starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() &&
        (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_')) {
      return false;
    }
    at_ = end;
    return true;
  }

  // A chain of operands with the same word between them, grouped from the left.
  template <class Next>
  Result<Expression> parse_chain(std::string_view word, ExpressionKind kind, Next next) {
    auto left = next();
    if (!left) return left;
    Expression chain{kind};
    while (take_word(word)) {
      if (chain.operands.empty()) chain.operands.push_back(std::move(left).value());
      auto right = next();
      if (!right) return right;
      chain.operands.push_back(std::move(right).value());
    }
    if (chain.operands.empty()) return left;
    return chain;
  }

  Result<Expression> parse_or(std::size_t depth) {
    return parse_chain("or", ExpressionKind::logical_or, [&] { return parse_and(depth); });
  }

  Result<Expression> parse_and(std::size_t depth) {
    return parse_chain("and", ExpressionKind::logical_and, [&] { return parse_not(depth); });
  }

  Result<Expression> parse_not(std::size_t depth) {
    if (depth >= kMaxExpressionDepth) {
      return fail("nested more than " + std::to_string(kMaxExpressionDepth) + " deep");
    }
    if (!take_word("not")) return parse_comparison(depth);
    auto operand = parse_not(depth + 1);
    if (!operand) return operand;
    Expression negation{ExpressionKind::logical_not};
    negation.operands.push_back(std::move(operand).value());
    return negation;
  }

  Result<Expression> parse_comparison(std::size_t depth) {
    auto left = parse_operand(depth);
    if (!left) return left;
    skip_space();
    for (const Operator& comparison : kComparisons) {
      if (!rest().starts_with(comparison.sign)) continue;
      at_ += comparison.sign.size();
      auto right = parse_operand(depth);
      if (!right) return right;
      Expression compared{comparison.kind};
      compared.operands.push_back(std::move(left).value());
      compared.operands.push_back(std::move(right).value());
      return compared;
    }
    if (rest().starts_with('=')) return fail("a single = compares nothing, write ==");
    return left;
  }

  Result<Expression> parse_operand(std::size_t depth) {
    skip_space();
    if (take_word("true")) return Expression{ExpressionKind::literal, true};
    if (take_word("false")) return Expression{ExpressionKind::literal, false};
    if (take_word("null")) return Expression{ExpressionKind::literal, nullptr};
    const char next = at_ < text_.size() ? text_[at_] : '\0';
    if (rest().starts_with("${")) return parse_reference_operand();
    if (next == '\'' || next == '"') return parse_text(next);
    if (next == '(') return parse_group(depth);
    if (next == '-' || (next >= '0' && next <= '9')) return parse_number();
    return fail("expected ${…}, a number, a text in quotes, true, false, null or (");
  }

  Result<Expression> parse_group(std::size_t depth) {
    ++at_;
    auto inner = parse_or(depth + 1);
    if (!inner) return inner;
    skip_space();
    if (!rest().starts_with(')')) return fail("expected ) to close the group");
    ++at_;
    return inner;
  }

  Result<Expression> parse_reference_operand() {
    const std::size_t end = rest().find('}');
    if (end == std::string_view::npos) return fail("expected } to close the reference");
    auto reference = parse_reference(rest().substr(2, end - 2));
    if (!reference) return std::move(reference).error();
    at_ += end + 1;
    return Expression{ExpressionKind::reference, nullptr, std::move(reference).value()};
  }

  Result<Expression> parse_text(char quote) {
    const std::size_t end = rest().find(quote, 1);
    if (end == std::string_view::npos) return fail("expected a closing quote for the text");
    std::string text(rest().substr(1, end - 1));
    at_ += end + 1;
    return Expression{ExpressionKind::literal, std::move(text)};
  }

  Result<Expression> parse_number() {
    std::size_t length = 1;
    while (length < rest().size() &&
           std::string_view("0123456789.eE+-").find(rest()[length]) != std::string_view::npos) {
      ++length;
    }
    Json number = Json::parse(rest().substr(0, length), nullptr, false);
    if (!number.is_number()) return fail("expected a number like 10 or 2.5");
    at_ += length;
    return Expression{ExpressionKind::literal, std::move(number)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<Json> value_of(const Expression& expression, const Scope& scope);

Result<bool> truth_of(const Expression& expression, const Scope& scope) {
  auto value = value_of(expression, scope);
  if (!value) return std::move(value).error();
  if (value->is_null()) return false;
  if (!value->is_boolean()) {
    return Error{Errc::INVALID_ARGUMENT, to_string(expression) + " is " + value->type_name() +
                                             ", not true or false: compare it with something"};
  }
  return value->get<bool>();
}

Result<Json> connect(const Expression& expression, const Scope& scope) {
  const bool settles = expression.kind == ExpressionKind::logical_or;
  for (const Expression& operand : expression.operands) {
    auto truth = truth_of(operand, scope);
    if (!truth) return std::move(truth).error();
    if (*truth == settles) return Json(settles);
  }
  return Json(!settles);
}

Result<Json> compare(const Expression& expression, const Scope& scope) {
  auto left = value_of(expression.operands[0], scope);
  if (!left) return left;
  auto right = value_of(expression.operands[1], scope);
  if (!right) return right;
  if (expression.kind == ExpressionKind::equal) return Json(*left == *right);
  if (expression.kind == ExpressionKind::not_equal) return Json(*left != *right);
  if (left->is_null() || right->is_null()) return Json(false);
  if (!(left->is_number() && right->is_number()) && !(left->is_string() && right->is_string())) {
    return Error{Errc::INVALID_ARGUMENT, to_string(expression) + " compares " + left->type_name() +
                                             " with " + right->type_name() +
                                             "; only two numbers or two texts have an order"};
  }
  switch (expression.kind) {
    case ExpressionKind::less:
      return Json(*left < *right);
    case ExpressionKind::less_or_equal:
      return Json(*left <= *right);
    case ExpressionKind::greater:
      return Json(*left > *right);
    default:
      return Json(*left >= *right);
  }
}

Result<Json> value_of(const Expression& expression, const Scope& scope) {
  switch (expression.kind) {
    case ExpressionKind::literal:
      return expression.literal;
    case ExpressionKind::reference: {
      auto evaluated = evaluate_reference(expression.reference, scope);
      if (!evaluated) return std::move(evaluated).error();
      return std::move(evaluated->value);
    }
    case ExpressionKind::logical_not: {
      auto truth = truth_of(expression.operands[0], scope);
      if (!truth) return std::move(truth).error();
      return Json(!*truth);
    }
    case ExpressionKind::logical_and:
    case ExpressionKind::logical_or:
      return connect(expression, scope);
    default:
      return compare(expression, scope);
  }
}

}  // namespace

void Expression::visit(const std::function<void(const Reference&)>& visitor) const {
  if (kind == ExpressionKind::reference) visitor(reference);
  for (const Expression& operand : operands) operand.visit(visitor);
}

void Expression::resolve(const std::function<void(Reference&)>& resolver) {
  if (kind == ExpressionKind::reference) resolver(reference);
  for (Expression& operand : operands) operand.resolve(resolver);
}

Result<Expression> parse_expression(std::string_view text) {
  if (text.size() > kMaxExpressionBytes) {
    return Error{Errc::INVALID_ARGUMENT,
                 "a condition is at most " + std::to_string(kMaxExpressionBytes) + " bytes long"};
  }
  return Parser(text).parse();
}

std::string to_string(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::literal: {
      if (!expression.literal.is_string()) return expression.literal.dump();
      // A text holds no quote of the kind that enclosed it, so one of the two always fits.
      const auto& text = expression.literal.get_ref<const std::string&>();
      const char quote = text.find('\'') == std::string::npos ? '\'' : '"';
      return quote + text + quote;
    }
    case ExpressionKind::reference:
      return to_string(expression.reference);
    case ExpressionKind::logical_not:
      return "(not " + to_string(expression.operands[0]) + ")";
    default: {
      std::string text = "(";
      for (const Expression& operand : expression.operands) {
        if (text.size() > 1) text += " " + std::string(sign_of(expression.kind)) + " ";
        text += to_string(operand);
      }
      return text + ")";
    }
  }
}

Result<bool> evaluate(const Expression& expression, const Scope& scope) {
  return truth_of(expression, scope);
}

}  // namespace symphony::actors
