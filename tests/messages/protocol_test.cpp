#include "messages/protocol.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "messages/component.protocol.hpp"

namespace symphony {
namespace {

using protocol::Component;

// Remembers which handler ran; answers nothing itself.
struct Recording : Component::Handlers {
  void describe(Call<Component::Describe> call) override {
    called = "describe";
    call.reply([](auto response) { response.setName("/x"); });
  }
  void health(Call<Component::Health>) override { called = "health"; }
  void prepare(Call<Component::Prepare>) override { called = "prepare"; }
  void start(Call<Component::Start>) override { called = "start"; }
  void drain(Call<Component::Drain>) override { called = "drain"; }
  void stop(Call<Component::Stop>) override { called = "stop"; }
  std::string called;
};

struct Answers : Responder {
  explicit Answers(std::optional<Envelope>& answer) : answer_(&answer) {}
  void respond(Envelope envelope) noexcept override { *answer_ = std::move(envelope); }
  void abandon(const Header&) noexcept override {}
  std::optional<Envelope>* answer_;
};

Incoming incoming(std::uint64_t protocol, std::uint16_t method, Kind kind,
                  std::optional<Envelope>& answer) {
  Incoming result;
  result.envelope.header.protocol = protocol;
  result.envelope.header.method = method;
  result.envelope.header.kind = kind;
  result.envelope.words = Words::build<messages::DescribeRequest>([](auto) {});
  result.responder = std::make_unique<Answers>(answer);
  return result;
}

TEST(Dispatch, CallsTheHandlerOfTheMethod) {
  Recording handlers;
  std::optional<Envelope> answer;
  EXPECT_TRUE(Component::dispatch(handlers, incoming(Component::kId, 0, Kind::request, answer)));
  EXPECT_EQ(handlers.called, "describe");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.kind, Kind::response);
  const Msg<messages::DescribeResponse> response{answer->words};
  EXPECT_STREQ(response->getName().cStr(), "/x");
}

TEST(Dispatch, LeavesAloneWhatIsNotForIt) {
  Recording handlers;
  std::optional<Envelope> answer;
  const auto past_the_end = static_cast<std::uint16_t>(Component::info().methods.size());
  EXPECT_FALSE(
      Component::dispatch(handlers, incoming(Component::kId + 1, 0, Kind::request, answer)));
  EXPECT_FALSE(
      Component::dispatch(handlers, incoming(Component::kId, past_the_end, Kind::request, answer)));
  auto notice = incoming(Component::kId, 0, Kind::notice, answer);
  EXPECT_FALSE(Component::dispatch(handlers, std::move(notice)));
  EXPECT_NE(notice.responder, nullptr);
  EXPECT_FALSE(notice.envelope.words.empty());
  EXPECT_EQ(handlers.called, "");
}

TEST(Protocols, AreFoundByIdAndSortedByTitle) {
  std::string_view previous;
  for (const auto* protocol : all_protocols()) {
    EXPECT_LT(previous, protocol->title);
    previous = protocol->title;
    EXPECT_EQ(find_protocol(protocol->id), protocol);
    std::uint16_t ordinal = 0;
    for (const auto& method : protocol->methods) {
      EXPECT_EQ(method.ordinal, ordinal++);
      EXPECT_NE(method.request, nullptr);
      EXPECT_EQ(method.response == nullptr, method.oneway);
    }
  }
  EXPECT_EQ(find_protocol(Component::kId), &Component::info());
  EXPECT_EQ(find_protocol(1), nullptr);
}

TEST(Protocols, KnowTheirMethodsAndComments) {
  const auto* describe = Component::info().find("describe");
  ASSERT_NE(describe, nullptr);
  EXPECT_TRUE(describe->idempotent);
  EXPECT_FALSE(describe->internal);
  EXPECT_EQ(describe->request().getShortDisplayName(), "DescribeRequest");
  EXPECT_TRUE(Component::info().find("prepare")->internal);
  EXPECT_EQ(Component::info().find("nothing"), nullptr);
  EXPECT_EQ(Component::info().doc,
            "The part of every protocol that the runtime itself implements.");
}

// Records what was sent.
class Recorder : public WaitingAsker {
 public:
  struct Named : Target {
    explicit Named(std::string_view name) : name_(name) {}
    const std::string& name() const noexcept override { return name_; }
    std::string name_;
  };
  std::unique_ptr<Target> resolve(std::string_view name) override {
    return std::make_unique<Named>(name);
  }
  std::uint64_t ask(Target&, Envelope request, Deadline deadline, AskDone done) override {
    sent = std::move(request);
    due = deadline;
    done(Error{Errc::UNAVAILABLE, "nobody"});
    return 1;
  }
  Result<Words> ask_and_wait(Target&, Envelope request, Deadline) override {
    sent = std::move(request);
    return Words::build<messages::HealthResponse>([](auto builder) { builder.setHealthy(true); });
  }
  Status tell(Target&, Envelope notice) override {
    sent = std::move(notice);
    return {};
  }
  void cancel(Target&, std::uint64_t correlation) override { cancelled = correlation; }
  Deadline now() const override { return time; }

  Deadline time{};
  Envelope sent;
  Deadline due = kNoDeadline;
  std::uint64_t cancelled = 0;
};

TEST(Ref, AsksWithTheProtocolsIdAndTheMethodsOrdinal) {
  Recorder asker;
  const WaitingRef<Component> component{asker, "/x"};
  EXPECT_EQ(component.name(), "/x");
  const auto answer = component.health().get();
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE((*answer)->getHealthy());
  EXPECT_EQ(asker.sent.header.protocol, Component::kId);
  EXPECT_EQ(asker.sent.header.method, Component::Health::kOrdinal);
  EXPECT_EQ(asker.sent.header.kind, Kind::request);

  std::string said;
  component.describe([](auto) {}).then([&](Result<Msg<messages::DescribeResponse>> r) {
    said = r.ok() ? "answer" : r.error().message;
  });
  EXPECT_EQ(said, "nobody");
  EXPECT_EQ(asker.due, kNoDeadline);
}

TEST(Ref, CountsItsTimeFromWhenItIsSaid) {
  Recorder asker;
  const Ref<Component> component{asker, "/x"};
  auto ask = component.health();
  asker.time += std::chrono::seconds{3};
  std::move(ask).within(std::chrono::seconds{2}).then([](auto) {});
  EXPECT_EQ(asker.due, Deadline{} + std::chrono::seconds{5});
}

TEST(Ref, SaysWhatTheSchemaSaysOfUrgency) {
  Recorder asker;
  const Ref<Component> component{asker, "/x"};
  component.stop().then([](auto) {});
  EXPECT_TRUE(asker.sent.header.urgent);
  component.drain().then([](auto) {});
  EXPECT_FALSE(asker.sent.header.urgent);
  EXPECT_TRUE(find_method(Component::kId, Component::Stop::kOrdinal)->urgent);
  EXPECT_FALSE(find_method(Component::kId, Component::Drain::kOrdinal)->urgent);
  EXPECT_EQ(find_method(Component::kId, 99), nullptr);
  EXPECT_EQ(find_method(1, 0), nullptr);
}

}  // namespace
}  // namespace symphony
