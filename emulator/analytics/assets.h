#pragma once

#include <string>
#include <vector>

#include "emulator/analytics/answers.h"

namespace emulator {

// What users make of data views: segments, calculated metrics, date ranges, projects. Each is an object of its kind, as
// the API shows it with every expansion but those computed here, plus `_emulator` with what only we need. Everything
// here needs the objects locked.

inline constexpr const char* kSegmentKind = "analytics_segment";
inline constexpr const char* kCalculatedMetricKind = "analytics_calculated_metric";
inline constexpr const char* kDateRangeKind = "analytics_date_range";
inline constexpr const char* kProjectKind = "analytics_project";
inline constexpr const char* kTagKind = "analytics_tag";
inline constexpr const char* kShareKind = "analytics_share";

/// One sort of thing under the names that the services have for it.
struct AssetSort {
  const char* kind;       // of our objects
  const char* component;  // as tags and shares call it
  const char* audit;      // as the audit log calls it
};

/// Those that can be tagged and shared by the id of an object; nullptr for another word.
const AssetSort* asset_sort(const std::string& component);
const std::vector<AssetSort>& asset_sorts();

/// Whether something can be tagged: an object, or a dimension or metric that some data view has.
bool component_exists(const Platform& platform, const std::string& type, const std::string& id);

/// Tags of a component as the thing itself shows them: {"id","name","description"}.
Json tags_of(const Platform& platform, const std::string& type, const std::string& id);
/// Makes those the only tags of a component. Each is named by "id" or "name"; unknown names become new tags.
void set_tags(Platform& platform, const std::string& type, const std::string& id, const Json& tags);
/// Shares of a component, whole.
Json shares_of(const Platform& platform, const std::string& type, const std::string& id);

/// The body of a writing call; throws the 400 of the service unless it is an object.
Json asset_body(const Request& request);
/// The data view a body names by either of its names; "" when it names none.
std::string data_id_of(const Json& body);
/// The name of the data view; "" when it is gone.
std::string data_view_name(const Platform& platform, const std::string& id);

/// A new object with id, owner, dates and the audit entry; `asset` has the rest. Answers what was kept.
Json create_asset(Platform& platform, const AssetSort& sort, const std::string& id, Json asset, const Json& body);
/// Keeps a changed one, with its date and the audit entry.
void change_asset(Platform& platform, const AssetSort& sort, Json& asset);
/// Hides it: it is in no list any more, but stays readable and works where it is used.
void hide_asset(Platform& platform, const AssetSort& sort, const std::string& id);
/// The object; throws the service's 404.
const Json& known_asset(const Platform& platform, const AssetSort& sort, const std::string& id);

/// Whether a list shows it to this request: not too new, not hidden, not forbidden, and as the parameters say which
/// all lists have: dataIds, ownerId, filterByIds, includeType, favorite, approved.
bool asset_listed(const Platform& platform, const Request& request, const std::string& path, const Json& asset);
/// All of a kind that the request's list shows, from a copy that may be old.
std::vector<Json> listed_assets(const Platform& platform, const Request& request, const std::string& path,
                                const StaleCopy::Objects& objects);
/// A page of them, or with `pagination=false` all on one.
Response asset_page(const Request& request, const Platform& platform, std::vector<Json> found,
                    const std::function<Json(const Json&)>& shown);

/// Fills in the members that are computed when they are shown: tags, shares, dataName, ownerFullName.
Json whole_asset(const Platform& platform, const AssetSort& sort, const Json& asset);

}  // namespace emulator
