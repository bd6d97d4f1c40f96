#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace audiencesync {

// Checks of single values for the field tables. Each answers nullopt, or the end of a sentence that starts with the
// key and the value and says what to write instead.

std::optional<std::string> check_version(std::string_view text);
std::optional<std::string> check_sync_name(std::string_view text);
std::optional<std::string> check_sandbox_name(std::string_view text);
std::optional<std::string> check_tenant(std::string_view text);
std::optional<std::string> check_field_path(std::string_view text);
std::optional<std::string> check_namespace_code(std::string_view text);
std::optional<std::string> check_audience_id(std::string_view text);
std::optional<std::string> check_dataset_id(std::string_view text);
/// Names people read: of audiences, datasets and merge policies.
std::optional<std::string> check_label(std::string_view text);
std::optional<std::string> check_cron(std::string_view text);
std::optional<std::string> check_timezone(std::string_view text);
/// For limits that cannot pass 100%.
std::optional<std::string> check_share_of_whole(std::string_view text);
/// For a share alone, without an absolute number.
std::optional<std::string> check_tolerance(std::string_view text);
std::optional<std::string> check_positive_duration(std::string_view text);
std::optional<std::string> check_jitter(std::string_view text);
std::optional<std::string> check_window_duration(std::string_view text);

/// Each kept generation is an open file of a reader that must stay within its memory.
std::optional<std::string> check_kept_generations(std::string_view text);

std::optional<std::string> check_path(std::string_view text);
std::optional<std::string> check_source_path(std::string_view text);
std::optional<std::string> check_organization_id(std::string_view text);
std::optional<std::string> check_credential_name(std::string_view text);
std::optional<std::string> check_endpoint(std::string_view text);
std::optional<std::string> check_variable_name(std::string_view text);
std::optional<std::string> check_some_bytes(std::string_view text);
std::optional<std::string> check_upload_file(std::string_view text);
std::optional<std::string> check_batch_files(std::string_view text);
std::optional<std::string> check_memory(std::string_view text);
std::optional<std::string> check_git_url(std::string_view text);
std::optional<std::string> check_branch(std::string_view text);
/// A folder in a repository: relative, without `..`.
std::optional<std::string> check_tree_path(std::string_view text);
/// `host:port`, `[address]:port`.
std::optional<std::string> check_listen_address(std::string_view text);
std::optional<std::string> check_plans_at_a_time(std::string_view text);
std::optional<std::string> check_attempts(std::string_view text);
std::optional<std::string> check_exports_per_sandbox(std::string_view text);
std::optional<std::string> check_runs(std::string_view text);
std::optional<std::string> check_rate(std::string_view text);
std::optional<std::string> check_ip_address(std::string_view text);
std::optional<std::string> check_port(std::string_view text);

}  // namespace audiencesync
