#include "engine/membership/row_file.h"

#include <algorithm>
#include <set>

#include "engine/membership/row_codec.h"

namespace audiencesync {

std::string RowFileHead::content_domain(std::string_view kind) const {
  std::string domain(kind);
  if (shape != RowFileHead{}.shape) domain += ", " + shape;
  return domain;
}

Value RowFileHead::to_value() const {
  Value::Object head{{"relation", relation}, {"definition", definition}, {"dataset", dataset},
                     {"base", base},         {"source", source},         {"person_hash", "xxh3-64"}};
  if (shape != RowFileHead{}.shape) head["shape"] = shape;
  if (cut_at_sections) head["blocks"] = "sections";
  return head;
}

RowFileHead RowFileHead::from_value(const Value& value) {
  RowFileHead head;
  head.relation = value.text("relation");
  head.definition = value.text("definition");
  head.dataset = value.text("dataset");
  head.base = value.text("base");
  head.source = value.text("source");
  // Files of the first versions are all of one shape and do not name it.
  if (auto shape = value.text("shape"); !shape.empty()) head.shape = std::move(shape);
  head.cut_at_sections = value.text("blocks") == "sections";
  return head;
}

namespace row_file {

Value dictionary_value(const Dictionary& dictionary, const std::vector<std::uint64_t>& people,
                       const std::vector<bool>& declared) {
  Value::Array entries;
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    if (people[rank] == 0 && !declared[rank]) continue;
    const auto& entry = dictionary.entry(static_cast<Rank>(rank));
    entries.emplace_back(
        Value::Object{{"id", entry.id}, {"name", entry.name}, {"index", entry.index}, {"people", people[rank]}});
  }
  return entries;
}

Result<Dictionary> read_dictionary(const BlockReader& file) {
  std::vector<DictionaryEntry> entries;
  std::set<std::uint32_t> indices;
  for (const auto& item : file.foot().items("dictionary")) {
    const auto index = item.number("index");
    if (!index || *index < 0 || *index >= static_cast<std::int64_t>(2 * kLargestDictionary) ||
        !indices.insert(static_cast<std::uint32_t>(*index)).second) {
      return file.corrupt("its dictionary has an index that cannot be");
    }
    entries.push_back({item.text("id"), item.text("name"), static_cast<std::uint32_t>(*index)});
  }
  return Dictionary::make(std::move(entries));
}

Result<std::vector<std::uint32_t>> index_table(const Dictionary& own, const Dictionary& into) {
  std::vector<std::uint32_t> table(own.size() == 0 ? 0 : own.largest_index() + std::size_t{1}, kAbsent);
  for (std::size_t rank = 0; rank < own.size(); ++rank) {
    const auto& entry = own.entry(static_cast<Rank>(rank));
    const auto found = into.find(entry.id, entry.name);
    if (!found) return Error(ErrorCode::Internal, "a file's dictionary was mapped to one that lacks its audiences");
    table[entry.index] = *found;
  }
  return table;
}

std::vector<std::uint32_t> file_indices(const Dictionary& dictionary) {
  std::vector<std::uint32_t> indices;
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    indices.push_back(dictionary.entry(static_cast<Rank>(rank)).index);
  }
  return indices;
}

void put_ranks(std::string& out, const std::vector<std::uint32_t>& indices, const Ranks& ranks,
               std::vector<std::uint32_t>& scratch) {
  scratch.clear();
  for (const auto rank : ranks) scratch.push_back(indices[rank]);
  if (!std::is_sorted(scratch.begin(), scratch.end())) std::sort(scratch.begin(), scratch.end());
  put_set(out, scratch);
}

}  // namespace row_file
}  // namespace audiencesync
