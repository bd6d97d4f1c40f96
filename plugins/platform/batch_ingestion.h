#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/http/client.h"
#include "plugins/platform/batch.h"

namespace audiencesync::platform {

/// What the files of a batch are.
enum class BatchFormat { JsonLines, Parquet };

/// A batch to open: any bad row fails the whole batch and is diagnosed.
struct NewBatch {
  BatchFormat format = BatchFormat::JsonLines;
  std::string dataset;
  std::string external_id;  // finds it again when the answer is lost
  std::map<std::string, std::vector<std::string>> tags;
};

/// Opens a batch (status `loading`). Not repeatable: look for `external_id` first.
/// Errors: Unknown when it may have been opened.
Result<Batch> create_batch(http::WriteClient& client, const NewBatch& batch);

/// One file of a batch on our disk; it must not change while it is sent.
struct BatchUpload {
  std::string batch;
  std::string dataset;
  std::string name;  // flat, within the batch
  Path path;
  std::uint64_t bytes = 0;  // less than 256 MB
};

/// Puts one file, replacing an earlier one of that name: repeatable until the batch is completed.
Result<void> put_file(http::WriteClient& client, const Files& files, const BatchUpload& upload);

/// Hands the batch over for processing. Repeatable; a batch that is already past `loading` may answer Rejected or
/// Conflict, so after an error its status in the catalog decides.
Result<void> complete_batch(http::WriteClient& client, const std::string& batch);
/// Drops a batch that was not completed. A terminal batch answers Rejected.
Result<void> abort_batch(http::WriteClient& client, const std::string& batch);
/// Takes back the rows of a finished batch. Asynchronous: it is done when the catalog shows it `inactive`.
Result<void> revert_batch(http::WriteClient& client, const std::string& batch);

}  // namespace audiencesync::platform
