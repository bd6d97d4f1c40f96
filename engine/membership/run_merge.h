#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/membership/row_stream.h"

namespace audiencesync {

/// Several sorted streams as one: every person once, with the union of their audiences.
class RunMerge {
 public:
  static Result<RunMerge> start(std::vector<std::unique_ptr<RowStream>> streams);

  /// Null at the end. The row is valid until the next call.
  Result<const DesiredRow*> next();

 private:
  struct Node {
    std::uint64_t hash;
    RowStream* stream;
  };
  RunMerge() = default;
  static bool before(const Node& left, const Node& right);
  void sink(std::size_t at);
  Result<void> advance_top();
  bool is_top(const Node& other) const;

  std::vector<std::unique_ptr<RowStream>> streams_;
  std::vector<Node> heap_;      // of streams that have a row, smallest first
  bool top_was_given_ = false;  // its row is with the caller, so it must not move yet
  DesiredRow merged_;
  std::string person_;
};

}  // namespace audiencesync
