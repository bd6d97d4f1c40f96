#include "engine/manifest/credentials.h"

#include <fmt/format.h>

#include <vector>

#include "engine/base/json.h"
#include "engine/manifest/field_checks.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

constexpr std::uint64_t kMaxCredentialBytes = 64 * 1024;

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char character : text) {
    if (character != ' ') out += character;
  }
  return out;
}

/// What must not be in an HTTP header or form is not in a credential either: a stray line end is the usual accident.
Result<void> check_credential_text(std::string_view what, std::string_view text, const std::string& place) {
  if (text.empty()) {
    return Error(ErrorCode::Invalid, fmt::format("credential {}: {} is missing or empty; copy it from the Developer "
                                                 "Console",
                                                 place, what));
  }
  if (has_control_character(text) || text.find(' ') != std::string_view::npos) {
    return Error(ErrorCode::Invalid, fmt::format("credential {}: {} has blanks or line breaks; copy it again without "
                                                 "them",
                                                 place, what));
  }
  return {};
}

Result<Credential> checked(Credential credential, const std::string& place) {
  TRY(check_credential_text("client_id", credential.client_id, place));
  TRY(check_credential_text("client_secret", credential.client_secret.reveal(), place));
  credential.scopes = without_blanks(credential.scopes);
  if (credential.scopes.empty()) credential.scopes = kDefaultScopes;
  return credential;
}

Result<Credential> parse_credential(std::string_view text, const Path& path) {
  const auto json = parse_json(text);
  const auto place = path.string();
  // The parser's own message is left out: it might quote the content.
  const auto malformed = [&] {
    return Error(ErrorCode::Invalid,
                 fmt::format("credential {} is not as expected; write {{\"client_id\": \"...\", \"client_secret\": "
                             "\"...\"}} and, if needed, \"scopes\": \"a,b\"",
                             place));
  };
  if (!json.ok() || !json->is_object()) return malformed();
  for (const auto& [key, value] : *json->object_if()) {
    const bool known = key == "client_id" || key == "client_secret" || key == "scopes";
    if (!known || !value.is_string()) return malformed();
  }
  Credential credential;
  credential.client_id = json->text("client_id");
  credential.client_secret = Secret(json->text("client_secret"));
  if (json->find("scopes") != nullptr) credential.scopes = json->text("scopes");
  return checked(std::move(credential), place);
}

Result<QueryCredential> parse_query_credential(std::string_view text, const Path& path) {
  const auto json = parse_json(text);
  const auto place = path.string();
  if (!json.ok() || !json->is_object()) {
    return Error(ErrorCode::Invalid,
                 fmt::format("credential {} is not as expected; put the file there that Query Service gave when the "
                             "credential was made, with \"technicalAccountId\" and \"credential\"",
                             place));
  }
  const auto account = json->text("technicalAccountId");
  const Secret secret(json->text("credential"));
  TRY(check_credential_text("technicalAccountId", account, place));
  TRY(check_credential_text("credential", secret.reveal(), place));
  return QueryCredential{Secret(account + ":" + secret.reveal())};
}

/// Reads the file; its bytes are forgotten with what is returned.
Result<Secret> read_credential(const Files& files, const Path& path) {
  const auto size = TRY(files.size(path));
  if (size > kMaxCredentialBytes) {
    return Error(ErrorCode::Invalid, fmt::format("credential {} has {} bytes, far more than a credential; check that "
                                                 "it is the right file",
                                                 path.string(), size));
  }
  auto bytes = TRY(files.read(path));
  return Secret(std::move(bytes));
}

/// Refuses a file that others on this machine can read. Asks the disk itself because Files knows no modes; a file
/// that is not on the disk (tests) has none.
Result<void> check_private(const Path& path) {
  using std::filesystem::perms;
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (failure || status.type() == std::filesystem::file_type::not_found) return {};
  const auto shared = perms::group_read | perms::group_write | perms::others_read | perms::others_write;
  if ((status.permissions() & shared) == perms::none) return {};
  return Error(ErrorCode::Permission,
               fmt::format("credential {} can be read or changed by other users (mode {:04o}); run: chmod 600 {}",
                           path.string(), static_cast<unsigned>(status.permissions() & perms::mask), path.string()));
}

std::string variable_stem(std::string_view name) {
  std::string stem = "AUDIENCESYNC_";
  for (const char character : name) {
    const bool lower = character >= 'a' && character <= 'z';
    stem += lower ? static_cast<char>(character - 'a' + 'A') : (character == '-' ? '_' : character);
  }
  return stem;
}

Result<Credential> credential_of_environment(const Environment& environment, const std::string& stem, std::string id,
                                             std::string secret) {
  Credential credential;
  credential.client_id = std::move(id);
  credential.client_secret = Secret(std::move(secret));
  if (auto scopes = environment(stem + "_SCOPES")) credential.scopes = std::move(*scopes);
  return checked(std::move(credential), "of the variables " + stem + "_CLIENT_ID and _CLIENT_SECRET");
}

/// The first place that has something.
Result<std::optional<Path>> find_credential_file(const Files& files, const Environment& environment,
                                                 const Path& settings_folder, std::string_view name,
                                                 std::vector<std::string>& looked_at) {
  if (const auto complaint = check_credential_name(name)) {
    return Error(ErrorCode::Invalid, fmt::format("credential {} {}", shown(name), *complaint));
  }
  if (const auto folder = environment("CREDENTIALS_DIRECTORY"); folder && !folder->empty()) {
    for (const auto& path :
         {Path(*folder) / std::string(name), Path(*folder) / ("audiencesync_" + std::string(name))}) {
      if (files.exists(path)) return std::optional(path);
      looked_at.push_back(path.string());
    }
  } else {
    looked_at.push_back("$CREDENTIALS_DIRECTORY (not set)");
  }
  const Path path = settings_folder / "credentials" / std::string(name);
  if (files.exists(path)) {
    TRY(check_private(path));
    return std::optional(path);
  }
  looked_at.push_back(path.string());
  return std::optional<Path>();
}

}  // namespace

Result<Credential> find_credential(const Files& files, const Environment& environment, const Path& settings_folder,
                                   std::string_view name) {
  std::vector<std::string> looked_at;
  if (const auto path = TRY(find_credential_file(files, environment, settings_folder, name, looked_at))) {
    const auto text = TRY(read_credential(files, *path));
    return parse_credential(text.reveal(), *path);
  }
  const auto stem = variable_stem(name);
  auto id = environment(stem + "_CLIENT_ID");
  auto secret = environment(stem + "_CLIENT_SECRET");
  if (id || secret) {
    return credential_of_environment(environment, stem, std::move(id).value_or(""), std::move(secret).value_or(""));
  }
  looked_at.push_back(fmt::format("the variables {}_CLIENT_ID and {}_CLIENT_SECRET", stem, stem));
  return Error(ErrorCode::Authentication,
               fmt::format("credential {} was not found; looked at {}; write {{\"client_id\": \"...\", "
                           "\"client_secret\": \"...\"}} into {} with mode 0600",
                           shown(name), fmt::join(looked_at, ", "),
                           (settings_folder / "credentials" / std::string(name)).string()));
}

Result<QueryCredential> find_query_credential(const Files& files, const Environment& environment,
                                              const Path& settings_folder, std::string_view name) {
  std::vector<std::string> looked_at;
  if (const auto path = TRY(find_credential_file(files, environment, settings_folder, name, looked_at))) {
    const auto text = TRY(read_credential(files, *path));
    return parse_query_credential(text.reveal(), *path);
  }
  return Error(ErrorCode::Authentication,
               fmt::format("credential {} of Query Service was not found; looked at {}; put the file that Query "
                           "Service gave to {} with mode 0600",
                           shown(name), fmt::join(looked_at, ", "),
                           (settings_folder / "credentials" / std::string(name)).string()));
}

}  // namespace audiencesync
