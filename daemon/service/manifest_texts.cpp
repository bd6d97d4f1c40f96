#include "daemon/service/manifest_texts.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

/// A disk of texts: to read only, and holding nothing else.
class TextFiles : public Files {
 public:
  explicit TextFiles(const ManifestTexts& texts) : texts_(texts) {}

  Result<std::string> read(const Path& path) const override {
    const auto found = texts_.find(path.string());
    if (found == texts_.end()) return missing(path);
    return found->second;
  }
  Result<std::uint64_t> size(const Path& path) const override {
    const auto text = TRY(read(path));
    return static_cast<std::uint64_t>(text.size());
  }
  bool exists(const Path& path) const override { return texts_.contains(path.string()); }
  Result<Path> real(const Path& path) const override { return path; }
  Result<FileFacts> facts(const Path& path) const override {
    const auto bytes = TRY(size(path));
    return FileFacts{FileFacts::Kind::File, bytes, 0};
  }
  Result<std::vector<std::string>> list(const Path&) const override { return std::vector<std::string>{}; }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return missing(path); }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override { return read_only(path); }
  Result<void> write_atomic(const Path& path, std::string_view) override { return read_only(path); }
  Result<void> rename(const Path& from, const Path&) override { return read_only(from); }
  Result<void> remove(const Path& path) override { return read_only(path); }
  Result<void> make_folder(const Path& path) override { return read_only(path); }

 private:
  static Error missing(const Path& path) {
    return Error(ErrorCode::NotFound, fmt::format("{}: not among the texts of this manifest", path.string()));
  }
  static Error read_only(const Path& path) {
    return Error(ErrorCode::Internal, fmt::format("{}: texts of a manifest cannot be written", path.string()));
  }

  const ManifestTexts& texts_;
};

/// Passes everything on and keeps what was read.
class RecordingFiles final : public TextFiles {
 public:
  RecordingFiles(const Files& files, ManifestTexts& texts) : TextFiles(texts), files_(files), texts_(texts) {}

  Result<std::string> read(const Path& path) const override {
    auto text = TRY(files_.read(path));
    texts_[path.string()] = text;
    return text;
  }
  Result<std::uint64_t> size(const Path& path) const override { return files_.size(path); }
  bool exists(const Path& path) const override { return files_.exists(path); }
  Result<Path> real(const Path& path) const override { return files_.real(path); }
  Result<FileFacts> facts(const Path& path) const override { return files_.facts(path); }

 private:
  const Files& files_;
  ManifestTexts& texts_;
};

}  // namespace

Loaded<Manifest> load_manifest_recorded(const Files& files, const Path& path, const ManifestRules& rules,
                                        ManifestTexts& texts) {
  const RecordingFiles recording(files, texts);
  return load_manifest(recording, path, rules);
}

Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules) {
  return load_manifest(TextFiles(texts), path, rules);
}

Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules,
                                  ManifestTexts& read) {
  const TextFiles files(texts);
  return load_manifest_recorded(files, path, rules, read);
}

}  // namespace audiencesync
