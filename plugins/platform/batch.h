#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace audiencesync::platform {

/// What the platform says about rows it did not take.
struct BatchError {
  std::string code;
  std::string description;
  std::vector<std::string> rows;  // numbers and ranges as written: "1-3"
};

/// A batch of a dataset as the catalog shows it.
struct Batch {
  std::string id;
  std::string status;  // lower case: loading, staging, success, ...
  std::string dataset;
  std::string external_id;
  std::string client;  // that created it
  std::optional<Time> created;
  std::optional<Time> completed;
  std::optional<std::uint64_t> records;         // rows written; unknown until processed
  std::optional<std::uint64_t> failed_records;  // rows refused; unknown when the platform does not say
  std::vector<BatchError> errors;
  std::map<std::string, std::vector<std::string>, std::less<>> tags;
  std::string successor;                  // batch that holds its rows since a consolidation, "" for none
  std::vector<std::string> predecessors;  // batches whose rows this one took over

  /// Values of a tag, empty when it is not there.
  const std::vector<std::string>& tag(std::string_view name) const;
};

/// Promoted: its rows are readable.
bool is_live(const Batch& batch);
/// Files may still be uploaded.
bool is_loading(const Batch& batch);
/// Processing ended without rows: failed, aborted, abandoned.
bool is_failed(const Batch& batch);
/// Was live once, its rows are no longer its own: reverted, replaced, expired or consolidated.
bool is_gone(const Batch& batch);
/// Nothing changes any more, except that a live batch may go. An unknown status is not terminal.
bool is_terminal(const Batch& batch);

/// Reads a catalog batch in any of its spellings.
Batch batch_from(const std::string& id, const Value& value);

/// The platform's reasons in one line: codes and descriptions, "no reason given" when there are none.
std::string reasons_of(const Batch& batch);

}  // namespace audiencesync::platform
