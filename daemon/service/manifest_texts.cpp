#include "daemon/service/manifest_texts.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

Error missing_text(const Path& path) {
  return Error(ErrorCode::NotFound, fmt::format("{}: not among the texts that were kept", path.string()));
}

Error unwritable_text(const Path& path) {
  return Error(ErrorCode::Internal, fmt::format("{}: texts that were kept cannot be written", path.string()));
}

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

Result<std::string> TextFiles::read(const Path& path) const {
  const auto found = texts_.find(path.string());
  if (found == texts_.end()) return missing_text(path);
  return found->second;
}

Result<std::uint64_t> TextFiles::size(const Path& path) const {
  const auto text = TRY(read(path));
  return static_cast<std::uint64_t>(text.size());
}

Result<FileFacts> TextFiles::facts(const Path& path) const {
  const auto bytes = TRY(size(path));
  return FileFacts{FileFacts::Kind::File, bytes, 0};
}

Result<std::unique_ptr<FileReader>> TextFiles::open(const Path& path) const { return missing_text(path); }
Result<std::unique_ptr<FileWriter>> TextFiles::create(const Path& path) { return unwritable_text(path); }
Result<void> TextFiles::write_atomic(const Path& path, std::string_view) { return unwritable_text(path); }
Result<void> TextFiles::rename(const Path& from, const Path&) { return unwritable_text(from); }
Result<void> TextFiles::remove(const Path& path) { return unwritable_text(path); }
Result<void> TextFiles::make_folder(const Path& path) { return unwritable_text(path); }

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
