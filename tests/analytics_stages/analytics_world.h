#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/platform/fake_world.h"

namespace audiencesync {

inline const char* const kLuma = "dg_0f1c2d3e-0000-4000-8000-000000000001";
inline const char* const kOther = "dg_0f1c2d3e-0000-4000-8000-000000000002";

/// A dataset as a connection lists it, right in every respect; the test changes what it is about.
struct ListedDataset {
  std::string id = "D";
  std::string type = "profile";
  std::string visitor = "personID";
  std::string identity_namespace = "Email";
  bool identity_map = false;
  bool streaming = true;
  std::string backfill = R"({"total":1,"failed":0,"inProgress":0,"completed":1})";
  std::string name = "audiencesync membership: luma";

  std::string json() const {
    return fmt::format(R"({{"dataSetId":"{}","name":"{}","type":"{}","visitorId":"{}","identityNamespace":"{}",)"
                       R"("identityMap":{},"streaming":{},"streamingEnabledAt":"2026-01-02T03:04:05Z",)"
                       R"("backfillSummary":{}}})",
                       id, name, type, visitor, identity_namespace, identity_map, streaming, backfill);
  }
};

/// A connection with events, as the list shows it.
struct ListedConnection {
  std::string id = kLuma;
  std::string name = "Luma web";
  std::string sandbox = "prod";
  std::vector<ListedDataset> datasets{ListedDataset{}};
  std::string more;  // members, each with a comma before it

  std::string json() const {
    std::string list = R"({"dataSetId":"EV","name":"Web","type":"event","streaming":true})";
    for (const auto& dataset : datasets) list += "," + dataset.json();
    return fmt::format(R"({{"id":"{}","name":"{}","sandboxName":"{}","primaryIdType":"person","dataSets":[{}]{}}})", id,
                       name, sandbox, list, more);
  }
};

template <class Listed>
std::string listed(const std::vector<Listed>& objects) {
  std::string content;
  for (const auto& object : objects) content += (content.empty() ? "" : ",") + object.json();
  return fmt::format(R"({{"content":[{}],"number":0,"totalPages":1,"lastPage":true}})", content);
}

struct ListedView {
  std::string id = "dv_1";
  std::string name = "Luma audiences";
  std::string connection = kLuma;
  std::string external;
  std::string more;

  std::string json() const {
    return fmt::format(R"({{"id":"{}","name":"{}","parentDataGroupId":"{}","timezoneDesignator":"UTC",)"
                       R"("externalData":{{"externalId":"{}"}},"modifiedDate":"2026-02-02T03:04:05Z"{}}})",
                       id, name, connection, external, more);
  }
};

struct ListedDimension {
  std::string id;
  std::string path;
  std::string dataset = "D";
  std::string name = "Audience Membership";
  std::string more = R"(,"multiValued":true)";

  std::string json() const {
    return fmt::format(R"({{"id":"{}","name":"{}","schemaPath":"{}","dataSetIds":["{}"]{}}})", id, name, path, dataset,
                       more);
  }
};

inline const ListedDimension kIdDimension{"variables/D._demo.audienceMembership.audienceMembershipId",
                                          "_demo.audienceMembership.audienceMembershipId"};
inline const ListedDimension kNameDimension{"variables/D._demo.audienceMembership.audienceMembershipName",
                                            "_demo.audienceMembership[].audienceMembershipName"};

/// A sync with analytics whose dataset exists.
struct AnalyticsWorld : FakeWorld {
  AnalyticsWorld() {
    Analytics analytics;
    analytics.connection = "Luma web";
    analytics.data_view = "Luma audiences";
    manifest.analytics = analytics;
    outputs.put("dataset", {{"dataset_id", Value("D")}});
  }

  static Observed observed(Result<Observed> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text());
    return result.ok() ? *result : Observed();
  }

  /// What a stage sees, and what it hands on, as the engine would.
  Observed observe(const StageDescriptor& stage) {
    auto context = read();
    auto seen = observed(stage.make()->observe({}, context));
    outputs.put(stage.name, seen.outputs);
    return seen;
  }
};

}  // namespace audiencesync
