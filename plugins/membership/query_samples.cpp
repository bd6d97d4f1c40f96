#include "plugins/membership/query_samples.h"

#include <algorithm>
#include <map>

#include "engine/base/person_id.h"
#include "engine/membership/query/refresh_sql.h"
#include "plugins/membership/query_changeset.h"

namespace audiencesync {
namespace {

using Names = std::map<AudienceId, std::string>;

// The statement gives ids joined by commas; an audience that counts nowhere is shown by its id.
std::vector<std::string> names_in(const std::string& ids, const Names& names) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < ids.size();) {
    const auto end = std::min(ids.find(',', begin), ids.size());
    const auto id = ids.substr(begin, end - begin);
    const auto name = names.find(id);
    out.push_back(name == names.end() ? id : name->second);
    begin = end + 1;
  }
  return out;
}

Value texts(const std::vector<std::string>& list) { return Value::Array(list.begin(), list.end()); }

std::vector<std::string> texts_of(const Value& value, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& one : value.items(name)) {
    if (const auto* text = one.string_if()) out.push_back(*text);
  }
  return out;
}

}  // namespace

Value ShownSamples::to_value() const {
  Value::Array list;
  for (const auto& one : people) {
    list.push_back(Value::Object{
        {"kind", one.kind}, {"person", one.person}, {"entered", texts(one.entered)}, {"left", texts(one.left)}});
  }
  return Value::Object{{"most", static_cast<std::uint64_t>(most)}, {"people", std::move(list)}};
}

std::optional<ShownSamples> ShownSamples::from_value(const Value& value) {
  const auto most = value.number("most");
  if (!most) return std::nullopt;
  ShownSamples samples{static_cast<std::size_t>(*most)};
  for (const auto& one : value.items("people"))
    samples.people.push_back({one.text("kind"), one.text("person"), texts_of(one, "entered"), texts_of(one, "left")});
  return samples;
}

Result<std::vector<Sample>> changeset_samples(const ReadContext& context, const std::string& table,
                                              const std::vector<AudienceDelta>& audiences, std::size_t most) {
  Names names;
  for (const auto& audience : audiences) names[audience.id] = audience.name;
  std::map<std::string, std::vector<Sample>> kinds;
  for (const auto kind : {SampleKind::New, SampleKind::Changed, SampleKind::Leaves}) {
    const auto rows =
        TRY(ask_queries(context, {sample_changeset(spark_name(table), kind, most), "a sample of the changeset", {}}));
    const auto person = TRY(rows.column("person"));
    const auto entered = TRY(rows.column("entered"));
    const auto gone = TRY(rows.column("gone"));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      const auto& row = rows.rows[i];
      Sample sample;
      sample.person = PersonId(row[person].value_or("")).masked();
      sample.entered = names_in(row[entered].value_or(""), names);
      sample.left = names_in(row[gone].value_or(""), names);
      const auto total = TRY(rows.number(i, "total"));
      // Whoever was in nothing until now is new, also when the target has a record of them that says so.
      const bool was_in_nothing = sample.left.empty() && sample.entered.size() == static_cast<std::size_t>(total);
      sample.kind = kind == SampleKind::Leaves ? "leaves" : was_in_nothing ? "new" : "changed";
      auto& all = kinds[sample.kind];
      if (all.size() < most) all.push_back(std::move(sample));
    }
  }
  std::vector<Sample> samples;
  for (const auto* kind : {"new", "changed", "leaves"})
    samples.insert(samples.end(), kinds[kind].begin(), kinds[kind].end());
  return samples;
}

}  // namespace audiencesync
