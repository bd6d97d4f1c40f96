#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/platform/fake_world.h"

namespace audiencesync {

/// A membership engine whose changeset is a list of people, all of them entering.
class FakeMemberships final : public Memberships {
 public:
  Result<Bulk> compare(const RelationSpec&, const SourceRef& source, const BaseRef& base, std::stop_token) override {
    ++compared;
    if (when_compared) when_compared();
    if (failure) return *failure;
    Bulk bulk = answer;
    bulk.source = source.id;
    bulk.base = base.content.value_or("");
    return bulk;
  }
  Digest question(const RelationSpec&, const SourceRef&, const BaseRef&) const override { return {}; }
  bool holds(const Bulk&) const override { return whole; }

  /// The candidate names those whose records are in the dataset once this upload is.
  Result<Upload> encode(const RelationSpec& spec, const Bulk&, const EncodeOptions& options, const Path& folder,
                        std::stop_token) override {
    ++encoded;
    if (failure) return *failure;
    Upload upload;
    std::string text;
    auto last = options.rows.last;
    for (std::size_t i = 0; i < everyone.size(); ++i) {
      const auto line = fmt::format(R"({{"_id":"i","personID":"{}","{}":{{"audienceSyncGeneration":{}}}}})",
                                    everyone[i], spec.tenant, options.generation) +
                        "\n";
      const bool sent = i >= options.rows.first && !options.leave_out.contains(PersonId(everyone[i]));
      if (sent && i < last && upload.people > 0 && text.size() + line.size() > options.most_bytes) last = i;
      if (i >= last || options.leave_out.contains(PersonId(everyone[i]))) continue;
      upload.candidate += everyone[i] + " ";
      if (!sent) continue;
      text += line;
      ++upload.records;
      ++upload.people;
    }
    upload.last = last;
    if (upload.records == 0) return upload;
    const auto path = folder / "part-00000.jsonl";
    UploadPart part{path, "part-00000.jsonl", path, text.size(), upload.records};
    TRY(files_.write_atomic(part.path, text));
    upload.parts.push_back(std::move(part));
    return upload;
  }
  Result<std::vector<ChangedRow>> sample(const Bulk&, std::size_t) override { return std::vector<ChangedRow>(); }
  Result<std::unique_ptr<MemberReader>> members(const Digest&) override { return unused(); }
  Result<std::vector<AudiencePeople>> people(const Digest&) override { return unused(); }
  Result<std::string> shape(const Digest&) override { return std::string("person"); }
  Result<std::uint64_t> holders(const Digest&) override { return in_an_audience; }
  Result<void> check(const Digest&) override { return unused(); }
  Result<KeptDelta> keep_delta(const DeltaRequest& request, std::stop_token) override {
    deltas.push_back(request);
    if (delta_failure) return *delta_failure;
    return KeptDelta{"delta of " + request.after, !request.forgotten.empty()};
  }
  Result<std::unique_ptr<PastMembers>> past(const PastRef&) override { return unused(); }
  Result<Digest> recall(const PastRef&, std::stop_token) override { return unused(); }
  Result<Digest> erase(const Digest&, const Forgotten&, std::stop_token) override { return unused(); }
  std::optional<std::uint64_t> delta_bytes(const Digest&) const override { return std::nullopt; }
  Result<void> clean(const std::set<Digest>&) override { return unused(); }

  int compared = 0;
  int encoded = 0;
  bool whole = true;  // the files behind every bulk are there
  Bulk answer;
  std::optional<Error> failure;
  std::function<void()> when_compared;
  std::uint64_t in_an_audience = 0;   // of every snapshot
  std::vector<std::string> everyone;  // who changed
  std::vector<DeltaRequest> deltas;   // as asked for
  std::optional<Error> delta_failure;

 private:
  static Error unused() { return Error(ErrorCode::Internal, "not in this test"); }
  PosixFiles files_;
};

/// A work folder of its own for each test, gone afterwards; in memory where the machine has such a place.
class WorkFolder {
 public:
  WorkFolder() {
    const Path memory = "/dev/shm";
    std::error_code none;
    const Path base = std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "audiencesync-stage-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const Path& path() const { return folder_; }

 private:
  Path folder_;
};

}  // namespace audiencesync
