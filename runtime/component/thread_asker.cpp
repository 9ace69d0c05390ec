#include "runtime/component/thread_asker.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/make_actor.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/component/caf_types.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {
namespace {

// The answer one thread waits for; shared, since the thread may give up first.
struct Waiting {
  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<Result<Words>> answer;
};

}  // namespace

ThreadAsker::ThreadAsker(caf::actor_system& system, const Services& services, Pump pump)
    : services_(services), pump_(std::move(pump)) {
  caf::actor_config config;
  const auto box =
      caf::make_actor<ReplyBox, caf::actor>(system.next_actor_id(), system.node(), &system, config);
  box_actor_ = caf::actor_cast<caf::strong_actor_ptr>(box);
  box_ = static_cast<ReplyBox*>(caf::actor_cast<caf::abstract_actor*>(box));
  services.fences.tell(caf::weak_actor_ptr{box_actor_.get()});
}

ThreadAsker::~ThreadAsker() { box_->kill_proxy(nullptr, caf::exit_reason::user_shutdown); }

Deadline ThreadAsker::now() const { return services_.clocks.mono(); }

std::unique_ptr<Target> ThreadAsker::resolve(std::string_view name) {
  return std::make_unique<LocalTarget>(services_.registry, name);
}

std::uint64_t ThreadAsker::ask(Target& target, Envelope request, Deadline deadline, AskDone done) {
  const Deadline sent = now();
  box_->expire(sent);
  if (deadline == kNoDeadline) deadline = sent + services_.ask_timeout;
  const Address& address = static_cast<LocalTarget&>(target).address();
  auto id = box_->expect(address.id(), deadline, done);
  if (!id) {
    done(id.error());
    return 0;
  }
  request.header.correlation = *id;
  request.header.sender = box_actor_->id();
  request.header.deadline = deadline;
  request.header.sent = sent;
  const auto mid = message_id_of(request.header, *id);
  const Status status =
      address ? address.inbox->offer(std::move(request), box_actor_, mid, nullptr)
              : Status{Error{Errc::UNAVAILABLE, "nobody answers to " + target.name(), "", true}};
  if (status) return *id;
  if (auto refused = box_->take(*id)) (*refused)(status.error());
  return *id;
}

Result<Words> ThreadAsker::ask_and_wait(Target& target, Envelope request, Deadline deadline) {
  if (deadline == kNoDeadline) deadline = now() + services_.ask_timeout;
  auto waiting = std::make_shared<Waiting>();
  const auto id = ask(target, std::move(request), deadline, [waiting](Result<Words> answer) {
    const std::lock_guard lock(waiting->mutex);
    waiting->answer.emplace(std::move(answer));
    waiting->arrived.notify_one();
  });
  if (pump_) {
    pump_(
        [&] {
          const std::lock_guard lock(waiting->mutex);
          return waiting->answer.has_value();
        },
        deadline);
  }
  std::unique_lock lock(waiting->mutex);
  if (!pump_)
    waiting->arrived.wait_until(lock, deadline, [&] { return waiting->answer.has_value(); });
  if (waiting->answer) return std::move(*waiting->answer);
  lock.unlock();
  (void)box_->take(id);
  return Error{Errc::DEADLINE_EXCEEDED, target.name() + " did not answer in time", "", true};
}

Status ThreadAsker::tell(Target& target, Envelope notice) {
  notice.header.sender = box_actor_->id();
  notice.header.sent = now();
  const Header header = notice.header;
  const Address& address = static_cast<LocalTarget&>(target).address();
  Status status =
      address ? address.inbox->offer(std::move(notice), nullptr, message_id_of(header), nullptr)
              : Status{Error{Errc::UNAVAILABLE, "nobody answers to " + target.name(), "", true}};
  if (!status) services_.dead_letters.record(target.name(), header, status.error().message);
  return status;
}

void ThreadAsker::cancel(Target& target, std::uint64_t correlation) {
  auto done = box_->take(correlation);
  if (!done) return;
  Envelope envelope;
  envelope.header.kind = Kind::cancel;
  envelope.header.correlation = correlation;
  (void)tell(target, std::move(envelope));
  (*done)(Error{Errc::CANCELLED, "the request was cancelled"});
}

}  // namespace symphony::runtime
