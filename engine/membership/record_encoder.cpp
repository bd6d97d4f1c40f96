#include "engine/membership/record_encoder.h"

#include "engine/base/digest.h"
#include "engine/base/json.h"

namespace audiencesync {

RecordEncoder::RecordEncoder(const RelationSpec& spec, std::int64_t generation, const Dictionary& dictionary)
    : salt_(spec.uid + '\x1F'), generation_(std::to_string(generation)) {
  append_json_string(tenant_, spec.tenant);
  elements_.reserve(dictionary.size());
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    const auto& entry = dictionary.entry(static_cast<Rank>(rank));
    auto& element = elements_.emplace_back("{\"audienceMembershipId\":");
    append_json_string(element, entry.id);
    element += ",\"audienceMembershipName\":";
    append_json_string(element, entry.name);
    element += '}';
  }
}

void RecordEncoder::append(std::string& out, std::string_view person, const Ranks& audiences) {
  salted_.assign(salt_).append(person);
  out += "{\"_id\":\"";
  out += sha256(salted_);
  out += "\",\"personID\":";
  append_json_string(out, person);
  out += ',';
  out += tenant_;
  out += ":{\"audienceMembership\":[";
  bool first = true;
  for (const auto rank : audiences) {
    if (!first) out += ',';
    first = false;
    out += elements_[rank];
  }
  out += "],\"audienceMembershipCount\":";
  out += std::to_string(audiences.size());
  out += ",\"audienceSyncGeneration\":";
  out += generation_;
  out += "}}\n";
}

}  // namespace audiencesync
