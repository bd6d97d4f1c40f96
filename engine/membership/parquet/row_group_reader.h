#pragma once

#include <string>
#include <vector>

#include "engine/membership/parquet/column_stream.h"
#include "engine/membership/parquet/export_layout.h"
#include "engine/membership/person_source.h"

namespace audiencesync::parquet {

/// The columns of one row group that matter.
struct GroupChunks {
  std::uint64_t rows = 0;
  std::uint64_t first_row = 0;  // of the file's rows
  ColumnChunk person;
  ColumnChunk spaces;
  ColumnChunk audiences;
  ColumnChunk statuses;
};

/// Which row group: of which file, and how its columns are found.
struct RowGroupPlace {
  const Path& path;
  const ExportLayout& layout;
  const GroupChunks& chunks;
};

/// Hands the rows of one row group to a sink. What a membership means is looked up once for each entry of the
/// dictionaries; the rest are small numbers.
///
/// Errors: Io; Corrupt, without the file's name, unless the columns agree about the rows; those of the sink.
class RowGroupReader {
 public:
  /// All must outlive this.
  RowGroupReader(FileReader& file, const RowGroupPlace& place, const MembershipMeaning& meaning, PersonSink& sink);

  Result<void> read();

 private:
  Result<void> read_memberships();
  Result<void> begin_row();
  Result<void> begin_space(std::uint8_t repeated, std::uint8_t audience_level);
  void end_row();
  Result<void> flush();
  std::uint32_t space_number(std::string_view name);
  Error disagree() const;

  const Path& path_;
  const ExportLayout& layout_;
  const GroupChunks& chunks_;
  const MembershipMeaning& meaning_;
  PersonSink& sink_;
  std::vector<std::string> spaces_seen_;
  std::vector<std::vector<std::uint8_t>> allowed_;  // by number of the space, then of the audience
  ColumnStream people_;
  ColumnStream spaces_;
  ColumnStream audiences_;
  ColumnStream statuses_;
  std::uint32_t no_status_;
  const std::uint8_t* here_ = nullptr;  // of allowed_: audiences that count below the current space
  PersonBatch batch_;
  std::string_view person_;
  bool in_row_ = false;
  std::uint64_t rows_ = 0;
  std::uint64_t flushed_ = 0;  // of them: handed on
};

}  // namespace audiencesync::parquet
