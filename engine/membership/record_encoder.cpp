#include "engine/membership/record_encoder.h"

#include "engine/base/digest.h"
#include "engine/base/json.h"

namespace audiencesync {

RecordEncoder::RecordEncoder(const RelationSpec& spec, std::int64_t generation, const Dictionary& dictionary)
    : layout_(spec.layout), salt_(spec.uid + '\x1F'), generation_(std::to_string(generation)) {
  append_json_string(tenant_, spec.tenant);
  elements_.reserve(dictionary.size());
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    const auto& entry = dictionary.entry(static_cast<Rank>(rank));
    ids_.push_back(entry.id);
    auto& element = elements_.emplace_back("\"audienceMembershipId\":");
    append_json_string(element, entry.id);
    if (!spec.writes_names()) continue;
    element += ",\"audienceMembershipName\":";
    append_json_string(element, entry.name);
  }
}

void RecordEncoder::append_head(std::string& out, std::string_view person) {
  out += "{\"_id\":\"";
  out += sha256(salted_);
  out += "\",\"personID\":";
  append_json_string(out, person);
  out += ',';
  out += tenant_;
  out += ":{";
}

void RecordEncoder::append_foot(std::string& out) {
  out += "\"audienceSyncGeneration\":";
  out += generation_;
  out += "}}\n";
}

std::size_t RecordEncoder::append(std::string& out, std::string_view person, const Ranks& audiences) {
  salted_.assign(salt_).append(person);
  if (layout_ == RecordLayout::Membership) {
    const auto of_person = salted_.append(1, '\x1F').size();
    for (const auto rank : audiences) {
      salted_.resize(of_person);
      salted_ += ids_[rank];
      append_head(out, person);
      out += elements_[rank];
      out += ',';
      append_foot(out);
    }
    return audiences.size();
  }
  append_head(out, person);
  bool first = true;
  if (layout_ == RecordLayout::Delimited) {
    std::string ids;
    for (const auto rank : audiences) {
      if (!first) ids += kIdDelimiter;
      first = false;
      ids += ids_[rank];
    }
    out += "\"audienceMembershipIds\":";
    append_json_string(out, ids);
  } else {
    out += "\"audienceMembership\":[";
    for (const auto rank : audiences) {
      out += first ? "{" : ",{";
      first = false;
      out += elements_[rank];
      out += '}';
    }
    out += ']';
  }
  out += ",\"audienceMembershipCount\":";
  out += std::to_string(audiences.size());
  out += ',';
  append_foot(out);
  return 1;
}

}  // namespace audiencesync
