#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// An audience as the platform describes it.
struct Audience {
  std::string id;
  std::string name;
  std::string origin;                   // REAL_TIME_CUSTOMER_PROFILE, CUSTOM_UPLOAD, ...
  std::string audience_namespace;       // AEPSegments, AAM, ...: not the key of the membership map
  std::string lifecycle;                // lower case; "active" of old answers is "published"
  std::string schema;                   // _xdm.context.profile for people
  std::string merge_policy;             // "" when it does not say
  std::optional<std::uint64_t> people;  // of its last evaluation, when it tells
  std::optional<Time> created;
};

/// Why an audience could not be read: the status the platform gave for it.
struct MissingAudience {
  int status = 404;     // 404 or 403
  std::string message;  // the platform's words
};

struct AudienceAnswers {
  std::map<std::string, Audience> found;           // by the id asked for
  std::map<std::string, MissingAudience> missing;  // the others
};

/// Reads audiences by id, a hundred a call; those that the bulk call does not show are asked for one by one.
Result<AudienceAnswers> get_audiences(http::ReadClient& client, const std::vector<std::string>& ids);

/// People audiences of exactly this name, in any lifecycle, sorted by id.
///
/// The platform's filter is "contains" without case, so this reads all its pages. An empty first page is asked for once
/// more, because the platform sometimes answers so although audiences exist.
Result<std::vector<Audience>> audiences_named(http::ReadClient& client, const std::string& name);

/// People audiences whose name contains `part`, at most `most`: for messages that suggest a name.
Result<std::vector<std::string>> names_like(http::ReadClient& client, const std::string& part, std::size_t most);

Audience audience_from(const Value& value);

}  // namespace audiencesync::platform
