// `/foundation/log`: what the node says, read with a cursor, and how much it says.
//
// `next` answers at once when there are records after the cursor. When there are none it waits
// until shortly before the request's deadline and then answers with none, so that a reader that
// follows the log asks once in a few seconds. The log itself knows nothing of readers: it is looked
// at every kPollInterval, and only while somebody waits.
#pragma once

#include <string>
#include <vector>

#include "messages/foundation.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/log/log.hpp"

namespace symphony::actors {

class LogView final : public runtime::ComponentOf<protocol::LogView> {
 public:
  static constexpr std::size_t kRecordsMax = 1000;         // in one answer
  static constexpr std::size_t kAnswerMaxBytes = 4 << 20;  // of text; one record is always taken
  static constexpr std::size_t kWaitersMax = 64;           // further readers: `overloaded`
  static constexpr std::chrono::milliseconds kPollInterval{50};
  // How long before its deadline a request is answered, so that the answer arrives in time; half
  // of what is left when that is less.
  static constexpr std::chrono::milliseconds kMargin{200};
  static constexpr std::chrono::seconds kWaitMax{60};  // whatever the deadline

  explicit LogView(runtime::Host& host);

  // Readers that wait are answered with what there is.
  void drain(runtime::Step step) override;
  void cancelled(const Header& request) override;

  // `invalidArgument` for level `off`, at which nothing is ever logged.
  void next(Call<protocol::LogView::Next> call) override;
  // `notFound` when neither the component nor any below it was ever there.
  void set_level(Call<protocol::LogView::SetLevel> call) override;

 private:
  struct Reader {
    Call<protocol::LogView::Next> call;
    runtime::LogFilter filter;
    std::uint64_t cursor = 0;
    std::uint64_t missed = 0;
    std::size_t max = kRecordsMax;
    runtime::MonoTime give_up_at{};
  };
  // Reads on; true when there is something to answer, which is then answered.
  bool serve(Reader& reader);
  void begin_at_tail(Reader& reader, std::size_t tail);
  void poll();
  // Arms the timer for when the next reader may have to be answered.
  void poll_later();

  runtime::Log& log_;
  std::vector<Reader> waiting_;
  runtime::TimerHandle timer_;
  runtime::MonoTime poll_at_ = runtime::MonoTime::max();  // max: the timer is not armed
};

}  // namespace symphony::actors
