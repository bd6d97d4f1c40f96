#include "daemon/person_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "daemon/platform_calls.h"
#include "daemon/version.h"
#include "engine/base/server_time.h"
#include "engine/http/gateway.h"
#include "engine/http/token.h"
#include "engine/manifest/credentials.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/landed_files.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/snapshot.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/data_access.h"

namespace audiencesync {
namespace {

// Somebody waits at a terminal: what a run would retry for minutes is said sooner.
constexpr Duration kPatience{20'000};

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty()) parts.push_back(std::move(part));
  }
  return parts;
}

std::string lower_word(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  return out;
}

/// A client that can only read, with nothing of the sync's folders.
class ReadingClient {
 public:
  ReadingClient(const Adapters& adapters, const Settings& settings, const Organization& organization,
                const Credential& credential, const std::string& sandbox, std::stop_token stop)
      : transport_(adapters, organization),
        server_time_(adapters.clock),
        limiter_(adapters.rate_limits, adapters.clock),
        tokens_(transport_.get(), adapters.clock, organization.endpoints.ims,
                {credential.client_id, credential.client_secret, split_at_commas(credential.scopes)},
                token_options(adapters, settings)),
        core_({transport_.get(), tokens_, limiter_, adapters.clock, server_time_, nullptr},
              {organization.endpoints.platform, organization.endpoints.analytics},
              {organization.organization_id, sandbox}, core_options(adapters, settings)),
        reader_(core_, adapters.files, std::move(stop)) {}

  http::ReadClient& reader() { return reader_; }

 private:
  static http::RetryPolicy patience(const Adapters& adapters, const Settings& settings) {
    auto policy = retry_policy(adapters, settings);
    policy.total = std::min(policy.total, kPatience);
    return policy;
  }
  static http::TokenOptions token_options(const Adapters& adapters, const Settings& settings) {
    http::TokenOptions options;
    options.retry = patience(adapters, settings);
    options.user_agent = fmt::format("audiencesync/{}", kVersion);
    return options;
  }
  static http::CoreOptions core_options(const Adapters& adapters, const Settings& settings) {
    http::CoreOptions options;
    options.retry = patience(adapters, settings);
    options.deadline = settings.timing.deadline_request;
    options.version = kVersion;
    return options;
  }

  OrganizationTransport transport_;
  ServerTime server_time_;
  http::RateLimiter limiter_;
  http::TokenSource tokens_;
  http::Core core_;
  http::Reader reader_;
};

/// Looks for one person in one file after the other.
class ExportSearch {
 public:
  explicit ExportSearch(const ExportQuestion& question)
      : question_(question), rule_(person_rule_of(question.manifest)) {
    if (const auto* identity = question.manifest.find("identity")) {
      columns_ = {identity->text("field"), identity->text("namespace")};
    }
    for (const auto& entry : question.manifest.items("audiences")) {
      namespaces_.emplace_back(entry.text("id"), lower_word(entry.text("namespace")));
    }
    if (const auto* source = question.manifest.find("source")) {
      for (const auto& word : source->items("statuses"))
        if (const auto* text = word.string_if()) counting_.push_back(*text);
    }
  }

  Result<void> look_into(const Files& files, const Path& file) {
    DuckdbPersonSource unusual(DuckdbOptions{.work_folder = question_.folder});
    FilePersonSource source(files, unusual);
    TRY(source.read({file}, columns_, [&](const SourceRow& row) -> Result<void> {
      std::string_view person;
      if (apply_person_rule(rule_, row.person, space_, person) != PersonProblem::None) return {};
      if (person == question_.person.reveal()) add(row);
      return {};
    }));
    return {};
  }

  PersonInExport take() && { return std::move(found_); }

 private:
  // Rows of one person are united: a status that counts wins over one that does not.
  void add(const SourceRow& row) {
    found_.found = true;
    for (const auto& membership : *row.memberships) {
      if (!lives_in(membership.audience, membership.membership_namespace)) continue;
      auto& status = found_.statuses[std::string(membership.audience)];
      if (status.empty() || !counts(status)) status = lower_word(membership.status);
    }
  }

  bool counts(const std::string& status) const {
    return std::find(counting_.begin(), counting_.end(), status) != counting_.end();
  }

  // An audience that the manifest names by its id is looked for below its own key only.
  bool lives_in(std::string_view audience, std::string_view membership_namespace) const {
    const auto found = std::find_if(namespaces_.begin(), namespaces_.end(),
                                    [&](const auto& each) { return !each.first.empty() && each.first == audience; });
    return found == namespaces_.end() || found->second == lower_word(membership_namespace);
  }

  const ExportQuestion& question_;
  PersonRule rule_;
  SourceColumns columns_;
  std::vector<std::pair<AudienceId, std::string>> namespaces_;
  std::vector<std::string> counting_;
  PersonInExport found_;
  std::string space_;
};

Result<std::vector<platform::DataFile>> files_of_batches(http::ReadClient& client, const std::string& batches) {
  std::vector<platform::DataFile> all;
  std::vector<std::string> holders;
  for (const auto& id : split_at_commas(batches)) {
    auto batch = TRY(platform::get_batch(client, id));
    if (!batch) return Error(ErrorCode::NotFound, fmt::format("export batch {} is no longer in the catalog", id));
    const auto holder = TRY(platform::current_holder(client, std::move(*batch)));
    // Two batches may have been consolidated into one: its rows are read once.
    if (std::find(holders.begin(), holders.end(), holder.id) != holders.end()) continue;
    holders.push_back(holder.id);
    auto files = TRY(platform::list_data_files(client, holder.id));
    std::move(files.begin(), files.end(), std::back_inserter(all));
  }
  return all;
}

Result<PersonInExport> search_batches(const Adapters& adapters, http::ReadClient& client,
                                      const ExportQuestion& question) {
  ExportSearch search(question);
  const auto files = TRY(files_of_batches(client, question.batches));
  std::uint64_t total = 0;
  for (const auto& file : files) total += file.length;
  std::uint64_t done = 0;
  const Path target = question.folder / "export.parquet";
  for (const auto& file : files) {
    TRY(platform::download_data_file(client, file, target).in(fmt::format("export batches {}", question.batches)));
    TRY(search.look_into(adapters.files, target));
    TRY(adapters.files.remove(target));
    done += file.length;
    adapters.events.progress("reading the export", done, total, "bytes");
  }
  return std::move(search).take();
}

// The files of a landing zone, as long as they are those that the run read.
Result<PersonInExport> search_landed(const Adapters& adapters, const std::string& path,
                                     const ExportQuestion& question) {
  const auto landed = TRY(landed_files(adapters.files, path));
  if (landed.id() != question.batches) {
    return Error(ErrorCode::NotFound, fmt::format("the files at {} are not those of that run any more", path));
  }
  ExportSearch search(question);
  std::uint64_t done = 0;
  for (const auto& file : landed.files) {
    TRY(search.look_into(adapters.files, file.path));
    done += file.bytes;
    adapters.events.progress("reading the profiles", done, landed.bytes(), "bytes");
  }
  return std::move(search).take();
}

}  // namespace

PersonRule person_rule_of(const Value& manifest) {
  const auto* identity = manifest.find("identity");
  const auto word = identity == nullptr ? std::string{} : identity->text("normalize");
  if (word == "trim") return PersonRule::Trim;
  if (word == "lower") return PersonRule::Lower;
  return word == "sha256_lower" ? PersonRule::Sha256Lower : PersonRule::AsIs;
}

Result<PersonInSnapshot> find_in_snapshot(const Files& files, const Path& snapshot, const PersonId& person) {
  const auto reader = TRY(SnapshotReader::open(files, snapshot));
  const auto hash = person_hash(person.reveal());
  reader->seek({hash, hash});
  PersonInSnapshot found;
  SnapshotRow row;
  while (TRY(reader->next(row))) {
    if (row.person != person.reveal()) continue;
    found.found = true;
    for (const auto rank : row.audiences) found.audiences.push_back(reader->dictionary().entry(rank).id);
    // One audience under two names, before and after it was renamed, is one.
    found.audiences.erase(std::unique(found.audiences.begin(), found.audiences.end()), found.audiences.end());
  }
  return found;
}

Result<PersonInExport> find_in_export(const Adapters& adapters, const Settings& settings,
                                      const ExportQuestion& question, std::stop_token stop) {
  const auto* source = question.manifest.find("source");
  if (source != nullptr && source->text("from") == to_string(SourceFrom::Files)) {
    return search_landed(adapters, source->text("path"), question);
  }
  const auto name = question.manifest.text("organization");
  const auto organization = settings.organizations.find(name);
  if (organization == settings.organizations.end()) {
    return Error(ErrorCode::Invalid, fmt::format("organization '{}' is not in the settings ({})", name, settings.file));
  }
  const auto credential =
      TRY(find_credential(adapters.files, adapters.environment, settings.folder, organization->second.credential));
  ReadingClient client(adapters, settings, organization->second, credential, question.manifest.text("sandbox"), stop);
  TRY(adapters.files.remove(question.folder));
  TRY(adapters.files.make_folder(question.folder));
  auto found = search_batches(adapters, client.reader(), question);
  // The files hold person ids.
  TRY(adapters.files.remove(question.folder));
  return found;
}

}  // namespace audiencesync
