// Runs as they are on disk, kept in memory for whoever pages through them.
//
// The first look at a run reads its inputs; every later one only what was written since, so that a
// page costs what it shows. The least recently used are dropped.
//
// Blocks on storage. Thread-safe; those who look at one run wait for each other.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/dag/dag_store.hpp"

namespace symphony::actors {

class RunImages {
 public:
  static constexpr std::size_t kImagesMax = 16;
  // Of all images together; one image is kept whatever its size.
  static constexpr std::size_t kNodesMax = 4'000'000;

  struct View {
    const StoredRun& run;
    const CriticalPath& critical_path;
    const std::vector<bool>& critical;  // by node
    const runtime::ReadTxn& txn;        // in which the run is what `run` says
  };

  explicit RunImages(const DagStore& store) : store_(store) {}

  const DagStore& store() const noexcept { return store_; }
  // Shows the run to `look`. NOT_FOUND, DATA_CORRUPT, or what `look` gives.
  Result<Words> look(std::string_view run, const std::function<Result<Words>(const View&)>& look);

 private:
  struct Image {
    explicit Image(std::string_view of) : run(of) {}
    const std::string run;
    std::mutex mutex;  // over what follows
    std::optional<StoredRun> stored;
    std::uint64_t measured = 0;  // the sequence of what follows
    CriticalPath critical_path;
    std::vector<bool> critical;
    std::size_t nodes = 0;  // under the mutex of all
  };

  std::shared_ptr<Image> image_of(std::string_view run);
  Status bring_up_to_date(Image& image, const runtime::ReadTxn& txn) const;
  void note_size(const std::shared_ptr<Image>& image, std::size_t nodes);
  void drop(const std::shared_ptr<Image>& image);

  const DagStore store_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Image>> images_;  // most recently used first
};

}  // namespace symphony::actors
