#include "engine/manifest/field_checks.h"
#include "engine/manifest/manifest_fields.h"

namespace audiencesync {
namespace {

Field wait_field(std::string_view name, std::string_view fallback, std::string_view help) {
  return {
      .name = name, .type = FieldType::TimeSpan, .fallback = fallback, .help = help, .check = check_positive_duration};
}

Field endpoints_field() {
  const auto endpoint = [](std::string_view name, std::string_view fallback, std::string_view help) -> Field {
    return {.name = name, .fallback = fallback, .help = help, .pattern = "^https?://[^/]+/*$", .check = check_endpoint};
  };
  return {.name = "endpoints",
          .type = FieldType::Map,
          .example = "{ platform: https://platform.adobe.io }",
          .help = "Base URLs: https, or http on the loopback interface.",
          .fields = {endpoint("ims", "https://ims-na1.adobelogin.com", "Service that issues tokens."),
                     endpoint("platform", "https://platform.adobe.io", "Experience Platform."),
                     endpoint("analytics", "https://cja.adobe.io", "Customer Journey Analytics.")}};
}

Field query_service_field() {
  return {.name = "query_service",
          .type = FieldType::Map,
          .example = "{ port: 5432 }",
          .help =
              "How to reach Query Service, where it is not as the platform says; it certifies itself by the "
              "platform's host name in any case.",
          .fields = {{.name = "credential",
                      .fallback = "null",
                      .example = "query-adobe",
                      .help = "Name of the file with a credential that does not expire; null: the access token is the "
                              "password.",
                      .pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$",
                      .check = check_credential_name},
                     {.name = "address",
                      .fallback = "null",
                      .example = "192.0.2.7",
                      .help = "IP address to connect to, of a tunnel for example; null: the platform's host is looked "
                              "up.",
                      .check = check_ip_address},
                     {.name = "port",
                      .type = FieldType::Integer,
                      .fallback = "null",
                      .example = "5432",
                      .help = "Port to connect to; null: the platform's, which is 80.",
                      .check = check_port}}};
}

Field file_field(std::string_view name, std::string_view example, std::string_view help) {
  return {.name = name, .example = example, .help = help, .check = check_path};
}

Field organizations_field() {
  return {.name = "organizations",
          .type = FieldType::NamedMaps,
          .presence = Presence::Required,
          .example = "default: { organization_id: 0123456789ABCDEF@AdobeOrg, credential: adobe }",
          .help = "Organisations manifests may use, under the names they use.",
          .check = check_credential_name,
          .fields = {{.name = "organization_id",
                      .presence = Presence::Required,
                      .example = "0123456789ABCDEF@AdobeOrg",
                      .help = "Id of the organisation.",
                      .pattern = "^[A-Za-z0-9_-]+@AdobeOrg$",
                      .check = check_organization_id},
                     {.name = "credential",
                      .presence = Presence::Required,
                      .example = "adobe",
                      .help = "Name of the file with client id and secret.",
                      .pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$",
                      .check = check_credential_name},
                     {.name = "sandboxes",
                      .type = FieldType::TextList,
                      .fallback = "[prod]",
                      .help = "Sandboxes manifests may use.",
                      .check = check_sandbox_name},
                     {.name = "ca_file",
                      .fallback = "null",
                      .example = "corporate-ca.pem",
                      .help = "File with certificates (PEM) to trust instead of the system's, for a proxy that opens "
                              "TLS; null: the system's.",
                      .check = check_path},
                     {.name = "rate",
                      .type = FieldType::Integer,
                      .fallback = "20",
                      .help = "Calls of the platform in a second, by all syncs and commands of this machine together.",
                      .check = check_rate},
                     {.name = "analytics_rate",
                      .type = FieldType::Integer,
                      .fallback = "60",
                      .help = "Likewise of Customer Journey Analytics, in a minute.",
                      .check = check_rate},
                     endpoints_field(),
                     query_service_field()}};
}

Field timing_field() {
  return {.name = "timing",
          .type = FieldType::Map,
          .example = "{ poll_export: 60s }",
          .help = "How long to wait.",
          .fields = {wait_field("poll_export", "60s", "Between two looks at an export job."),
                     wait_field("poll_batch", "120s", "Between two looks at a batch."),
                     wait_field("settle", "90s",
                                "After a call without answer, until finding nothing proves that it "
                                "had no effect."),
                     wait_field("deadline_request", "60s", "For one exchange."),
                     wait_field("deadline_export", "12h", "For an export job."),
                     wait_field("deadline_batch", "6h", "For a batch."),
                     wait_field("deadline_run", "24h", "For a whole run."),
                     wait_field("approval_ttl", "24h", "How long a held plan waits for an approval before it lapses."),
                     wait_field("retry_first", "1m",
                                "How long the daemon leaves a sync alone after a run that failed; each further failure "
                                "doubles it."),
                     wait_field("retry_most", "1h", "Where that doubling ends.")}};
}

Field retry_field() {
  return {
      .name = "retry",
      .type = FieldType::Map,
      .example = "{ within: 2m }",
      .help = "How a call of the platform is repeated after a passing fault.",
      .fields = {{.name = "attempts",
                  .type = FieldType::Integer,
                  .fallback = "8",
                  .help = "Attempts in all, the first one included.",
                  .check = check_attempts},
                 wait_field("first", "200ms", "The most the first retry waits; each further one doubles it."),
                 wait_field("most", "30s", "Where that doubling ends. What the platform asks for is waited anyway."),
                 wait_field("within", "5m", "No attempt begins later than this after the call began.")}};
}

Field limits_field() {
  return {.name = "limits",
          .type = FieldType::Map,
          .example = "{ memory: 256MB }",
          .help = "What the program may use.",
          .fields = {{.name = "exports_per_sandbox",
                      .type = FieldType::Integer,
                      .fallback = "1",
                      .help = "Export jobs at a time in one sandbox, of all syncs together: 1. Runs queue for it.",
                      .check = check_exports_per_sandbox},
                     {.name = "runs",
                      .type = FieldType::Integer,
                      .fallback = "2",
                      .help = "Syncs that the daemon runs at the same time; each is a process with the memory below. "
                              "Those that queue for an export do not count.",
                      .check = check_runs},
                     {.name = "ingest_per_hour",
                      .type = FieldType::Bytes,
                      .fallback = "10GB",
                      .help = "What may be ingested into a sandbox in an hour, by all syncs together: a plan shows its "
                              "share of it, and a run waits or goes on later.",
                      .check = check_some_bytes},
                     {.name = "memory",
                      .type = FieldType::Bytes,
                      .fallback = "256MB",
                      .help = "Memory of the whole process.",
                      .check = check_memory},
                     {.name = "disk",
                      .type = FieldType::Bytes,
                      .fallback = "100GB",
                      .help = "What the state folder may hold, with the downloads and uploads of a run; a run that "
                              "needs more ends before it writes more."},
                     {.name = "upload_file",
                      .type = FieldType::Bytes,
                      .fallback = "200MB",
                      .help = "An upload file is kept below this; the platform takes less than 256 MB.",
                      .check = check_upload_file},
                     {.name = "batch",
                      .type = FieldType::Bytes,
                      .fallback = "50GB",
                      .help = "Records of one batch; more are sent in several.",
                      .check = check_some_bytes},
                     {.name = "batch_files",
                      .type = FieldType::Integer,
                      .fallback = "1500",
                      .help = "Files of one batch; more are sent in several.",
                      .check = check_batch_files}}};
}

Field git_field() {
  return {.name = "git",
          .type = FieldType::Map,
          .fallback = "null",
          .example = "{ url: https://git.example.com/analytics/audiences.git }",
          .help = "A branch of a repository, instead of the folder.",
          .fields = {
              {.name = "url",
               .presence = Presence::Required,
               .example = "https://git.example.com/analytics/audiences.git",
               .help = "https://, ssh://, user@host:path, or a repository of this machine by its whole path.",
               .check = check_git_url},
              {.name = "branch", .fallback = "main", .help = "Branch that counts.", .check = check_branch},
              {.name = "path",
               .example = "manifests",
               .help = "Folder in the repository; without it all of it.",
               .check = check_tree_path},
              wait_field("poll", "60s", "Between two looks at the repository."),
              wait_field("deadline", "5m", "For one look at the repository."),
              {.name = "require_signature",
               .type = FieldType::Flag,
               .fallback = "false",
               .help = "Only a commit signed by somebody listed below counts."},
              file_field("allowed_signers", "signers", "Who may sign with an SSH key: a file as ssh-keygen reads it."),
              file_field("keyring", "signers.gpg", "Who may sign with an OpenPGP key: a keyring as gpgv reads it."),
              {.name = "username",
               .fallback = "git",
               .help = "Name shown to the host together with token_file or ssh_key.",
               .check = check_label},
              file_field("token_file", "git-token", "File with the password or token for https."),
              file_field("ssh_key", "deploy-key", "File with the private key for ssh, without a passphrase."),
              file_field("known_hosts", "known_hosts", "Keys of ssh hosts, as of ssh; needed with an ssh address."),
              file_field("ca_file", "company-ca.pem",
                         "Certificates (PEM) of the authorities to trust for https, instead of the system's.")}};
}

Field manifests_field() {
  return {.name = "manifests",
          .type = FieldType::Map,
          .example = "{ folder: /etc/audiencesync/manifests.d }",
          .help = "Where the manifests are.",
          .fields = {{.name = "folder",
                      .fallback = "/etc/audiencesync/manifests.d",
                      .help = "Folder with one file for each sync.",
                      .check = check_path},
                     git_field()}};
}

Field listen_field() {
  return {.name = "listen",
          .type = FieldType::Map,
          .fallback = "null",
          .example = "{ address: 127.0.0.1:8443, token_file: plan-token }",
          .help = "Where the daemon answers `plan --server`; without it nowhere.",
          .fields = {{.name = "address",
                      .presence = Presence::Required,
                      .example = "127.0.0.1:8443",
                      .help = "Host and port; without a certificate only of the loopback interface.",
                      .check = check_listen_address},
                     file_field("certificate", "tls/certificate.pem",
                                "Certificate chain (PEM): with it the answers are encrypted."),
                     file_field("key", "tls/key.pem", "Private key of the certificate (PEM)."),
                     {.name = "token_file",
                      .presence = Presence::Required,
                      .example = "plan-token",
                      .help = "File with the token that a client has to show; read again when it changes.",
                      .check = check_path},
                     wait_field("deadline", "10m", "For one plan."),
                     {.name = "plans",
                      .type = FieldType::Integer,
                      .fallback = "2",
                      .help = "Plans made at a time; who asks for more is told to come back.",
                      .check = check_plans_at_a_time}}};
}

FieldTable make_settings_fields() {
  FieldTable table{
      {.name = "version",
       .type = FieldType::Integer,
       .presence = Presence::Required,
       .example = "1",
       .help = "Version of this format: 1.",
       .check = check_version},
      {.name = "state",
       .fallback = "/var/lib/audiencesync",
       .help = "Folder for everything the program remembers.",
       .check = check_path},
      manifests_field(),
      organizations_field(),
      {.name = "source_folders",
       .type = FieldType::TextList,
       .fallback = "[]",
       .example = "[/srv/landing]",
       .help = "Folders that manifests may read profiles from (source.from: files).",
       .check = check_path},
      timing_field(),
      retry_field(),
      limits_field(),
      {.name = "variables",
       .type = FieldType::TextList,
       .fallback = "[]",
       .help = "Environment variables manifests may use as ${NAME}.",
       .pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
       .check = check_variable_name},
  };
  table.push_back(listen_field());
  for (const auto* later : {"channels", "stages"}) {
    table.push_back({.name = later, .availability = Availability::Later});
  }
  return table;
}

}  // namespace

const FieldTable& settings_fields() {
  static const FieldTable table = make_settings_fields();
  return table;
}

}  // namespace audiencesync
