#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/secret.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// Manifests somebody wants planned, as texts: nothing of the sender's disk or ours.
struct PlanRequest {
  std::map<std::string, std::string> files;  // by relative path, with what they extend
  std::vector<std::string> manifests;        // of those, the ones to plan
  std::string format = "text";               // text, json or markdown
};

struct PlanAnswer {
  int exit_code = 1;   // of `plan --detailed-exitcode`
  std::string output;  // in the format
  std::string errors;  // what was said beside it
};

inline constexpr std::size_t kMostPlanBytes = 2 * 1024 * 1024;  // of one request
inline constexpr std::size_t kMostPlanFiles = 50;
inline constexpr int kMostPlansPerMinute = 60;

/// Header of an answer with the exit code.
inline constexpr const char* kExitCodeHeader = "Audiencesync-Exit-Code";

/// What the server asks of its owner. All are called from several threads at a time.
struct PlanServices {
  /// Errors end as 504 (Timeout), 422 (Invalid) or 500.
  std::function<Result<PlanAnswer>(const PlanRequest& request, std::stop_token stop)> make;
  /// What a client has to show; read for each request, so that it can be renewed. Errors: 503.
  std::function<Result<Secret>()> token;
  /// Errors: not ready, and why.
  std::function<Result<void>()> ready;
};

/// Reads the body of a request: JSON {"files":{name:text},"manifests":[name]}, or one manifest as it is.
/// `content_type` decides. Errors: Invalid: too many files, a name that leaves its folder or is no YAML file.
Result<PlanRequest> read_plan_request(const std::string& body, const std::string& content_type, const std::string& name,
                                      const std::string& format);

/// Equal in a time that does not depend on where they differ.
bool same_token(const std::string& shown, const Secret& expected);

/// The listener: `POST /api/v1/plans?format=text|json|markdown` with `Authorization: Bearer TOKEN`, `GET /healthz`,
/// `GET /readyz`. At most `listen.plans` plans at a time and kMostPlansPerMinute; more are told to come back.
class PlanServer {
 public:
  /// `patience` is how long a client may take over its request, header and body.
  PlanServer(Listen listen, PlanServices services, Duration patience = std::chrono::seconds(30));
  ~PlanServer();
  PlanServer(const PlanServer&) = delete;
  PlanServer& operator=(const PlanServer&) = delete;

  /// Listens and answers in threads of its own. Gives the port. Errors: Io when the address cannot be had; Invalid when
  /// certificate or key cannot be used.
  Result<int> start();
  /// Plans being made are stopped.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace audiencesync
