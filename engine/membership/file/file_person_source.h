#pragma once

#include <memory>

#include "engine/membership/person_source.h"

namespace audiencesync {

/// Reads export files of any format we know, also several of them together: each is told by its first bytes (Parquet's
/// mark, gzip, zstd, an opening brace or bracket), and by its name only where it is empty or begins otherwise.
class FilePersonSource final : public PersonSource {
 public:
  /// `other_parquet` reads Parquet that our own reader does not know. Both must outlive this.
  FilePersonSource(const Files& files, PersonSource& other_parquet);
  ~FilePersonSource() override;

  Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                             const std::function<Result<void>(const SourceRow&)>& each) override;
  std::size_t lanes(std::size_t cores) const override { return cores; }
  Result<void> read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                            const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) override;

 private:
  struct Split {
    std::vector<Path> json;
    std::vector<Path> parquet;
  };
  Result<Split> split(const std::vector<Path>& files) const;

  const Files& files_;
  std::unique_ptr<PersonSource> json_;
  std::unique_ptr<PersonSource> parquet_;
};

}  // namespace audiencesync
