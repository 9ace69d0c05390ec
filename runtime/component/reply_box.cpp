#include "runtime/component/reply_box.hpp"

#include <caf/mailbox_element.hpp>

#include <utility>
#include <vector>

#include "runtime/component/fences.hpp"

namespace symphony::runtime {

ReplyBox::ReplyBox(caf::actor_config& config) : caf::actor_proxy(config) {}

Result<std::uint64_t> ReplyBox::expect(std::uint64_t receiver, Deadline deadline, Done& done) {
  const std::lock_guard lock(mutex_);
  if (pending_.full())
    return Error{Errc::OVERLOADED, "too many requests wait for their answers", "", true};
  return pending_.add({receiver, deadline, kj::mv(done)});
}

std::optional<ReplyBox::Done> ReplyBox::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  auto taken = pending_.take(id);
  if (!taken) return std::nullopt;
  return kj::mv(taken->done);
}

void ReplyBox::expire(Deadline now) {
  {
    const std::lock_guard lock(mutex_);
    if (now < next_expiry_) return;
    next_expiry_ = now + kExpiryInterval;
  }
  fail_if([&](const Pending& waiting) { return waiting.deadline <= now; },
          {Errc::DEADLINE_EXCEEDED, "no answer came in time", "", true});
}

template <class Meant>
void ReplyBox::fail_if(Meant&& meant, const Error& error) {
  std::vector<Pending> failed;
  {
    const std::lock_guard lock(mutex_);
    failed = pending_.take_if(meant);
  }
  for (auto& waiting : failed) waiting.done(error);
}

void ReplyBox::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  if (element->content().match_elements<Fenced>()) {
    const auto& fenced = element->content().get_as<Fenced>(0);
    return fail_if([&](const Pending& waiting) { return waiting.receiver == fenced.actor; },
                   fenced_error(fenced));
  }
  if (!element->mid.is_response()) return;  // exits and downs: nothing here can die of them
  auto taken = take(element->mid.request_id().integer_value());
  if (!taken) return;
  auto& done = *taken;
  auto& content = element->content();
  if (!content.match_elements<Envelope>())
    return done(Error{Errc::UNAVAILABLE, "the receiver went away", "", true});
  auto& envelope = content.get_mutable_as<Envelope>(0);
  if (envelope.header.kind == Kind::failure) return done(read_failure(envelope));
  done(std::move(envelope.words));
}

void ReplyBox::kill_proxy(caf::execution_unit* context, caf::error reason) {
  fail_if([](const Pending&) { return true; },
          {Errc::UNAVAILABLE, "the asker was closed", "", true});
  cleanup(std::move(reason), context);
}

}  // namespace symphony::runtime
