#pragma once

#include <map>
#include <string>

#include "engine/base/files.h"
#include "engine/manifest/manifest.h"

namespace audiencesync {

/// Texts of files by path, as given to `read`.
using ManifestTexts = std::map<std::string, std::string>;

/// Reads and checks a manifest as load_manifest does, and keeps what was read in `texts`.
Loaded<Manifest> load_manifest_recorded(const Files& files, const Path& path, const ManifestRules& rules,
                                        ManifestTexts& texts);

/// A disk that holds these texts and nothing else, to read only.
class TextFiles : public Files {
 public:
  /// `texts` outlives it.
  explicit TextFiles(const ManifestTexts& texts) : texts_(texts) {}

  Result<std::string> read(const Path& path) const override;
  Result<std::uint64_t> size(const Path& path) const override;
  bool exists(const Path& path) const override { return texts_.contains(path.string()); }
  Result<Path> real(const Path& path) const override { return path; }
  Result<FileFacts> facts(const Path& path) const override;
  Result<std::vector<std::string>> list(const Path&) const override { return std::vector<std::string>{}; }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override;
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override;
  Result<void> write_atomic(const Path& path, std::string_view) override;
  Result<void> rename(const Path& from, const Path&) override;
  Result<void> remove(const Path& path) override;
  Result<void> make_folder(const Path& path) override;

 private:
  const ManifestTexts& texts_;
};

/// The manifest of texts that were kept; the disk is not looked at.
Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules);

/// The same, and what was read of them is kept in `read`.
Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules,
                                  ManifestTexts& read);

}  // namespace audiencesync
