#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "daemon/plans/plan_server.h"
#include "engine/base/json.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

Result<void> check_name(const std::string& name) {
  const Path path(name);
  const bool stays = !name.empty() && name.size() <= 512 && !path.is_absolute() && !has_control_character(name) &&
                     name.find('\\') == std::string::npos &&
                     std::none_of(path.begin(), path.end(),
                                  [](const Path& part) { return part == ".." || part.string().starts_with('.'); });
  const bool yaml = path.extension() == ".yaml" || path.extension() == ".yml";
  if (stays && yaml) return {};
  return Error(
      ErrorCode::Invalid,
      fmt::format("{} cannot be the name of a manifest here; send a relative path that ends in .yaml", shown(name)));
}

}  // namespace

Result<PlanRequest> read_plan_request(const std::string& body, const std::string& content_type, const std::string& name,
                                      const std::string& format) {
  PlanRequest request;
  request.format = format.empty() ? "text" : format;
  if (request.format != "text" && request.format != "json" && request.format != "markdown") {
    return Error(ErrorCode::Invalid, fmt::format("format {} is not known; use text, json or markdown", shown(format)));
  }
  if (!content_type.starts_with("application/json")) {
    const auto file = name.empty() ? std::string("manifest.yaml") : name;
    TRY(check_name(file));
    request.files[file] = body;
    request.manifests = {file};
    return request;
  }
  const auto value = TRY(parse_json(body).in("the request"));
  const auto* files = value.find("files");
  if (files == nullptr || files->object_if() == nullptr || files->object_if()->size() > kMostPlanFiles) {
    return Error(ErrorCode::Invalid, fmt::format("the request needs 'files', at most {}: {{\"luma.yaml\": \"version: "
                                                 "1...\"}}",
                                                 kMostPlanFiles));
  }
  for (const auto& [file, text] : *files->object_if()) {
    TRY(check_name(file));
    if (text.string_if() == nullptr) return Error(ErrorCode::Invalid, fmt::format("files.{} is no text", shown(file)));
    request.files[file] = *text.string_if();
  }
  for (const auto& each : value.items("manifests")) {
    const auto* file = each.string_if();
    if (file == nullptr || !request.files.contains(*file)) {
      return Error(ErrorCode::Invalid, "'manifests' names something that is not in 'files'");
    }
    request.manifests.push_back(*file);
  }
  if (request.manifests.empty()) return Error(ErrorCode::Invalid, "the request names no 'manifests' to plan");
  return request;
}

bool same_token(const std::string& shown_token, const Secret& expected) {
  const auto& wanted = expected.reveal();
  // The length is no secret; what is in it is.
  if (wanted.empty() || shown_token.size() != wanted.size()) return false;
  return CRYPTO_memcmp(shown_token.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace audiencesync
