#include "plugins/membership/rejections.h"

#include <fmt/format.h>

#include <map>

#include "engine/base/json.h"
#include "plugins/platform/rejected_rows.h"

namespace audiencesync {
namespace {

// More than this many refused rows is over any sensible limit; the rest is not read.
constexpr std::size_t kMostRejections = 10'000;

// Calls `each` with the number (from 1) and the text of every line of a part, which is at most one upload in size.
Result<void> each_line(ReadContext& context, const UploadPart& part,
                       const std::function<Result<void>(std::uint64_t, std::string_view)>& each) {
  auto reader = TRY(context.files().open(part.lines));
  std::string pending;
  std::vector<char> block(1U << 20U);
  std::uint64_t offset = 0;
  std::uint64_t number = 0;
  while (offset < reader->size()) {
    const auto count = TRY(reader->read_at(offset, block));
    if (count == 0) break;
    offset += count;
    pending.append(block.data(), count);
    std::size_t begin = 0;
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
      TRY(each(++number, std::string_view(pending).substr(begin, end - begin)));
      begin = end + 1;
    }
    pending.erase(0, begin);
  }
  if (!pending.empty()) TRY(each(number + 1, pending));
  return {};
}

Result<PersonId> person_of(std::string_view record) {
  const auto value = TRY(parse_json(record));
  return PersonId(value.text("personID"));
}

std::string reason_of(const platform::RejectedRow& row) {
  return row.code.empty() ? row.message : fmt::format("{} {}", row.code, row.message);
}

}  // namespace

Result<std::vector<Rejection>> named_rejections(ReadContext& context, const platform::Batch& batch,
                                                const Upload& upload, const std::set<PersonId>& known) {
  const auto rows = TRY(platform::rejected_rows(context.http(), batch, kMostRejections));
  std::map<PersonId, std::string> by_person;
  std::map<std::string, std::map<std::uint64_t, std::string>> by_line;  // part name -> line -> reason
  for (const auto& row : rows) {
    if (row.person) {
      by_person.emplace(*row.person, reason_of(row));
    } else if (row.row) {
      // Without a file name only an upload of one file can be told.
      const auto name = row.file.empty() && upload.parts.size() == 1 ? upload.parts.front().name : row.file;
      by_line[name].emplace(*row.row, reason_of(row));
    }
  }
  std::vector<Rejection> found;
  for (const auto& part : upload.parts) {
    const auto lines = by_line.find(part.name);
    if (by_person.empty() && lines == by_line.end()) continue;
    TRY(each_line(context, part, [&](std::uint64_t number, std::string_view line) -> Result<void> {
      const auto person = TRY(person_of(line));
      if (known.contains(person)) return {};
      if (const auto named = by_person.find(person); named != by_person.end()) {
        found.push_back({person, named->second});
      } else if (lines != by_line.end() && lines->second.contains(number)) {
        found.push_back({person, lines->second.at(number)});
      }
      return {};
    }));
  }
  return found;
}

Result<PersonId> only_person(ReadContext& context, const Upload& upload) {
  PersonId person;
  for (const auto& part : upload.parts) {
    TRY(each_line(context, part, [&](std::uint64_t, std::string_view line) -> Result<void> {
      person = TRY(person_of(line));
      return {};
    }));
  }
  return person;
}

}  // namespace audiencesync
