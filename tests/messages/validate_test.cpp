#include "messages/validate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "messages/component.capnp.h"
#include "messages/json.hpp"
#include "messages/protocol.hpp"
#include "tests/samples/damage.hpp"
#include "tests/samples/random_message.hpp"
#include "tests/samples/samples.capnp.h"

namespace symphony {
namespace {

using capnp::Schema;
using samples::Bag;
using samples::Either;
using samples::Empties;
using samples::Everything;
using samples::NewEither;
using testing::far_pointer;
using testing::list_pointer;
using testing::RawWords;
using testing::struct_pointer;

template <class T>
std::string refusal(const Words& words, const ValidationLimits& limits = {}) {
  const auto status = validate(words, Schema::from<T>(), limits);
  return status.ok() ? "" : to_string(status.error());
}

template <class T, class Fill>
Words built(Fill&& fill) {
  return Words::build<T>(std::forward<Fill>(fill));
}

TEST(Validate, AcceptsWhatWasBuilt) {
  testing::Random random{1};
  for (int i = 0; i < 2'000; ++i) {
    const auto schema = Schema::from<Everything>();
    const auto words = testing::random_message(schema, random);
    const auto status = validate(words, schema);
    ASSERT_TRUE(status.ok()) << i << " " << to_string(status.error());
  }
}

TEST(Validate, AcceptsRandomMessagesOfEveryProtocol) {
  const auto validator = Validator::of_protocols();
  testing::Random random{2};
  for (const auto* protocol : all_protocols())
    for (const auto& method : protocol->methods)
      for (int i = 0; i < 20; ++i) {
        const auto words = testing::random_message(method.request(), random);
        EXPECT_TRUE(validator.validate(words, method.request()).ok());
        if (method.response == nullptr) continue;
        const auto answer = testing::random_message(method.response(), random);
        EXPECT_TRUE(validator.validate(answer, method.response()).ok());
      }
}

TEST(Validate, RefusesMessagesWithoutARoot) {
  EXPECT_EQ(refusal<Either>(Words{}), "invalidArgument: the message has no root");
  EXPECT_EQ(refusal<Either>(RawWords(std::vector<std::uint64_t>{}).words()),
            "invalidArgument: the message has no root");
}

TEST(Validate, NamesTheFieldByItsPath) {
  auto bytes = RawWords{built<Everything>([](Everything::Builder builder) {
    auto children = builder.initChildren(3);
    children[2].initChild().getPlace().setStreet("oak");
  })};
  for (auto& word : bytes.content)
    if (word == 0x6b616f) word = 0xff616f;  // "oak" -> "oa\xff"
  EXPECT_EQ(refusal<Everything>(bytes.words()),
            "invalidArgument: the message has text that is not UTF-8 "
            "(field children[2].child.place.street)");
}

TEST(Validate, RefusesTextThatIsNotTerminatedOrNotUtf8) {
  const auto text = [](std::uint64_t content, unsigned count) {
    return RawWords{{struct_pointer(0, 0, 1), list_pointer(0, 2, count), content}}.words();
  };
  EXPECT_EQ(refusal<Either>(text(0x6161, 3)), "");
  EXPECT_EQ(refusal<Either>(text(0x616161, 3)),
            "invalidArgument: the message has text that does not end in NUL (field before)");
  EXPECT_EQ(refusal<Either>(text(0, 0)),
            "invalidArgument: the message has text that does not end in NUL (field before)");
  EXPECT_EQ(refusal<Either>(text(0x80, 2)),
            "invalidArgument: the message has text that is not UTF-8 (field before)");
}

TEST(Validate, RefusesPointersOutOfBounds) {
  EXPECT_NE(refusal<Either>(RawWords{{struct_pointer(1, 0, 1), 0}}.words()), "");
  EXPECT_NE(refusal<Either>(RawWords{{struct_pointer(-3, 0, 1), 0}}.words()), "");
  EXPECT_NE(refusal<Either>(RawWords{{struct_pointer(0, 1, 1), 0}}.words()), "");
  EXPECT_EQ(refusal<Either>(RawWords{{struct_pointer(0, 0, 1), list_pointer(0, 2, 9), 0}}.words()),
            "invalidArgument: the message has a pointer out of bounds (field before)");
}

TEST(Validate, FollowsFarPointersAndRefusesBadOnes) {
  // Segment 1: a landing pad, then the struct's one pointer.
  const auto far = [](std::uint64_t root, std::vector<std::uint64_t> other) {
    std::vector<std::uint64_t> content{root};
    content.insert(content.end(), other.begin(), other.end());
    return RawWords{content, {1, static_cast<std::uint32_t>(other.size())}}.words();
  };
  const auto good = struct_pointer(0, 0, 1);
  EXPECT_EQ(refusal<Either>(far(far_pointer(1, 0, false), {good, 0})), "");
  EXPECT_EQ(refusal<Either>(far(far_pointer(1, 0, true), {far_pointer(1, 2, false), good, 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(2, 0, false), {good, 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(1, 2, false), {good, 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(1, 0, false), {far_pointer(1, 0, false), 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(1, 0, true), {good, good, 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(1, 0, true), {far_pointer(7, 2, false), good, 0})), "");
  EXPECT_NE(refusal<Either>(far(far_pointer(1, 0, true), {far_pointer(1, 9, false), good, 0})), "");
}

TEST(Validate, RefusesALandingPadOfTwoWordsOfWhichOneIsOutside) {
  // What lies behind the segment would make a good second word.
  const RawWords raw{{far_pointer(1, 0, true), far_pointer(2, 0, false), struct_pointer(0, 0, 0)},
                     {1, 1, 1}};
  EXPECT_EQ(refusal<Either>(raw.words()),
            "invalidArgument: the message has a far pointer out of bounds");
}

TEST(Validate, RefusesCapabilitiesAnywhere) {
  EXPECT_EQ(refusal<Bag>(RawWords{{struct_pointer(0, 0, 2), 3, 0}}.words()),
            "invalidArgument: the message holds a capability (field any)");
  EXPECT_EQ(refusal<Bag>(RawWords{{struct_pointer(0, 0, 2), 0, 3}}.words()),
            "invalidArgument: the message holds a capability (field peer)");
  EXPECT_NE(refusal<Bag>(RawWords{{struct_pointer(0, 0, 3), 0, 0, 3}}.words()), "");
}

TEST(Validate, ChecksTheStructureOfWhatItDoesNotKnow) {
  // A third pointer, which Bag does not have, to a list that is not there.
  EXPECT_NE(refusal<Bag>(RawWords{{struct_pointer(0, 0, 3), 0, 0, list_pointer(5, 6, 2)}}.words()),
            "");
  EXPECT_EQ(
      refusal<Bag>(RawWords{{struct_pointer(0, 0, 3), 0, 0, list_pointer(0, 6, 2), 0, 0}}.words()),
      "");
}

constexpr ValidationLimits newer_values_allowed() {
  ValidationLimits limits;
  limits.newer = NewerValues::allow;
  return limits;
}

TEST(Validate, ReadsMessagesOfALaterVersionAsLongAsItKnowsTheUnionsMember) {
  const auto known = built<NewEither>([](auto builder) {
    builder.setAfter("later");
    builder.setOne("1");
  });
  EXPECT_EQ(refusal<Either>(known), "");
  const auto unknown = built<NewEither>([](auto builder) { builder.setFour("4"); });
  EXPECT_EQ(refusal<Either>(unknown),
            "unimplemented: the message has a union member that only a newer release knows");
}

TEST(Validate, SaysThatAnEnumValueItDoesNotKnowIsNewer) {
  const auto colour =
      built<Everything>([](auto builder) { builder.setColour(static_cast<samples::Colour>(3)); });
  EXPECT_EQ(refusal<Everything>(colour),
            "unimplemented: the message has an enum value that only a newer release knows "
            "(field colour)");
  const auto colours = built<Everything>([](Everything::Builder builder) {
    builder.initColours(2).set(1, static_cast<samples::Colour>(9));
  });
  EXPECT_EQ(refusal<Everything>(colours),
            "unimplemented: the message has an enum value that only a newer release knows "
            "(field colours[1])");
  const auto shade = built<Everything>([](Everything::Builder builder) {
    builder.getChoice().setShade(static_cast<samples::Colour>(7));
  });
  EXPECT_EQ(refusal<Everything>(shade),
            "unimplemented: the message has an enum value that only a newer release knows "
            "(field choice.shade)");
}

TEST(Validate, LetsNewerValuesPassWhereTheyAreAllowedAndTheyCanBeRead) {
  const auto member = built<NewEither>([](auto builder) {
    builder.setBefore("known");
    builder.setFour("4");
  });
  EXPECT_EQ(refusal<Either>(member, newer_values_allowed()), "");
  const Msg<Either> read{member};
  EXPECT_STREQ(read->getBefore().cStr(), "known");
  EXPECT_FALSE(read->isOne() || read->isTwo() || read->isThree());
  EXPECT_EQ(to_json(member, Schema::from<Either>(), JsonStyle::compact), R"({"before":"known"})");
  const auto values = built<Everything>([](Everything::Builder builder) {
    builder.setColour(static_cast<samples::Colour>(3));
    builder.initColours(1).set(0, static_cast<samples::Colour>(9));
  });
  EXPECT_EQ(refusal<Everything>(values, newer_values_allowed()), "");
  EXPECT_NE(to_json(values, Schema::from<Everything>(), JsonStyle::compact).find("\"colour\":3,"),
            std::string::npos);
}

// What a member that is not known holds is still looked through: it may not lead out of bounds.
TEST(Validate, ChecksWhatANewerMemberHolds) {
  const auto far_out = [](std::uint64_t pointer) {
    return RawWords{{struct_pointer(0, 1, 2), 9, 0, pointer}}.words();
  };
  EXPECT_EQ(refusal<Either>(far_out(0), newer_values_allowed()), "");
  EXPECT_EQ(refusal<Either>(far_out(list_pointer(5, 2, 8)), newer_values_allowed()),
            "invalidArgument: the message has a pointer out of bounds");
}

TEST(Validate, RefusesListsOfAnotherType) {
  const auto wrong = RawWords{{struct_pointer(0, 0, 2), 0, list_pointer(0, 4, 2), 0}}.words();
  EXPECT_EQ(refusal<Either>(wrong),
            "invalidArgument: the message has something else where text belongs (field one)");
}

TEST(Validate, BoundsDepth) {
  const auto nested = [](int depth) {
    return built<Everything>([&](Everything::Builder builder) {
      for (int i = 1; i < depth; ++i) builder = builder.initChild();
    });
  };
  EXPECT_EQ(refusal<Everything>(nested(Words::kMaxNesting)), "");
  EXPECT_NE(refusal<Everything>(nested(Words::kMaxNesting + 1)), "");
  ValidationLimits limits;
  limits.max_nesting = 3;
  EXPECT_EQ(refusal<Everything>(nested(3), limits), "");
  EXPECT_EQ(refusal<Everything>(nested(4), limits),
            "invalidArgument: the message is nested too deeply (field child.child.child)");
}

TEST(Validate, BoundsSizeAndSegments) {
  const auto words = built<Everything>([](auto builder) { builder.setText("x"); });
  ValidationLimits limits;
  limits.max_bytes = words.size_bytes() - 1;
  EXPECT_EQ(refusal<Everything>(words, limits), "invalidArgument: the message is too large");
  const std::vector<std::uint32_t> sizes(2'000, 1);
  EXPECT_EQ(refusal<Either>(RawWords{std::vector<std::uint64_t>(2'000), sizes}.words()),
            "invalidArgument: the message has too many segments");
}

TEST(Validate, RefusesWordsThatAreReachedTwice) {
  // A list of pointers that all point back at the list: tiny to send, endless to read.
  const auto loop = RawWords{{struct_pointer(0, 0, 2), 0, list_pointer(-1, 6, 1)}}.words();
  EXPECT_NE(refusal<Bag>(loop), "");
  const auto shared =
      RawWords{{struct_pointer(0, 0, 2), list_pointer(1, 2, 8), list_pointer(0, 2, 8), 0}}.words();
  EXPECT_EQ(refusal<Either>(shared),
            "invalidArgument: the message reaches the same words twice (field one)");
}

TEST(Validate, BoundsElementsWithoutContent) {
  const auto voids = [](unsigned count) {
    return built<Everything>([&](auto builder) { builder.initVoids(count); });
  };
  EXPECT_EQ(refusal<Everything>(voids(1'000)), "");
  EXPECT_EQ(refusal<Everything>(voids(1u << 28)),
            "invalidArgument: the message has too many elements without content (field voids)");
  const auto hollow =
      RawWords{{struct_pointer(0, 0, 1), list_pointer(0, 7, 0), std::uint64_t{0x1fffffff} << 2}}
          .words();
  EXPECT_EQ(refusal<Empties>(hollow),
            "invalidArgument: the message has too many elements without content (field hollow)");
}

// Most words of a large message are text, whose damage is harmless: the messages are small.
template <class T>
void survive_mutations(std::uint64_t seed, int count, const ValidationLimits& limits = {}) {
  const auto schema = Schema::from<T>();
  Validator validator;
  validator.add(schema);
  testing::Random random{seed};
  int refused = 0, accepted = 0;
  for (int i = 0; i < count; ++i) {
    RawWords bytes{testing::random_message(schema, random, 2)};
    testing::damage(bytes, random);
    const auto words = bytes.words();
    if (!validator.validate(words, schema, limits).ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    try {
      (void)testing::read_everything(words, schema);
    } catch (const kj::Exception& error) {
      FAIL() << "mutation " << i << " of seed " << seed
             << " was accepted, then threw: " << error.getDescription().cStr();
    }
  }
  EXPECT_GT(refused, count / 20);
  EXPECT_GT(accepted, count / 20);
}

TEST(Validate, WhatPassesNeverThrowsLater) {
  survive_mutations<Everything>(11, 12'000);
  survive_mutations<Either>(12, 6'000);
  survive_mutations<messages::DescribeResponse>(13, 6'000);
}

TEST(Validate, WhatPassesWithNewerValuesNeverThrowsLater) {
  survive_mutations<Everything>(14, 12'000, newer_values_allowed());
  survive_mutations<Either>(15, 6'000, newer_values_allowed());
}

}  // namespace
}  // namespace symphony
