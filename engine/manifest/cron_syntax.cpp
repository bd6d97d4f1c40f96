#include <fmt/format.h>

#include "engine/manifest/field_checks.h"
#include "engine/manifest/utf8.h"
#include "engine/model/cron_fields.h"

namespace audiencesync {

std::optional<std::string> check_cron(std::string_view text) {
  const auto read = parse_cron(text);
  const auto* problem = std::get_if<CronProblem>(&read);
  if (problem == nullptr) return std::nullopt;
  if (problem->field.empty()) return problem->advice;
  return fmt::format("has {} {} at character {}, {}", problem->field, shown(text.substr(problem->at, problem->length)),
                     problem->at + 1, problem->advice);
}

}  // namespace audiencesync
