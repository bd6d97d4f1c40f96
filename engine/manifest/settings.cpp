#include "engine/manifest/settings.h"

#include <set>

#include <fmt/format.h>

#include "engine/manifest/field_checks.h"
#include "engine/manifest/field_reader.h"
#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/secret_scan.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

void read_endpoint(const FieldReader& map, std::string_view key, std::string& url) {
  map.read(key, url);
  while (url.ends_with('/')) url.pop_back();
}

void read_path(const FieldReader& map, std::string_view key, const Path& folder, Path& path) {
  // An absolute path stays what it is.
  if (const auto text = map.text(key)) path = (folder / *text).lexically_normal();
}

Organization read_organization(const YamlEntry& entry, const Path& folder) {
  Organization organization;
  organization.place = entry.place;
  const FieldReader map(&entry.value);
  map.read("organization_id", organization.organization_id);
  map.read("credential", organization.credential);
  const auto sandboxes = map.items("sandboxes");
  if (!sandboxes.empty()) organization.sandboxes.clear();
  for (const auto* item : sandboxes) organization.sandboxes.push_back(item->text);
  read_path(map, "ca_file", folder, organization.ca_file);
  map.read_count("rate", organization.rate);
  map.read_count("analytics_rate", organization.analytics_rate);
  const auto endpoints = map.map("endpoints");
  read_endpoint(endpoints, "ims", organization.endpoints.ims);
  read_endpoint(endpoints, "platform", organization.endpoints.platform);
  read_endpoint(endpoints, "analytics", organization.endpoints.analytics);
  const auto query_service = map.map("query_service");
  query_service.read("credential", organization.query_service.credential);
  query_service.read("address", organization.query_service.address);
  query_service.read_count("port", organization.query_service.port);
  return organization;
}

Timing read_timing(const FieldReader& map) {
  Timing timing;
  map.read("poll_export", timing.poll_export);
  map.read("poll_batch", timing.poll_batch);
  map.read("settle", timing.settle);
  map.read("deadline_request", timing.deadline_request);
  map.read("deadline_export", timing.deadline_export);
  map.read("deadline_batch", timing.deadline_batch);
  map.read("deadline_run", timing.deadline_run);
  map.read("approval_ttl", timing.approval_ttl);
  map.read("retry_first", timing.retry_first);
  map.read("retry_most", timing.retry_most);
  return timing;
}

CallRetry read_retry(const FieldReader& map) {
  CallRetry retry;
  map.read_count("attempts", retry.attempts);
  map.read("first", retry.first);
  map.read("most", retry.most);
  map.read("within", retry.within);
  return retry;
}

Limits read_limits(const FieldReader& map) {
  Limits limits;
  map.read_count("exports_per_sandbox", limits.exports_per_sandbox);
  map.read_count("runs", limits.runs);
  map.read_bytes("ingest_per_hour", limits.ingest_per_hour);
  map.read_bytes("memory", limits.memory);
  map.read_bytes("disk", limits.disk);
  map.read_bytes("upload_file", limits.upload_file);
  map.read_bytes("batch", limits.batch);
  map.read_count("batch_files", limits.batch_files);
  return limits;
}

void read_git(const FieldReader& root, const Path& folder, Settings& settings) {
  const auto* node = root.map("manifests").node("git");
  if (node == nullptr) return;
  const FieldReader map(node);
  GitManifests git;
  map.read("url", git.url);
  map.read("branch", git.branch);
  map.read("path", git.path);
  while (git.path.ends_with('/')) git.path.pop_back();
  map.read("poll", git.poll);
  map.read("deadline", git.deadline);
  map.read("require_signature", git.require_signature);
  read_path(map, "allowed_signers", folder, git.allowed_signers);
  read_path(map, "keyring", folder, git.keyring);
  map.read("username", git.username);
  read_path(map, "token_file", folder, git.token_file);
  read_path(map, "ssh_key", folder, git.ssh_key);
  read_path(map, "known_hosts", folder, git.known_hosts);
  read_path(map, "ca_file", folder, git.ca_file);
  settings.git = std::move(git);
}

void read_listen(const FieldReader& root, const Path& folder, Settings& settings) {
  const auto* node = root.node("listen");
  if (node == nullptr) return;
  const FieldReader map(node);
  Listen listen;
  if (const auto address = map.text("address"); address && !check_listen_address(*address)) {
    const auto colon = address->rfind(':');
    listen.host = address->substr(0, colon);
    if (listen.host.starts_with('[')) listen.host = listen.host.substr(1, listen.host.size() - 2);
    listen.port = static_cast<std::uint16_t>(*parse_count(address->substr(colon + 1)));
  }
  read_path(map, "certificate", folder, listen.certificate);
  read_path(map, "key", folder, listen.key);
  read_path(map, "token_file", folder, listen.token_file);
  map.read("deadline", listen.deadline);
  map.read_count("plans", listen.plans);
  settings.listen = std::move(listen);
}

Settings read_settings(const FieldReader& root, const Path& path) {
  Settings settings;
  settings.file = path.string();
  settings.folder = path.parent_path();
  read_path(root, "state", settings.folder, settings.state);
  read_path(root.map("manifests"), "folder", settings.folder, settings.manifests_folder);
  read_git(root, settings.folder, settings);
  read_listen(root, settings.folder, settings);
  if (const auto* organizations = root.node("organizations")) {
    for (const auto& entry : organizations->entries) {
      settings.organizations.emplace(entry.key, read_organization(entry, settings.folder));
    }
  }
  for (const auto* item : root.items("source_folders")) {
    const Path folder(item->text);
    settings.source_folders.push_back((folder.is_absolute() ? folder : settings.folder / folder).lexically_normal());
  }
  settings.timing = read_timing(root.map("timing"));
  settings.retry = read_retry(root.map("retry"));
  settings.limits = read_limits(root.map("limits"));
  for (const auto* item : root.items("variables")) settings.variables.push_back(item->text);
  return settings;
}

/// Everything under a deadline must have a chance to be looked at before it.
void check_deadlines(const Timing& timing, const FieldReader& root, Problems& problems) {
  const auto map = root.map("timing");
  const auto check = [&](std::string_view poll, Duration every, std::string_view deadline, Duration after) {
    if (every < after) return;
    problems.invalid(map.node(poll) != nullptr ? map.place(poll) : map.place(deadline),
                     fmt::format("timing.{} '{}' is not shorter than timing.{} '{}'; make it shorter", poll,
                                 duration_text(every), deadline, duration_text(after)));
  };
  check("poll_export", timing.poll_export, "deadline_export", timing.deadline_export);
  check("poll_batch", timing.poll_batch, "deadline_batch", timing.deadline_batch);
}

void check_git(const Settings& settings, const FieldReader& root, Problems& problems) {
  if (!settings.git) return;
  const auto manifests = root.map("manifests");
  const auto map = manifests.map("git");
  const auto& git = *settings.git;
  if (manifests.node("folder") != nullptr) {
    problems.invalid(
        manifests.place("folder"),
        "manifests.folder and manifests.git are both there, and manifests come from one place; remove one");
  }
  if (git.require_signature && git.allowed_signers.empty() && git.keyring.empty()) {
    problems.invalid(map.place("require_signature"),
                     "manifests.git.require_signature needs to know who may sign; add allowed_signers (SSH keys) or "
                     "keyring (OpenPGP keys)");
  }
  if (!git.require_signature && (!git.allowed_signers.empty() || !git.keyring.empty())) {
    problems.invalid(map.place(git.keyring.empty() ? "allowed_signers" : "keyring"),
                     "manifests.git says who may sign, but signatures are not looked at; add require_signature: true, "
                     "or remove the key");
  }
  const bool web = git.url.starts_with("https://") || git.url.starts_with("http://");
  const bool local = git.url.starts_with("/") || git.url.starts_with("file://");
  if (!git.token_file.empty() && !web) {
    problems.invalid(map.place("token_file"), "manifests.git.token_file is for https:// only; use ssh_key with ssh");
  }
  if (!git.ca_file.empty() && !git.url.starts_with("https://")) {
    problems.invalid(map.place("ca_file"), "manifests.git.ca_file is for https:// only; use known_hosts with ssh");
  }
  if (!check_git_url(git.url) && !web && !local && (git.ssh_key.empty() || git.known_hosts.empty())) {
    problems.invalid(map.place("url"),
                     fmt::format("manifests.git.url {} needs ssh_key, the file of a private key, and known_hosts, the "
                                 "keys its host may have; add both",
                                 shown(git.url)));
  }
}

void check_listen(const Settings& settings, const FieldReader& root, Problems& problems) {
  if (!settings.listen || settings.listen->host.empty()) return;
  const auto& listen = *settings.listen;
  const auto map = root.map("listen");
  if (listen.certificate.empty() != listen.key.empty()) {
    problems.invalid(map.place(listen.key.empty() ? "certificate" : "key"),
                     "listen.certificate and listen.key belong together; add the other one");
  }
  const bool loopback = listen.host == "localhost" || listen.host == "127.0.0.1" || listen.host == "::1";
  if (listen.certificate.empty() && !loopback) {
    problems.invalid(map.place("address"),
                     fmt::format("listen.address {} would take tokens unencrypted; add certificate and key, or listen "
                                 "on 127.0.0.1",
                                 shown(map.text("address").value_or(listen.host))));
  }
}

}  // namespace

Loaded<Settings> load_settings(const Files& files, const Path& path) {
  Problems problems;
  Settings settings;
  auto text = read_yaml_file(files, path);
  if (!text.ok()) {
    const auto& error = text.error();
    problems.add(Error(error.code(), error.message()).at(error.place().value_or(Place{path.string(), 0, 0})));
    return conclude(std::move(settings), std::move(problems));
  }
  if (auto tree = parse_yaml(*text, path.string(), problems)) {
    refuse_secrets(*tree, "settings file", problems);
    check_fields(*tree, settings_fields(), "", problems);
    const FieldReader root(&*tree);
    settings = read_settings(root, path);
    check_deadlines(settings.timing, root, problems);
    check_git(settings, root, problems);
    check_listen(settings, root, problems);
  }
  return conclude(std::move(settings), std::move(problems));
}

ManifestRules manifest_rules(const Settings& settings, const Environment& environment) {
  ManifestRules rules;
  for (const auto& name : settings.variables) rules.variables.emplace(name, environment(name));
  rules.organizations.emplace();
  for (const auto& [name, organization] : settings.organizations) {
    rules.organizations->emplace(name, organization.sandboxes);
  }
  rules.source_folders = settings.source_folders;
  return rules;
}

Value settings_json_schema() {
  return json_schema("audiencesync settings", "How audiencesync reaches the platform and what it may use.",
                     settings_fields());
}

}  // namespace audiencesync
