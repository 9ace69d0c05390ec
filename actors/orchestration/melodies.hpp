// `/orchestration/melodies`: checking melodies, and what they can be made of.
#pragma once

#include "actors/orchestration/operator.hpp"
#include "messages/orchestration.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::actors {

class Melodies final : public runtime::ComponentOf<protocol::Melodies> {
 public:
  // `operators` must outlive the component and the node's blocking pool.
  Melodies(runtime::Host& host, const OperatorRegistry& operators)
      : ComponentOf(host), operators_(operators) {}

  void check(Call<protocol::Melodies::Check> call) override;
  void operators(Call<protocol::Melodies::Operators> call) override;

 private:
  const OperatorRegistry& operators_;
};

}  // namespace symphony::actors
