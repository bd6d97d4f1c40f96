#include "engine/manifest/field_checks.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/files.h"
#include "engine/manifest/scalar_values.h"
#include "engine/manifest/secret_scan.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

using Complaint = std::optional<std::string>;

constexpr std::string_view kLowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kLettersAndDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool only(std::string_view text, std::string_view first, std::string_view more) {
  const auto allowed = [&](char character) {
    return first.find(character) != std::string_view::npos || more.find(character) != std::string_view::npos;
  };
  return std::all_of(text.begin(), text.end(), allowed);
}

bool starts_in(std::string_view text, std::string_view characters) {
  return !text.empty() && characters.find(text.front()) != std::string_view::npos;
}

/// What is left of a text when every character that a slug may not have becomes a hyphen.
std::string slug_of(std::string_view text) {
  std::string slug;
  for (const char character : text) {
    const bool upper = character >= 'A' && character <= 'Z';
    const char lower = upper ? static_cast<char>(character - 'A' + 'a') : character;
    const bool fits = kLowerAndDigits.find(lower) != std::string_view::npos;
    if (fits) slug += lower;
    if (!fits && !slug.empty() && slug.back() != '-') slug += '-';
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug.substr(0, 63);
}

Complaint slug_complaint(std::string_view text, std::string_view fallback) {
  const bool fits = starts_in(text, kLowerAndDigits) && only(text, kLowerAndDigits, "-") && text.size() <= 63;
  if (fits) return std::nullopt;
  const auto slug = slug_of(text);
  return fmt::format(
      "must be 1 to 63 lower-case letters, digits and hyphens, starting with a letter or digit; write "
      "for example {}",
      slug.empty() ? fallback : slug);
}

}  // namespace

Complaint check_version(std::string_view text) {
  if (text == "1") return std::nullopt;
  return "is not a version this program reads; write 1, or use a newer program";
}

Complaint check_sync_name(std::string_view text) { return slug_complaint(text, "luma-loyalty"); }

Complaint check_sandbox_name(std::string_view text) { return slug_complaint(text, "prod"); }

Complaint check_tenant(std::string_view text) {
  constexpr std::string_view kAdvice =
      "it is '_' and the tenant id that Experience Platform shows under Schemas, for example _demoemea";
  if (!text.starts_with('_')) {
    const bool word = !text.empty() && only(text, kLettersAndDigits, "_");
    if (word) return fmt::format("must start with '_'; write _{}", text);
    return fmt::format("is not a tenant field; {}", kAdvice);
  }
  const bool fits = text.size() > 1 && text.size() <= 64 && starts_in(text.substr(1), kLettersAndDigits) &&
                    only(text, kLettersAndDigits, "_");
  if (!fits) return fmt::format("is not a tenant field; {}", kAdvice);
  return std::nullopt;
}

Complaint check_field_path(std::string_view text) {
  constexpr std::string_view kAdvice =
      "is not a field path; write the names from the root of the profile joined by dots, for example "
      "_demoemea.identification.core.email";
  std::size_t start = 0;
  while (true) {
    const auto dot = text.find('.', start);
    const auto part = text.substr(start, dot == std::string_view::npos ? dot : dot - start);
    const bool fits = !part.empty() && !starts_in(part, "0123456789") && only(part, kLettersAndDigits, "_");
    if (!fits || text.size() > 512) return std::string(kAdvice);
    if (dot == std::string_view::npos) return std::nullopt;
    start = dot + 1;
  }
}

Complaint check_namespace_code(std::string_view text) {
  const bool fits = starts_in(text, kLettersAndDigits) && only(text, kLettersAndDigits, "_.-") && text.size() <= 255;
  if (fits) return std::nullopt;
  return "is not a namespace code; write letters, digits, '_', '.' and '-', for example Email";
}

Complaint check_audience_id(std::string_view text) {
  const bool fits = starts_in(text, kLettersAndDigits) && only(text, kLettersAndDigits, "_.:-") && text.size() <= 255;
  if (fits) return std::nullopt;
  return "is not an audience id; write the id that Experience Platform shows for the audience, for example "
         "9e3779b1-1111-4222-8333-00004189374b, or leave it out and give the exact name";
}

Complaint check_dataset_id(std::string_view text) {
  const bool fits = !text.empty() && only(text, kLettersAndDigits, "-") && text.size() <= 64;
  if (fits) return std::nullopt;
  return "is not a dataset id; write the id that Experience Platform shows for the dataset, for example "
         "64f0c1d2e3a4b5c6d7e8f901";
}

Complaint check_label(std::string_view text) {
  constexpr std::size_t kLongestName = 255;
  if (text.empty()) return "is empty; write the name, or remove the key";
  if (has_control_character(text)) return "has a line break or another control character; write it in one line";
  if (text.front() == ' ' || text.back() == ' ') return "has blanks at its start or end; remove them";
  const auto characters = count_characters(text);
  if (characters > kLongestName) {
    return fmt::format("has {} characters; at most {} are possible, shorten it", characters, kLongestName);
  }
  return std::nullopt;
}

Complaint check_timezone(std::string_view text) {
  const bool fits = starts_in(text, kLettersAndDigits) && only(text, kLettersAndDigits, "_+-/") && text.size() <= 64 &&
                    !text.ends_with('/') && text.find("//") == std::string_view::npos;
  if (fits) return std::nullopt;
  return "is not a time zone; write UTC or a name such as Europe/Berlin";
}

Complaint check_share_of_whole(std::string_view text) {
  const auto limit = parse_limit(text);
  if (limit && limit->share.value_or(0) > 1) return "is more than all of them; write at most 100%";
  return std::nullopt;
}

Complaint check_tolerance(std::string_view text) {
  const auto limit = parse_limit(text);
  if (limit && (limit->count || !limit->share)) return "is not a share; write a percentage, such as 2%";
  return check_share_of_whole(text);
}

Complaint check_positive_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  if (duration && duration->count() == 0) return "is no time at all; write more than zero";
  return std::nullopt;
}

Complaint check_jitter(std::string_view text) {
  const auto duration = parse_duration(text);
  if (duration && *duration > std::chrono::hours(24)) return "is more than a day; write at most 24h";
  return std::nullopt;
}

Complaint check_window_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  if (duration && *duration > std::chrono::hours(24 * 366)) return "is more than a year; write at most 366d";
  return check_positive_duration(text);
}

Complaint check_path(std::string_view text) {
  if (text.empty() || has_control_character(text)) return "is not a path; write a folder of this machine";
  if (text.find("://") != std::string_view::npos) return "is a URL; write a folder of this machine";
  return std::nullopt;
}

Complaint check_source_path(std::string_view text) {
  if (const auto complaint = check_path(text)) return complaint;
  const Path path(text);
  if (!path.is_absolute()) return "is not absolute; write the whole path, from / on";
  const bool climbs = std::any_of(path.begin(), path.end(), [](const Path& part) { return part == ".."; });
  if (climbs) return "has '..' in it; write the path without";
  return std::nullopt;
}

Complaint check_organization_id(std::string_view text) {
  constexpr std::string_view kSuffix = "@AdobeOrg";
  const auto id = text.substr(0, text.size() - std::min(text.size(), kSuffix.size()));
  const bool fits = text.ends_with(kSuffix) && !id.empty() && only(id, kLettersAndDigits, "_-");
  if (fits) return std::nullopt;
  return "is not an organisation id; write the id that ends in @AdobeOrg, for example 0123456789ABCDEF@AdobeOrg";
}

Complaint check_credential_name(std::string_view text) {
  const bool fits = starts_in(text, kLettersAndDigits) && only(text, kLettersAndDigits, "_-") && text.size() <= 64;
  if (fits) return std::nullopt;
  return "is not the name of a credential; write letters, digits, '_' and '-', for example adobe: the file with the "
         "secret has this name";
}

Complaint check_endpoint(std::string_view text) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  const bool secure = text.starts_with(kHttps);
  if (!secure && !text.starts_with(kHttp)) return "is not a URL; write https:// and the host";
  auto authority = text.substr(secure ? kHttps.size() : kHttp.size());
  while (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.empty() || !only(authority, kLettersAndDigits, ".-:[]")) {
    return "must be a scheme, a host and perhaps a port, without path, user or query; write for example "
           "https://platform.adobe.io";
  }
  const bool bracketed = authority.starts_with('[');
  const auto colon = bracketed ? authority.find("]:") : authority.find(':');
  const auto port_start = bracketed && colon != std::string_view::npos ? colon + 2 : colon + 1;
  const auto host = authority.substr(0, colon == std::string_view::npos ? colon : (bracketed ? colon + 1 : colon));
  if (colon != std::string_view::npos) {
    const auto port = parse_count(authority.substr(port_start));
    if (!port || *port == 0 || *port > 65535) return "has a port that is not in 1 to 65535; correct it";
  }
  const bool loopback = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
  if (!secure && !loopback) return "would send tokens unencrypted; write https:// (http:// is for loopback only)";
  return std::nullopt;
}

Complaint check_variable_name(std::string_view text) {
  const bool fits = !text.empty() && !starts_in(text, "0123456789") && only(text, kLettersAndDigits, "_");
  if (!fits) return "is not the name of an environment variable; write letters, digits and '_', for example REGION";
  if (names_a_secret_variable(text)) {
    return "is named like a credential, which a manifest may not use; put it into the credential file, or rename the "
           "variable";
  }
  return std::nullopt;
}

Complaint check_memory(std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (bytes && *bytes < 64'000'000) return "is too little to work with; write at least 64MB";
  return std::nullopt;
}

Complaint check_kept_generations(std::string_view text) {
  const auto count = parse_count(text);
  if (count && *count > 200) return "is more than can be read back within the memory; write at most 200";
  return std::nullopt;
}

Complaint check_some_bytes(std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (bytes && *bytes < 1000) return "is too little to send anything; write at least 1KB";
  return std::nullopt;
}

Complaint check_upload_file(std::string_view text) {
  if (const auto bytes = parse_bytes(text); bytes && *bytes >= 256'000'000)
    return "is more than the platform takes in one file; write less than 256MB";
  return check_some_bytes(text);
}

Complaint check_batch_files(std::string_view text) {
  if (text == "0") return "is not possible: a batch has files; write at least 1";
  return std::nullopt;
}

// From 1, without leading zeros.
static bool is_number_up_to(std::string_view text, std::string_view most) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && text.front() != '0' && (text.size() < most.size() || (text.size() == most.size() && text <= most));
}

Complaint check_exports_per_sandbox(std::string_view text) {
  if (text == "1") return std::nullopt;
  return "is not possible: the platform runs one export at a time in a sandbox; write 1";
}

Complaint check_runs(std::string_view text) {
  if (is_number_up_to(text, "64")) return std::nullopt;
  return "is not possible; write a number from 1 to 64";
}

Complaint check_rate(std::string_view text) {
  if (is_number_up_to(text, "1000")) return std::nullopt;
  return "is not possible; write a number from 1 to 1000";
}

Complaint check_ip_address(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const std::string address(text);
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return std::nullopt;
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return std::nullopt;
  return "is not an IP address; write one without a port, for example 192.0.2.7";
}

Complaint check_port(std::string_view text) {
  if (is_number_up_to(text, "65535")) return std::nullopt;
  return "is not possible; write a number from 1 to 65535";
}

Complaint check_attempts(std::string_view text) {
  if (is_number_up_to(text, "100")) return std::nullopt;
  return "is not possible; write a number from 1 to 100";
}

}  // namespace audiencesync
