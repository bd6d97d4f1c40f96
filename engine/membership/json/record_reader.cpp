#include "engine/membership/json/record_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/membership/field_name.h"

namespace audiencesync::json {
namespace {

namespace ondemand = simdjson::ondemand;
using Type = ondemand::json_type;

constexpr const char* kNoJson = "it is not JSON";
constexpr const char* kNoObject = "it is JSON, but no object";
constexpr const char* kStructure = "the identity field is a structure, not one value";
constexpr const char* kShape = "segmentMembership does not have the shape namespace, audience, status";

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char one, char other) { return lower(one) == lower(other); });
}

// The text between the quotes when it has no escape, which is nearly always; nullopt otherwise. The first stage of the
// parser has seen the closing quote.
std::optional<std::string_view> plain_text(const char* raw, const char* end) {
  const auto* const quote = static_cast<const char*>(std::memchr(raw, '"', static_cast<std::size_t>(end - raw)));
  if (quote == nullptr) return std::nullopt;
  const auto size = static_cast<std::size_t>(quote - raw);
  if (std::memchr(raw, '\\', size) != nullptr) return std::nullopt;
  return std::string_view(raw, size);
}

}  // namespace

struct RecordReader::Impl {
  Impl(const SourceColumns& columns_in, const MembershipMeaning* meaning_in, std::vector<SourceRow::Membership>* all_in)
      : columns(columns_in), meaning(meaning_in), all(all_in) {}

  const SourceColumns& columns;
  const MembershipMeaning* meaning;
  std::vector<SourceRow::Membership>* all;
  ondemand::parser parser;
  const char* end = nullptr;  // of the record
  PersonBatch* batch = nullptr;
  std::deque<std::string>* texts = nullptr;

  bool has_person = false;  // the field is there, perhaps null
  std::string_view person;
  std::string_view only;  // of identityMap
  std::string_view primary;
  std::size_t identities = 0;
  const char* problem = nullptr;

  std::string_view keep(std::string_view text) { return texts->emplace_back(text); }

  /// False on broken JSON.
  bool key_of(ondemand::field& field, std::string_view& key) {
    if (const auto plain = plain_text(field.key().raw(), end)) {
      key = *plain;
      return true;
    }
    return field.unescaped_key().get(key) == simdjson::SUCCESS;
  }

  /// The text of a string value; false on broken JSON or another type.
  bool text_of(ondemand::value& value, std::string_view& text) {
    ondemand::raw_json_string raw;
    if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) return false;
    if (const auto plain = plain_text(raw.raw(), end)) {
      text = *plain;
      return true;
    }
    std::string_view unescaped;
    // Taking the raw string has moved on, so it is unescaped by hand from where it begins.
    if (value.get_string().get(unescaped) != simdjson::SUCCESS) return false;
    text = keep(unescaped);
    return true;
  }

  template <class Each>
  bool each_field(ondemand::value& value, Each&& each) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    return each_field(object, each);
  }

  template <class Each>
  bool each_field(ondemand::object& object, Each&& each) {
    for (auto result : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(result).get(field) != simdjson::SUCCESS || !key_of(field, key)) return false;
      if (!each(key, field.value())) return false;
    }
    return true;
  }

  /// Entries of a map: members of an object, or a list of {key, value}.
  template <class Each>
  bool each_entry(ondemand::value& value, Each&& each) {
    Type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == Type::null) return true;
    if (type == Type::object) return each_field(value, each);
    if (type != Type::array) {
      problem = kShape;
      return false;
    }
    ondemand::array entries;
    if (value.get_array().get(entries) != simdjson::SUCCESS) return false;
    for (auto result : entries) {
      ondemand::object entry;
      ondemand::value inner;
      std::string_view text;
      if (std::move(result).get_object().get(entry) != simdjson::SUCCESS ||
          entry.find_field_unordered("key").get_string().get(text) != simdjson::SUCCESS) {
        return false;
      }
      const std::string key(text);
      if (entry.find_field_unordered("value").get(inner) != simdjson::SUCCESS || !each(key, inner)) return false;
    }
    return true;
  }

  bool read_person(ondemand::value value) {
    Type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    has_person = true;
    switch (type) {
      case Type::string:
        return text_of(value, person);
      case Type::object:
      case Type::array:
        problem = kStructure;
        return false;
      case Type::null:
        return value.is_null().error() == simdjson::SUCCESS;
      case Type::number: {
        ondemand::number checked;
        auto token = value.raw_json_token();
        if (value.get_number().get(checked) != simdjson::SUCCESS) return false;
        while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
        person = keep(token);
        return true;
      }
      case Type::boolean: {
        bool flag = false;
        if (value.get_bool().get(flag) != simdjson::SUCCESS) return false;
        person = flag ? "true" : "false";
        return true;
      }
    }
    return false;
  }

  /// A member on the way to the identity field: `path` is what of the dotted path is left. Names may contain dots.
  bool follow(std::string_view key, ondemand::value value, std::string_view path, bool& taken) {
    taken = false;
    if (key == path) {
      taken = true;
      return has_person || read_person(value);
    }
    if (path.size() <= key.size() + 1 || path[key.size()] != '.' || path.substr(0, key.size()) != key) return true;
    Type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != Type::object) return true;
    taken = true;
    const auto rest = path.substr(key.size() + 1);
    return each_field(value, [&](std::string_view name, ondemand::value below) {
      bool ignored = false;
      return follow(name, below, rest, ignored);
    });
  }

  bool read_identities(ondemand::value& value) {
    return each_entry(value, [&](std::string_view space, ondemand::value list) {
      if (!same_word(space, columns.identity_namespace)) return true;
      ondemand::array identities_here;
      if (list.get_array().get(identities_here) != simdjson::SUCCESS) return false;
      for (auto result : identities_here) {
        ondemand::value identity;
        if (std::move(result).get(identity) != simdjson::SUCCESS) return false;
        std::string_view id;
        bool marked = false;
        const bool good = each_field(identity, [&](std::string_view key, ondemand::value member) {
          if (is_export_field(key, "id")) {
            Type type{};
            if (member.type().get(type) != simdjson::SUCCESS) return false;
            return type != Type::string || text_of(member, id);
          }
          if (is_export_field(key, "primary")) {
            bool flag = false;
            marked = member.get_bool().get(flag) == simdjson::SUCCESS && flag;
          }
          return true;
        });
        if (!good) return false;
        if (id.empty()) continue;
        ++identities;
        only = id;
        if (marked && primary.empty()) primary = id;
      }
      return true;
    });
  }

  bool read_status(ondemand::value& membership, std::string_view& status, bool& there) {
    Type type{};
    if (membership.type().get(type) != simdjson::SUCCESS) return false;
    there = type == Type::string || type == Type::object;
    if (type == Type::string) return text_of(membership, status);
    if (type != Type::object) return true;
    bool found = false;
    return each_field(membership, [&](std::string_view key, ondemand::value member) {
      if (found || !is_export_field(key, "status")) return true;
      found = true;
      Type kind{};
      if (member.type().get(kind) != simdjson::SUCCESS) return false;
      return kind != Type::string || text_of(member, status);
    });
  }

  bool keep_membership(std::string_view space, std::string_view id, ondemand::value& membership) {
    const auto space_kept = keep(space);
    const auto id_kept = keep(id);
    std::string_view status;
    bool there = false;
    if (!read_status(membership, status, there)) return false;
    if (there) all->push_back({space_kept, id_kept, keep(status)});
    return true;
  }

  bool read_memberships(ondemand::value& value) {
    return each_entry(value, [&](std::string_view space, ondemand::value audiences) {
      return each_entry(audiences, [&](std::string_view id, ondemand::value membership) {
        if (meaning == nullptr) return keep_membership(space, id, membership);
        const auto audience = meaning->audience(id);
        if (audience == MembershipMeaning::kUnwanted || !meaning->lives_in(audience, space)) return true;
        std::string_view status;
        bool there = false;
        if (!read_status(membership, status, there)) return false;
        if (!there) return true;
        switch (meaning->status(status)) {
          case MembershipMeaning::Status::Member:
            batch->audiences.push_back(static_cast<std::uint16_t>(audience));
            break;
          case MembershipMeaning::Status::Unknown:
            ++batch->unknown_status;
            break;
          case MembershipMeaning::Status::Other:
            break;
        }
        return true;
      });
    });
  }

  bool read_record(std::string_view record, std::size_t readable) {
    ondemand::document document;
    if (parser.iterate(record.data(), record.size(), readable).get(document) != simdjson::SUCCESS) return false;
    ondemand::object object;
    if (const auto error = document.get_object().get(object); error != simdjson::SUCCESS) {
      if (error == simdjson::INCORRECT_TYPE) problem = kNoObject;
      return false;
    }
    const bool good = each_field(object, [&](std::string_view key, ondemand::value value) {
      bool taken = false;
      if (!follow(key, value, columns.identity_field, taken)) return false;
      if (taken) return true;
      if (is_export_field(key, "segmentMembership")) return read_memberships(value);
      if (!columns.identity_namespace.empty() && is_export_field(key, "identityMap")) return read_identities(value);
      return true;
    });
    // Out of bounds: nothing follows the object.
    return good && document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  }
};

RecordReader::RecordReader(const SourceColumns& columns, const MembershipMeaning* meaning,
                           std::vector<SourceRow::Membership>* all)
    : impl_(std::make_unique<Impl>(columns, meaning, all)) {}
RecordReader::~RecordReader() = default;

const char* RecordReader::read(std::string_view record, std::size_t readable, PersonBatch& batch) {
  auto& in = *impl_;
  in.end = record.data() + record.size();
  in.batch = &batch;
  in.texts = &texts_;
  in.has_person = false;
  in.person = in.only = in.primary = {};
  in.identities = 0;
  in.problem = nullptr;
  const auto audiences = batch.audiences.size();
  const auto unknown = batch.unknown_status;
  if (!in.read_record(record, readable)) {
    batch.audiences.resize(audiences);
    batch.unknown_status = unknown;
    return in.problem != nullptr ? in.problem : kNoJson;
  }
  auto person = in.person;
  if (!in.has_person) person = !in.primary.empty() ? in.primary : in.identities == 1 ? in.only : std::string_view();
  batch.rows.push_back({person, static_cast<std::uint32_t>(batch.audiences.size()), 0});
  return nullptr;
}

}  // namespace audiencesync::json
