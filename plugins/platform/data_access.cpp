#include "plugins/platform/data_access.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <utility>

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {
namespace {

const char* const kExport = "/data/foundation/export";
constexpr std::uint64_t kSlowestDownload = 250'000;  // bytes a second that must still pass within the deadline
const char* const kPageSize = "100";                 // the most Data Access gives

bool is_marker(const std::string& name) {
  const auto base = last_segment(name);
  return base.starts_with('_') || base.starts_with('.');
}

/// Reads every page of a listing. The next page is where `_links.next` says; counts in `_page` are not reliable.
Result<void> each_entry(http::ReadClient& client, std::string_view what, const http::Request& first,
                        const std::function<Result<void>(const Value&)>& take) {
  return each_page(what, [&](const std::string& cursor) -> Result<std::string> {
    auto request = cursor.empty() ? first : rerooted(cursor);
    request.expected = first.expected;
    auto response = TRY(client.read(request));
    if (response.status == 404) return std::string();
    auto answer = TRY(response.json());
    for (const auto& entry : answer.items("data")) TRY(take(entry));
    const auto* next = answer.find_path({"_links", "next", "href"});
    if (next == nullptr) next = answer.find_path({"_links", "next"});
    return next != nullptr && next->is_string() ? *next->string_if() : std::string();
  });
}

std::string link_of(const Value& entry) {
  const auto* href = entry.find_path({"_links", "self", "href"});
  return href != nullptr && href->is_string() ? *href->string_if() : std::string();
}

Result<void> add_part(std::vector<DataFile>& files, std::set<std::string>& known, const std::string& id,
                      const Value& entry) {
  DataFile file;
  file.id = id;
  file.name = entry.text("name");
  const auto length = entry.number("length");
  if (file.name.empty() || !length || *length < 0)
    return Error(ErrorCode::Corrupt,
                 fmt::format("data file {} has an entry without a name or a length; try again later", id));
  file.length = static_cast<std::uint64_t>(*length);
  if (file.length == 0 || is_marker(file.name) || !known.insert(id + "\n" + file.name).second) return {};
  const auto href = link_of(entry);
  file.request = href.empty() ? get(std::string(kExport) + "/files/" + http::encode_segment(id), {{"path", file.name}})
                              : rerooted(href);
  files.push_back(std::move(file));
  return {};
}

}  // namespace

Result<std::vector<DataFile>> list_data_files(http::ReadClient& client, const std::string& batch) {
  std::vector<std::string> ids;
  TRY(each_entry(client, "files of a batch",
                 get(fmt::format("{}/batches/{}/files", kExport, http::encode_segment(batch)), {{"limit", kPageSize}}),
                 [&](const Value& entry) -> Result<void> {
                   auto id = id_text(entry.find("dataSetFileId"));
                   if (id.empty()) id = last_segment(rerooted(link_of(entry)).path);
                   if (id.empty()) return Error(ErrorCode::Corrupt, "a file of the batch has no id; try again later");
                   if (entry.flag("isValid", true)) ids.push_back(std::move(id));
                   return {};
                 })
          .in("files of batch " + batch));
  std::vector<DataFile> files;
  std::set<std::string> known;
  for (const auto& id : ids) {
    TRY(each_entry(client, "parts of a data file",
                   get(fmt::format("{}/files/{}", kExport, http::encode_segment(id)), {{"limit", kPageSize}}),
                   [&](const Value& entry) { return add_part(files, known, id, entry); })
            .in("files of batch " + batch));
  }
  return files;
}

Result<void> download_data_file(http::ReadClient& client, const DataFile& file, const Path& target) {
  auto request = file.request;
  request.deadline = std::chrono::seconds{60 + static_cast<std::int64_t>(file.length / kSlowestDownload)};
  TRY(client.download(request, target, file.length).in("data file " + file.name));
  return {};
}

Result<std::vector<SideFile>> list_side_files(http::ReadClient& client, const std::string& batch, SideFolder folder,
                                              const std::string& path) {
  const auto base = fmt::format("{}/batches/{}/{}", kExport, http::encode_segment(batch),
                                folder == SideFolder::Meta ? "meta" : "failed");
  auto first = path.empty() ? get(base) : get(base, {{"path", path}});
  first.expected = {404};
  std::vector<SideFile> files;
  TRY(each_entry(client, "diagnostics of a batch", first, [&](const Value& entry) -> Result<void> {
        SideFile file;
        file.name = entry.text("name");
        if (file.name.empty()) return {};
        file.length = static_cast<std::uint64_t>(std::max<std::int64_t>(0, entry.number("length").value_or(0)));
        const auto href = link_of(entry);
        const auto below = path.empty() || file.name.starts_with(path + "/") ? file.name : path + "/" + file.name;
        file.request = href.empty() ? get(base, {{"path", below}}) : rerooted(href);
        files.push_back(std::move(file));
        return {};
      }).in("diagnostics of batch " + batch));
  return files;
}

}  // namespace audiencesync::platform
