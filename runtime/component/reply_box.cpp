#include "runtime/component/reply_box.hpp"

#include <caf/mailbox_element.hpp>

#include <utility>

#include "runtime/component/fences.hpp"

namespace symphony::runtime {

ReplyBox::ReplyBox(caf::actor_config& config) : caf::actor_proxy(config) {}

Result<std::uint64_t> ReplyBox::expect(std::uint64_t receiver, Deadline deadline, Done& done) {
  const std::lock_guard lock(mutex_);
  if (pending_.size() >= kPendingMax)
    return Error{Errc::OVERLOADED, "too many requests wait for their answers", "", true};
  const std::uint64_t id = next_id_++;
  pending_.emplace(id, Pending{receiver, deadline, kj::mv(done)});
  return id;
}

std::optional<ReplyBox::Done> ReplyBox::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  auto node = pending_.extract(id);
  if (node.empty()) return std::nullopt;
  return kj::mv(node.mapped().done);
}

void ReplyBox::expire(Deadline now) {
  std::vector<Done> expired;
  {
    const std::lock_guard lock(mutex_);
    if (now < next_expiry_) return;
    next_expiry_ = now + kExpiryInterval;
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (at->second.deadline > now) {
        ++at;
        continue;
      }
      expired.push_back(kj::mv(at->second.done));
      at = pending_.erase(at);
    }
  }
  for (auto& done : expired)
    done(Error{Errc::DEADLINE_EXCEEDED, "no answer came in time", "", true});
}

void ReplyBox::fail_all(const Error& error) {
  std::unordered_map<std::uint64_t, Pending> pending;
  {
    const std::lock_guard lock(mutex_);
    pending.swap(pending_);
  }
  for (auto& [id, waiting] : pending) waiting.done(error);
}

void ReplyBox::fail_all_of(const Fenced& fenced) {
  std::vector<Done> lost;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (at->second.receiver != fenced.actor) {
        ++at;
        continue;
      }
      lost.push_back(kj::mv(at->second.done));
      at = pending_.erase(at);
    }
  }
  for (auto& done : lost) done(fenced_error(fenced));
}

void ReplyBox::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  if (element->content().match_elements<Fenced>())
    return fail_all_of(element->content().get_as<Fenced>(0));
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
  fail_all({Errc::UNAVAILABLE, "the asker was closed", "", true});
  cleanup(std::move(reason), context);
}

}  // namespace symphony::runtime
