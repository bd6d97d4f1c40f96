#include "plugins/data_view/shell_apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/data_view/view_choice.h"
#include "plugins/platform/data_views.h"
#include "plugins/platform/listing.h"

namespace audiencesync {
namespace {

Result<std::string> shell_field(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  if (found != change.after.end())
    if (const auto* value = std::get_if<Value>(&found->second))
      if (const auto* text = value->string_if()) return *text;
  return Error(ErrorCode::Internal, fmt::format("{} without its field '{}'", change.key.text(), name));
}

Applied applied_shell(const std::string& id, const std::string& version) {
  Applied applied;
  applied.outputs["data_view_id"] = id;
  applied.proof.version = version;
  return applied;
}

/// A refusal for lack of rights had no effect; left open, the change would be tried first in every run to come, before
/// the memberships that do not need it.
Error without_rights(const Error& error) {
  return Error(ErrorCode::Rejected,
               fmt::format("{}; or make the data view by hand under the declared name: then it is used as it is",
                           error.message()))
      .with_request_id(error.request_id());
}

}  // namespace

Result<Applied> create_shell(const Change& change, WriteContext& context) {
  platform::NewDataView view;
  view.name = TRY(shell_field(change, "name"));
  view.connection = TRY(shell_field(change, "connection"));
  view.time_zone = TRY(shell_field(change, "time_zone"));
  view.external_id = external_id_of(context.manifest());
  view.description = "managed by audiencesync: audience memberships of sync " + context.manifest().uid;
  const auto marked = [&] { return platform::data_views_marked(context.http(), view.connection, view.external_id); };
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    const auto views = TRY(marked());
    if (views.empty()) return std::optional<Value>();
    if (views.size() > 1)
      context.events().warn("data_view.twice", {{"adopted", views.front().id},
                                                {"other", views[1].id},
                                                {"goes_on", "with the oldest; the other may be deleted"}});
    return std::optional<Value>(views.front().id);
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    TRY(platform::validate_data_view(context.http(), view));
    auto id = platform::create_data_view(client, view);
    if (!id.ok() && id.error().code() == ErrorCode::Permission) return without_rights(id.error());
    auto made = TRY(std::move(id));
    return Value(std::move(made));
  };
  const auto made = TRY(context.once({.name = "data-view", .sequence = ""}, find, make));
  const auto id = made.string_if() != nullptr ? *made.string_if() : std::string();
  TRY(platform::await_listing(context, "the data view", [&]() -> Result<bool> {
    const auto views = TRY(marked());
    return std::any_of(views.begin(), views.end(), [&](const auto& each) { return each.id == id; });
  }));
  return applied_shell(id, id);
}

Result<Applied> rename_shell(const Change& change, WriteContext& context) {
  const auto name = TRY(shell_field(change, "name"));
  const auto connection = TRY(shell_field(change, "connection"));
  const auto current = [&]() -> Result<platform::DataView> {
    const auto views = TRY(platform::data_views_marked(context.http(), connection, external_id_of(context.manifest())));
    if (views.empty())
      return Error(ErrorCode::Conflict, "the data view of this sync does not exist any more; observing again");
    return views.front();
  };
  const auto view = TRY(current());
  if (view.name == name) return applied_shell(view.id, view.version);
  if (!change.expected_version.empty() && view.version != change.expected_version)
    return Error(ErrorCode::Conflict, fmt::format("data view {} was changed at {}, and we planned against its state of "
                                                  "{}; observing again",
                                                  view.id, view.version, change.expected_version));
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    const auto now = TRY(current());
    return now.name == name ? std::optional<Value>(true) : std::optional<Value>();
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    auto renamed = platform::rename_data_view(client, view, name);
    if (!renamed.ok() && renamed.error().code() == ErrorCode::Permission) return without_rights(renamed.error());
    TRY(std::move(renamed));
    return Value(true);
  };
  TRY(context.once({.name = "rename", .sequence = ""}, find, make));
  const auto after = TRY(current());
  return applied_shell(after.id, after.version);
}

}  // namespace audiencesync
