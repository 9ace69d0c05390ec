// What a handler is given: one request and the duty to answer it.
//
// The generator writes, for each protocol, an abstract class with one pure virtual function a
// method; a component that lacks one, or has one too many, does not compile:
//
//     void create(Call<Dag::Create> call) override {
//       if (call->getRun().size() == 0)
//         return call.fail({Errc::INVALID_ARGUMENT, "a run needs an id", "run"});
//       call.reply([&](auto response) { response.setNodes(7); });
//     }
//
// A Call may be kept and answered later, from the component's own thread. One that is destroyed
// unanswered answers for itself: `unavailable` when its component is going down, else `internal`.
#pragma once

#include <memory>
#include <utility>

#include "messages/envelope.hpp"
#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony {

// Where the answer to one request goes. Implemented by the runtime.
class Responder {
 public:
  virtual ~Responder() = default;
  // Called at most once.
  virtual void respond(Envelope answer) noexcept = 0;
  // The request was dropped without an answer: respond on the component's behalf.
  virtual void abandon(const Header& request) noexcept = 0;
};

// A request or notice as it reaches a component, before its type is known.
struct Incoming {
  Envelope envelope;
  std::unique_ptr<Responder> responder;  // null for a notice
};

template <class M>
class Call {
 public:
  using Request = typename M::Request;
  using Response = typename M::Response;

  explicit Call(Incoming incoming)
      : header_(incoming.envelope.header),
        request_(std::move(incoming.envelope.words)),
        responder_(std::move(incoming.responder)) {}
  Call(Call&&) noexcept = default;
  Call& operator=(Call&& other) noexcept {
    std::swap(header_, other.header_);
    std::swap(request_, other.request_);
    std::swap(responder_, other.responder_);
    return *this;
  }
  ~Call() {
    if (responder_ != nullptr) responder_->abandon(header_);
  }

  const typename Request::Reader& request() const noexcept { return *request_; }
  const typename Request::Reader* operator->() const noexcept { return &*request_; }
  const Msg<Request>& message() const noexcept { return request_; }
  const Header& header() const noexcept { return header_; }
  // False once it was answered or moved from.
  [[nodiscard]] bool open() const noexcept { return responder_ != nullptr; }

  // REQUIRES: open().
  template <class Fill>
  void reply(Fill&& fill) {
    respond(Words::build<Response>(std::forward<Fill>(fill)));
  }
  // An answer without content.
  void reply() {
    respond(Words::build<Response>([](typename Response::Builder) {}));
  }
  // Passes on words that already are a Response.
  void respond(Words words) {
    SYMPHONY_ASSERT(open());
    Envelope answer{header_, std::move(words)};
    answer.header.kind = Kind::response;
    std::exchange(responder_, nullptr)->respond(std::move(answer));
  }
  void fail(const Error& error) {
    SYMPHONY_ASSERT(open());
    std::exchange(responder_, nullptr)->respond(make_failure(header_, error));
  }

 private:
  Header header_;
  Msg<Request> request_;
  std::unique_ptr<Responder> responder_;
};

// A one-way message.
template <class M>
class Notice {
 public:
  using Request = typename M::Request;
  explicit Notice(Incoming incoming)
      : header_(incoming.envelope.header), message_(std::move(incoming.envelope.words)) {}
  const typename Request::Reader* operator->() const noexcept { return &*message_; }
  const typename Request::Reader& request() const noexcept { return *message_; }
  const Header& header() const noexcept { return header_; }

 private:
  Header header_;
  Msg<Request> message_;
};

}  // namespace symphony
