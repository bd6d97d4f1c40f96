#include "engine/manifest/manifest_fields.h"

#include "engine/manifest/field_checks.h"

namespace audiencesync {
namespace {

constexpr auto kRequired = Presence::Required;
constexpr auto kLater = Availability::Later;
constexpr std::string_view kSlugPattern = "^[a-z0-9][a-z0-9-]{0,62}$";

Field identity_field() {
  return {
      .name = "identity",
      .type = FieldType::Map,
      .presence = kRequired,
      .example = "{ field: _demoemea.identification.core.email, namespace: Email }",
      .help = "The person id that is written next to each audience; the event data of the report must use the same.",
      .fields = {
          {.name = "field",
           .presence = kRequired,
           .example = "_demoemea.identification.core.email",
           .help = "Path of the person id in the profile, from its root, joined by dots.",
           .pattern = "^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$",
           .check = check_field_path},
          {.name = "namespace",
           .presence = kRequired,
           .example = "Email",
           .help = "Code of the identity namespace of this id.",
           .pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
           .check = check_namespace_code},
          {.name = "normalize",
           .type = FieldType::Choice,
           .fallback = "none",
           .help = "What is done to an id before it is compared and written; must equal how the event data write "
                   "it. ASCII rules only.",
           .choices = {{"none"}, {"trim"}, {"lower"}, {"sha256_lower"}}},
      }};
}

Field cron_field(std::string_view example, std::string_view help) {
  return {.name = "cron", .presence = kRequired, .example = example, .help = help, .check = check_cron};
}

Field window_field(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = FieldType::MapList,
          .fallback = "[]",
          .example = "[{ cron: \"0 20 * * 1-5\", duration: 10h }]",
          .help = help,
          .fields = {cron_field("\"0 20 * * 1-5\"", "When the window begins, written as the schedule is."),
                     {.name = "duration",
                      .type = FieldType::TimeSpan,
                      .presence = kRequired,
                      .example = "10h",
                      .help = "How long it lasts.",
                      .check = check_window_duration},
                     {.name = "timezone",
                      .example = "Europe/Berlin",
                      .help = "Time zone of the expression; default: that of the schedule.",
                      .check = check_timezone}}};
}

Field schedule_field() {
  return {.name = "schedule",
          .type = FieldType::Map,
          .example = "\"0 4 * * *\"",
          .help = "When the daemon runs the sync; without it, it runs only on demand.",
          .fields = {cron_field("\"0 4 * * *\"",
                                "Five fields (minute, hour, day of month, month, day of week) or @hourly, @daily, "
                                "@weekly, @monthly, @yearly."),
                     {.name = "timezone",
                      .fallback = "UTC",
                      .help = "Time zone of the expression, such as Europe/Berlin.",
                      .check = check_timezone},
                     {.name = "jitter",
                      .type = FieldType::TimeSpan,
                      .fallback = "5m",
                      .help = "A run starts up to this long after its time, always the same for one time of one sync, "
                              "so that not all syncs of an hour start at once.",
                      .check = check_jitter},
                     {.name = "window",
                      .type = FieldType::Map,
                      .example = "{ deny: [{ cron: \"0 20 * * 1-5\", duration: 10h }] }",
                      .help = "When a run may begin; what has begun may finish. A time that falls outside is made up "
                              "for when it may begin again.",
                      .fields = {window_field("allow", "With an entry, runs begin only in one of these windows."),
                                 window_field("deny", "No run begins in one of these windows, allowed or not.")}}},
          .shorthand = "cron"};
}

Field audiences_field() {
  return {.name = "audiences",
          .type = FieldType::MapList,
          .presence = kRequired,
          .example = "[{ id: 9e3779b1-1111-4222-8333-00004189374b, name: Luma - Blue+ Members }]",
          .help = "The audiences analysts should see.",
          .fields = {{.name = "id",
                      .example = "9e3779b1-1111-4222-8333-00004189374b",
                      .help = "Id of the audience; wins over the name.",
                      .pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
                      .check = check_audience_id},
                     {.name = "name",
                      .example = "Luma - Blue+ Members",
                      .help = "With an id: the label that is written. Without: the exact name of the audience, which "
                              "is then pinned by its id.",
                      .check = check_label},
                     {.name = "namespace",
                      .fallback = "ups",
                      .help = "Key of the membership map the audience is found under.",
                      .check = check_namespace_code}},
          .one_of_them = {"id", "name"}};
}

Field source_field() {
  return {.name = "source",
          .type = FieldType::Map,
          .example = "{ max_age: 36h }",
          .help = "Where the memberships come from.",
          .fields = {{.name = "from",
                      .type = FieldType::Choice,
                      .fallback = "export-job",
                      .help = "How the profiles are read: by an export job of ours; from the dataset that the platform "
                              "writes each night for the merge policy; or from files on this machine.",
                      .choices = {{"export-job"}, {"profile-snapshot"}, {"files"}}},
                     {.name = "path",
                      .example = "/srv/landing/profiles/*.parquet",
                      .help = "With from: files, where they are: a file, a folder with all below it, or a path with "
                              "* ? [...]; in one of the folders that the settings list as source_folders.",
                      .check = check_source_path},
                     {.name = "merge_policy",
                      .fallback = "default",
                      .help = "Merge policy of the profiles, by name or id; default is the default one of the sandbox.",
                      .check = check_label},
                     {.name = "statuses",
                      .type = FieldType::ChoiceList,
                      .fallback = "[realized, existing]",
                      .help = "States of a membership that count as being in the audience; entered is an old word for "
                              "realized.",
                      .choices = {{"realized"}, {"existing"}, {"entered"}}},
                     {.name = "max_age",
                      .type = FieldType::TimeSpan,
                      .fallback = "36h",
                      .help = "An older export, profile snapshot or file is not used.",
                      .check = check_positive_duration},
                     {.name = "wait_for_evaluation",
                      .type = FieldType::TimeSpan,
                      .fallback = "0s",
                      .example = "2h",
                      .help = "With from: export-job, how long a new export waits for an evaluation of the audiences "
                              "that is newer than the export before; 0s: not at all."}}};
}

Field target_field() {
  return {
      .name = "target",
      .type = FieldType::Map,
      .example = "{ dataset: Loyalty audiences }",
      .help = "The dataset the memberships are written to.",
      .fields = {
          {.name = "layout",
           .type = FieldType::Choice,
           .fallback = "person",
           .help = "Shape of the records; person: one for each person with the list of the audiences, membership: "
                   "one for each person and audience, delimited: one for each person with at most 10 ids in one "
                   "string.",
           .choices = {{"person"}, {"membership"}, {"delimited"}}},
          {.name = "dataset",
           .example = "Loyalty audiences",
           .help = "Name of the dataset; default: 'audiencesync membership: ' and the name of the sync.",
           .check = check_label},
          {.name = "dataset_id",
           .fallback = "null",
           .help = "Takes over an existing dataset; needs an approval.",
           .pattern = "^[A-Za-z0-9-]+$",
           .check = check_dataset_id},
          {.name = "row_rule",
           .type = FieldType::Choice,
           .fallback = "unknown",
           .help = "What Customer Journey Analytics does with the older rows of a person.",
           .choices = {{"unknown"}, {"replace"}, {"accumulate"}}},
          {.name = "upload",
           .type = FieldType::Choice,
           .fallback = "json",
           .help = "What the records are uploaded as: JSON lines, or Parquet files, which are smaller.",
           .choices = {{"json"}, {"parquet"}}},
          {.name = "name_lookup",
           .type = FieldType::Flag,
           .fallback = "false",
           .help =
               "Writes the names of audiences into a lookup dataset and ids only into the records: another name then "
               "changes nobody's record. Not with layout delimited."},
          {.name = "compact_every",
           .type = FieldType::TimeSpan,
           .fallback = "7d",
           .help = "How often everyone is written again and older batches are removed, where older rows of a "
                   "person may stay visible (row_rule other than replace).",
           .check = check_positive_duration},
          {.name = "accept_one_row_per_person",
           .type = FieldType::Flag,
           .fallback = "false",
           .help = "Acknowledges that with layout membership someone in several audiences may be seen in only "
                   "one of them."}}};
}

Field guard_field() {
  return {.name = "guard",
          .type = FieldType::Map,
          .example = "{ max_removals: 10% }",
          .help = "What a run may change without asking.",
          .fields = {{.name = "max_removals",
                      .type = FieldType::Limit,
                      .fallback = "10%",
                      .help = "Memberships that end, of all that are there.",
                      .check = check_share_of_whole},
                     {.name = "max_audience_shrink",
                      .type = FieldType::Limit,
                      .fallback = "50%",
                      .help = "What one audience may lose of its size.",
                      .check = check_share_of_whole},
                     {.name = "max_audience_growth",
                      .type = FieldType::Limit,
                      .fallback = "200%",
                      .help = "What one audience may gain over its size."},
                     {.name = "min_people",
                      .type = FieldType::Integer,
                      .fallback = "100",
                      .help = "Below this many people no limit trips."},
                     {.name = "allow_empty_audience",
                      .type = FieldType::Flag,
                      .fallback = "false",
                      .help = "Whether an audience that had people may become empty."},
                     {.name = "max_bad_rows",
                      .type = FieldType::Limit,
                      .fallback = "0.1%",
                      .help = "Records the platform may reject before the run counts as failed.",
                      .check = check_share_of_whole}}};
}

Field analytics_field() {
  return {.name = "analytics",
          .type = FieldType::Map,
          .example = "{ connection: Luma, data_view: Luma audiences }",
          .help =
              "Where the audiences become visible in Customer Journey Analytics; without it any connection that "
              "has the dataset counts.",
          .fields = {{.name = "connection",
                      .presence = kRequired,
                      .example = "Luma",
                      .help = "Connection the dataset belongs in, by id (dg_...) or exact name.",
                      .check = check_label},
                     {.name = "data_view",
                      .example = "Luma audiences",
                      .help = "Data view with the audiences as dimensions, by id (dv_...) or exact name; one of that "
                              "name is made when there is none.",
                      .check = check_label},
                     {.name = "tolerance",
                      .type = FieldType::Limit,
                      .fallback = "2%",
                      .help = "Share by which the people of a report may exceed the proven memberships.",
                      .check = check_tolerance},
                     {.name = "lookback",
                      .type = FieldType::TimeSpan,
                      .fallback = "30d",
                      .help = "How far back a report looks, in complete days.",
                      .check = check_positive_duration}}};
}

Field retention_field() {
  return {.name = "retention",
          .type = FieldType::Map,
          .example = "{ history: 30d }",
          .help = "What is kept of past memberships, for members --as-of and rollback.",
          .fields = {{.name = "history",
                      .type = FieldType::TimeSpan,
                      .fallback = "30d",
                      .help = "How far back they can be asked for."},
                     {.name = "generations",
                      .type = FieldType::Integer,
                      .fallback = "100",
                      .help = "How many changes back at most, up to 200; 0 keeps no past.",
                      .check = check_kept_generations},
                     {.name = "size",
                      .type = FieldType::Bytes,
                      .fallback = "5GB",
                      .help = "What they may take on the disk; the oldest go first."}}};
}

FieldTable make_manifest_fields() {
  FieldTable table{
      {.name = "version",
       .type = FieldType::Integer,
       .presence = kRequired,
       .example = "1",
       .help = "Version of this format: 1.",
       .check = check_version},
      {.name = "name",
       .presence = kRequired,
       .example = "luma-loyalty",
       .help = "Name of the sync.",
       .pattern = kSlugPattern,
       .check = check_sync_name},
      {.name = "uid",
       .example = "luma-loyalty",
       .help = "Keys the state and what the sync owns; default: its name. To rename a sync, keep the uid.",
       .pattern = kSlugPattern,
       .check = check_sync_name},
      {.name = "extends", .example = "base.yaml", .help = "File with the keys this one does not have, in this folder."},
      {.name = "mode",
       .type = FieldType::Choice,
       .fallback = "auto",
       .help = "What waits for an approval when nobody is asked: in auto the first plan and changed definitions, in "
               "plan-only every plan.",
       .choices = {{"auto"}, {"plan-only"}}},
      {.name = "organization",
       .fallback = "default",
       .help = "A block of 'organizations' in the settings.",
       .check = check_credential_name},
      {.name = "sandbox",
       .fallback = "prod",
       .help = "Sandbox, by its technical name.",
       .pattern = kSlugPattern,
       .check = check_sandbox_name},
      {.name = "tenant",
       .presence = kRequired,
       .example = "_demoemea",
       .help = "Tenant field of the organisation: '_' and the tenant id.",
       .pattern = "^_[A-Za-z0-9][A-Za-z0-9_]*$",
       .check = check_tenant},
      identity_field(),
      schedule_field(),
      audiences_field(),
      source_field(),
      target_field(),
      {.name = "engine",
       .type = FieldType::Choice,
       .fallback = "local",
       .help = "Where memberships are compared. local: on this machine. query-service: by the platform, with batch "
               "queries, so that no row leaves it; needs their licence.",
       .choices = {{"local"}, {"query-service"}}},
      analytics_field(),
      guard_field(),
      retention_field(),
  };
  for (const auto* later : {"publish", "activate", "journey_optimizer", "notify"}) {
    table.push_back({.name = later, .availability = kLater});
  }
  return table;
}

}  // namespace

const FieldTable& manifest_fields() {
  static const FieldTable table = make_manifest_fields();
  return table;
}

}  // namespace audiencesync
