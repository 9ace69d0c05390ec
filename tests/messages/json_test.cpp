#include "messages/json.hpp"

#include <capnp/any.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "messages/json_value.hpp"
#include "messages/protocol.hpp"
#include "messages/validate.hpp"
#include "tests/samples/random_message.hpp"
#include "tests/samples/samples.capnp.h"

namespace symphony {
namespace {

using capnp::Schema;
using samples::Bag;
using samples::Either;
using samples::Everything;

template <class T>
Msg<T> parsed(const std::string& text) {
  auto words = from_json(Schema::from<T>(), text);
  EXPECT_TRUE(words.ok()) << text << ": " << to_string(words.error());
  return words.ok() ? Msg<T>{std::move(words).value()} : Msg<T>::build([](auto) {});
}

template <class T = Everything>
std::string refusal(const std::string& text, const JsonLimits& limits = {}) {
  const auto words = from_json(Schema::from<T>(), text, limits);
  return words.ok() ? "accepted" : to_string(words.error());
}

template <class T, class Fill>
std::string written(Fill&& fill, JsonStyle style = JsonStyle::compact) {
  return to_json(Words::build<T>(std::forward<Fill>(fill)), Schema::from<T>(), style);
}

TEST(Json, IntegersAreExactInEveryWidth) {
  const auto message = parsed<Everything>(
      R"({"tiny": -128, "small": 32767, "medium": -2147483648, "large": -9223372036854775808,
          "utiny": 255, "usmall": 0, "umedium": 4294967295, "ularge": 18446744073709551615,
          "numbers": [9007199254740993, "-9007199254740993", "9223372036854775807"]})");
  EXPECT_EQ(message->getTiny(), -128);
  EXPECT_EQ(message->getLarge(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(message->getUmedium(), 4294967295u);
  EXPECT_EQ(message->getUlarge(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(message->getNumbers()[0], 9007199254740993);
  EXPECT_EQ(message->getNumbers()[1], -9007199254740993);
  EXPECT_EQ(message->getNumbers()[2], std::numeric_limits<std::int64_t>::max());

  const auto json = Json::parse(to_json(message.words(), Schema::from<Everything>()));
  EXPECT_EQ(json["ularge"].dump(), "18446744073709551615");
  EXPECT_EQ(json["large"].dump(), "-9223372036854775808");
  EXPECT_EQ(json["numbers"].dump(), "[9007199254740993,-9007199254740993,9223372036854775807]");
}

TEST(Json, NumbersOutOfRangeNameTheFieldAndTheRange) {
  EXPECT_EQ(refusal(R"({"tiny": 128})"),
            "invalidArgument: expected a whole number from -128 to 127, not 128 (field tiny)");
  EXPECT_EQ(refusal(R"({"ularge": -1})"),
            "invalidArgument: expected a whole number from 0 to 18446744073709551615, not -1 "
            "(field ularge)");
  for (const char* bad :
       {R"({"ularge": 18446744073709551616})", R"({"ularge": "18446744073709551616"})",
        R"({"large": 9223372036854775808})", R"({"usmall": 65536})", R"({"small": -32769})",
        R"({"medium": 1.5})", R"({"medium": 1e3})", R"({"medium": "12x"})", R"({"medium": ""})",
        R"({"medium": " 1"})", R"({"medium": "+1"})", R"({"medium": null})", R"({"medium": true})",
        R"({"single": 3.5e38})", R"({"double": 1e999})", R"({"double": "1"})",
        R"({"double": "nan"})"})
    EXPECT_EQ(refusal(bad).substr(0, 15), "invalidArgument") << bad;
}

TEST(Json, ErrorsNameThePathOfTheField) {
  EXPECT_EQ(refusal(R"({"children": [{}, {"child": {"texts": ["a", 7]}}]})"),
            "invalidArgument: expected a string, not 7 (field children[1].child.texts[1])");
  EXPECT_EQ(refusal(R"({"grid": [[1], [2, "x"]]})"),
            "invalidArgument: expected a whole number from 0 to 4294967295, not \"x\" "
            "(field grid[1][1])");
  EXPECT_EQ(refusal(R"({"place": {"house": []}})"),
            "invalidArgument: expected a whole number from 0 to 65535, not an array "
            "(field place.house)");
}

TEST(Json, UnknownKeysAreAnsweredWithTheKnownOnes) {
  EXPECT_EQ(refusal(R"({"place": {"stret": "x"}})"),
            "invalidArgument: there is no such field; there are street, house "
            "(field place.stret)");
}

TEST(Json, DuplicateKeysAreRefusedAtAnyDepth) {
  EXPECT_EQ(refusal(R"({"text": "a", "text": "b"})"),
            "invalidArgument: the key is there twice (field text)");
  EXPECT_EQ(refusal(R"({"children": [{}, {"child": {}}, {"flag": true, "flag": true}]})"),
            "invalidArgument: the key is there twice (field children[2].flag)");
}

TEST(Json, WhatIsNotJsonIsRefusedWithItsPlace) {
  EXPECT_EQ(refusal("{\n  \"text\": nope}")
                .find("invalidArgument: this is not JSON: parse error at line 2, column 12: "),
            0u);
  for (const char* bad :
       {"", "{", "[1,]", "{\"text\": \"\xff\"}", "{} {}", "{'text': 1}", "{\"text\": \"\\ud800\"}"})
    EXPECT_EQ(refusal(bad).substr(0, 34), "invalidArgument: this is not JSON:") << bad;
  EXPECT_EQ(refusal("[]"), "invalidArgument: expected an object, not an array");
}

TEST(Json, LimitsBoundTextDepthAndMessage) {
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += R"({"child":)";
  EXPECT_EQ(refusal(deep).substr(0, 73),
            "resourceExhausted: objects and arrays are nested more than 64 deep (field");
  EXPECT_EQ(refusal(std::string(100'000, '[')).substr(0, 17), "resourceExhausted");
  JsonLimits limits;
  limits.max_text_bytes = 10;
  EXPECT_EQ(refusal(R"({"text": "abc"})", limits),
            "resourceExhausted: the JSON text has more than 10 bytes");
  limits = {};
  limits.max_message_bytes = 10'000;
  std::string many = R"({"children": [)";
  for (int i = 0; i < 100; ++i) many += "{},";
  many.back() = ']';
  EXPECT_EQ(refusal(many + "}", limits),
            "resourceExhausted: the message would be too large here (field children)");
  // Elements that are charged for nothing else, too.
  for (const std::string field : {"numbers", "flags", "voids", "texts"}) {
    std::string elements;
    for (int i = 0; i < 2'000; ++i) elements += "null,";
    elements.back() = ']';
    EXPECT_EQ(refusal("{\"" + field + "\": [" + elements + "}", limits),
              "resourceExhausted: the message would be too large here (field " + field + ")");
  }
}

TEST(Json, DataIsBase64) {
  const auto message = parsed<Everything>(R"({"data": "AP8Q", "blobs": ["", "Zg=="]})");
  const auto data = message->getData();
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[1], 0xff);
  EXPECT_EQ(message->getBlobs()[1].size(), 1u);
  EXPECT_EQ(refusal(R"({"blobs": ["", "Zg"]})"),
            "invalidArgument: this is not base64 (with padding, without line breaks) "
            "(field blobs[1])");
}

TEST(Json, EnumsGoByName) {
  EXPECT_EQ(parsed<Everything>(R"({"colour": "darkBlue"})")->getColour(),
            samples::Colour::DARK_BLUE);
  EXPECT_EQ(refusal(R"({"colour": "blue"})"),
            "invalidArgument: expected one of red, green, darkBlue, not \"blue\" (field colour)");
  EXPECT_EQ(refusal(R"({"colour": 1})").substr(0, 24), "invalidArgument: expecte");
}

TEST(Json, UnionsHoldTheirActiveMemberAlone) {
  const auto one = parsed<Either>(R"({"before": "x", "three": "12"})");
  EXPECT_TRUE(one->isThree());
  EXPECT_EQ(to_json(one.words(), Schema::from<Either>()), R"({"before":"x","three":12})");
  EXPECT_EQ(refusal<Either>(R"({"one": "a", "three": 1})"),
            "invalidArgument: only one of one and three can be given (field three)");
  const auto named = parsed<Everything>(R"({"choice": {"pair": {"left": "l", "right": -1}}})");
  ASSERT_TRUE(named->getChoice().isPair());
  EXPECT_EQ(named->getChoice().getPair().getRight(), -1);
  EXPECT_TRUE(parsed<Everything>(R"({"choice": {"label": null}})")->getChoice().isLabel());
  EXPECT_TRUE(parsed<Everything>(R"({"choice": {"none": null}})")->getChoice().isNone());
  EXPECT_EQ(refusal(R"({"choice": {"none": 1}})"),
            "invalidArgument: expected null, not 1 (field choice.none)");
}

TEST(Json, MissingKeysAndNullsLeaveDefaults) {
  const auto message = parsed<Everything>(R"({"text": null, "children": null, "child": null})");
  EXPECT_FALSE(message->hasText());
  EXPECT_EQ(message->getTiny(), -3);
  EXPECT_EQ(message->getColour(), samples::Colour::GREEN);
  EXPECT_STREQ(message->getGreeting().cStr(), "hello");
  EXPECT_FALSE(message->hasChild());
}

TEST(Json, WritesEveryNumberAndOnlyPointersThatAreThere) {
  EXPECT_EQ(written<samples::Point>([](auto) {}), R"({"x":0,"y":0})");
  EXPECT_EQ(written<Either>([](auto builder) { builder.setOne(""); }), R"({"one":""})");
  EXPECT_EQ(written<samples::Point>([](auto) {}, JsonStyle::pretty),
            "{\n  \"x\": 0,\n  \"y\": 0\n}");
  EXPECT_EQ(
      written<samples::Empties>([](samples::Empties::Builder builder) { builder.initHollow(2); }),
      R"({"hollow":[{},{}]})");
}

TEST(Json, TextIsEscapedAndReplacedWhereItIsNotUtf8) {
  EXPECT_EQ(written<Either>([](auto builder) { builder.setOne("a\"\\\n\x01\xc3\xa9"); }),
            "{\"one\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\"}");
  EXPECT_EQ(written<Either>([](auto builder) { builder.setOne("\xff\xc3\xa9\xe2\x82"); }),
            "{\"one\":\"\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"}");
}

TEST(Json, FloatsKeepTheirBits) {
  const double values[] = {0.1,
                           -0.0,
                           1e300,
                           5e-324,
                           1.0,
                           std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};
  for (const auto value : values) {
    const auto text = written<Everything>([&](auto builder) { builder.setDouble(value); });
    const auto read = parsed<Everything>(text)->getDouble();
    EXPECT_EQ(read, value);
    EXPECT_EQ(std::signbit(read), std::signbit(value));
  }
  const auto not_a_number = written<Everything>([](auto b) { b.setDouble(std::nan("")); });
  EXPECT_TRUE(std::isnan(parsed<Everything>(not_a_number)->getDouble()));
  testing::Random random{3};
  for (int i = 0; i < 2'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isnan(value)) continue;
    const auto text = written<Everything>([&](auto builder) { builder.setSingle(value); });
    ASSERT_EQ(parsed<Everything>(text)->getSingle(), value) << text;
  }
  const auto max = std::numeric_limits<float>::max();
  const auto text = written<Everything>([&](auto builder) { builder.setSingle(-max); });
  EXPECT_EQ(parsed<Everything>(text)->getSingle(), -max);
}

TEST(Json, CapabilitiesAndAnyPointersAreRefused) {
  EXPECT_EQ(refusal<Bag>(R"({"any": {}})"),
            "invalidArgument: a value of this type cannot be given as JSON (field any)");
  EXPECT_EQ(refusal<Bag>(R"({"peer": null})").substr(0, 26), "invalidArgument: a value o");
}

void expect_round_trip(capnp::StructSchema schema, testing::Random& random, JsonStyle style) {
  const auto words = testing::random_message(schema, random);
  const auto text = to_json(words, schema, style);
  const auto back = from_json(schema, text);
  ASSERT_TRUE(back.ok()) << text << "\n" << to_string(back.error());
  const auto before = words.open();
  const auto after = (*back).open();
  const capnp::AnyStruct::Reader sent = before->getRoot<capnp::DynamicStruct>(schema);
  const capnp::AnyStruct::Reader received = after->getRoot<capnp::DynamicStruct>(schema);
  EXPECT_EQ(sent.equals(received), capnp::Equality::EQUAL) << text;
  EXPECT_TRUE(validate(*back, schema).ok());
}

TEST(Json, MessagesReadBackAsTheyWereWritten) {
  testing::Random random{7};
  for (int i = 0; i < 500; ++i) {
    const auto style = i % 2 == 0 ? JsonStyle::compact : JsonStyle::pretty;
    expect_round_trip(Schema::from<Everything>(), random, style);
    expect_round_trip(Schema::from<Either>(), random, style);
  }
  for (const auto* protocol : all_protocols())
    for (const auto& method : protocol->methods)
      for (int i = 0; i < 20; ++i) {
        expect_round_trip(method.request(), random, JsonStyle::compact);
        if (method.response != nullptr)
          expect_round_trip(method.response(), random, JsonStyle::compact);
      }
}

}  // namespace
}  // namespace symphony
