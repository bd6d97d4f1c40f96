#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// One file of a live batch. (id, name, length) identify its content.
struct DataFile {
  std::string id;    // of the dataset file it belongs to
  std::string name;  // within it: part-00000-….snappy.parquet
  std::uint64_t length = 0;
  http::Request request;  // that reads its bytes
};

/// The files with rows of a batch, in the platform's order; files of zero length and markers (`_SUCCESS`) are left out.
///
/// A dataset file may be a folder with many entries; both levels are read to their end. Links are followed on our own
/// host only. Errors: Corrupt when an entry lacks a name or a length.
Result<std::vector<DataFile>> list_data_files(http::ReadClient& client, const std::string& batch);

/// Puts the bytes of one file into `target` and checks that there are `length` of them.
Result<void> download_data_file(http::ReadClient& client, const DataFile& file, const Path& target);

/// An entry of a folder beside a batch: `meta` (diagnostics) or `failed` (refused input).
struct SideFile {
  std::string name;
  std::uint64_t length = 0;
  http::Request request;
};

enum class SideFolder { Meta, Failed };

/// Entries of such a folder; `path` names one below it ("row_errors"). Empty when there is none.
Result<std::vector<SideFile>> list_side_files(http::ReadClient& client, const std::string& batch, SideFolder folder,
                                              const std::string& path = "");

}  // namespace audiencesync::platform
