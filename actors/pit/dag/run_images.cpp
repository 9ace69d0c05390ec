#include "actors/pit/dag/run_images.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {

Result<Words> RunImages::look(std::string_view run,
                              const std::function<Result<Words>(const View&)>& look) {
  if (Status modern = store_.modernise(run); !modern) return std::move(modern).error();
  const auto image = image_of(run);
  std::size_t nodes = 0;
  Result<Words> words = [&]() -> Result<Words> {
    const std::lock_guard lock(image->mutex);
    auto txn = store_.storage().begin_read();
    if (!txn) return std::move(txn).error();
    if (Status current = bring_up_to_date(*image, *txn); !current) {
      image->stored.reset();
      return std::move(current).error();
    }
    nodes = image->stored->state.node_count();
    return look({*image->stored, image->critical_path, image->critical, *txn});
  }();
  if (nodes == 0)
    drop(image);
  else
    note_size(image, nodes);
  return words;
}

Status RunImages::bring_up_to_date(Image& image, const runtime::ReadTxn& txn) const {
  bool is_new = !image.stored;
  if (!is_new) {
    auto caught_up = store_.catch_up(txn, *image.stored);
    if (!caught_up) return std::move(caught_up).error();
    is_new = !*caught_up;
  }
  if (is_new) {
    auto loaded = store_.load(txn, image.run);
    if (!loaded) return std::move(loaded).error();
    image.stored.emplace(std::move(*loaded));
  }
  if (!is_new && image.measured == image.stored->sequence) return {};
  image.measured = image.stored->sequence;
  image.critical_path = measured_critical_path(image.stored->state);
  image.critical.assign(image.stored->state.node_count(), false);
  for (const NodeId node : image.critical_path.nodes) image.critical[node] = true;
  return {};
}

std::shared_ptr<RunImages::Image> RunImages::image_of(std::string_view run) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(images_.begin(), images_.end(),
                                  [&](const auto& image) { return image->run == run; });
  if (found == images_.end())
    images_.push_front(std::make_shared<Image>(run));
  else
    images_.splice(images_.begin(), images_, found);
  return images_.front();
}

void RunImages::note_size(const std::shared_ptr<Image>& image, std::size_t nodes) {
  const std::lock_guard lock(mutex_);
  image->nodes = nodes;
  std::size_t all = 0;
  for (const auto& each : images_) all += each->nodes;
  while (images_.size() > 1 && (images_.size() > kImagesMax || all > kNodesMax)) {
    all -= images_.back()->nodes;
    images_.pop_back();
  }
}

void RunImages::drop(const std::shared_ptr<Image>& image) {
  const std::lock_guard lock(mutex_);
  images_.remove(image);
}

}  // namespace symphony::actors
