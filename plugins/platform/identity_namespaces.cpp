#include "plugins/platform/identity_namespaces.h"

#include "plugins/platform/call.h"

namespace audiencesync::platform {

Result<std::vector<IdentityNamespace>> list_identity_namespaces(http::ReadClient& client) {
  auto answer = TRY(read_json(client, get("/data/core/idnamespace/identities")).in("identity namespaces"));
  const Value::Array* list = answer.array_if();
  if (list == nullptr) return Error(ErrorCode::Corrupt, "the list of identity namespaces is no array; try again later");
  std::vector<IdentityNamespace> namespaces;
  for (const auto& value : *list) {
    IdentityNamespace entry;
    entry.id = id_text(value.find("id"));
    entry.code = value.text("code");
    entry.name = value.text("name");
    entry.type = ascii_lower(value.text("idType"));
    entry.status = value.text("status");
    if (!entry.code.empty()) namespaces.push_back(std::move(entry));
  }
  return namespaces;
}

}  // namespace audiencesync::platform
