// Compiled by generator_test: whole, with a handler missing, with one too many, and with a wait
// that must not be.
#include "tests/messages/schemas/garden.protocol.hpp"

namespace symphony {

using protocol::Garden;

class Gardener : public Garden::Handlers {
 public:
  void plant_seed(Call<Garden::PlantSeed> call) override {
    if (call->getSeeds().size() == 0)
      return call.fail({Errc::INVALID_ARGUMENT, "nothing to plant", "seeds"});
    call.reply();
  }
#ifndef MISSING
  void count(Call<Garden::Count> call) override {
    call.reply([](auto response) { response.setCount(7); });
  }
#endif
  void watch(Call<Garden::Watch> call) override { call.reply(); }
  void rain(Notice<Garden::Rain> notice) override { fallen += notice->getMillimetres(); }
  void hail(Notice<Garden::Hail>) override {}
  void cancel(Call<Garden::Cancel> call) override { call.reply(); }
#ifdef EXTRA
  void mow(Call<Garden::Count> call) override { call.reply(); }
#endif
  double fallen = 0;
};

bool tend(Asker& asker, WaitingAsker& thread, Incoming incoming) {
  const Ref<Garden> garden{asker};
  garden.count().then([](const auto&) {});
  if (!WaitingRef<Garden>{thread}.count().get()) return false;
#ifdef COMPONENT_WAITS
  if (!garden.count().get()) return false;
#endif
  // A method called cancel and the cancellation of an ask live side by side.
  auto correlation = garden.cancel().then([](const auto&) {});
  garden.cancel(correlation);
  const Status told = garden.rain([](auto rain) { rain.setMillimetres(2); });
  // What every component has.
  garden.health().within(std::chrono::seconds{1}).then([](const auto&) {});
  Gardener gardener;
  return told.ok() && Garden::dispatch(gardener, std::move(incoming));
}

}  // namespace symphony
