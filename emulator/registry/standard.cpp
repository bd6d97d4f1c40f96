#include "emulator/registry/resources.h"

namespace emulator {
namespace {

// Shortened to what a people pipeline meets: names, types and maps are the platform's, rarely used fields are left out.
constexpr const char* kStandardText = R"json([
{"$id":"https://ns.adobe.com/xdm/data/record","title":"Record Schema","meta:resourceType":"behaviors","type":"object",
 "description":"Behaviour of data that describe a subject.",
 "properties":{"_id":{"title":"Identifier","type":"string","format":"uri-reference"}}},
{"$id":"https://ns.adobe.com/xdm/data/time-series","title":"Time-series Schema","meta:resourceType":"behaviors","type":"object",
 "description":"Behaviour of data that record what happened, and when.",
 "properties":{"_id":{"title":"Identifier","type":"string"},
  "timestamp":{"title":"Timestamp","type":"string","format":"date-time","meta:xdmType":"date-time"}},
 "required":["_id","timestamp"]},
{"$id":"https://ns.adobe.com/xdm/data/adhoc","title":"Ad Hoc Schema","meta:resourceType":"behaviors","type":"object",
 "properties":{"_id":{"title":"Identifier","type":"string"}}},

{"$id":"https://ns.adobe.com/xdm/context/profile","title":"XDM Individual Profile","meta:resourceType":"classes","type":"object",
 "description":"One person, as far as the organisation knows.",
 "meta:extends":["https://ns.adobe.com/xdm/data/record"],
 "allOf":[{"$ref":"https://ns.adobe.com/xdm/data/record"}],
 "properties":{
  "personID":{"title":"Person ID","type":"string"},
  "_repo":{"type":"object","properties":{"createDate":{"type":"string","format":"date-time","meta:xdmType":"date-time"},
    "modifyDate":{"type":"string","format":"date-time","meta:xdmType":"date-time"}}},
  "createdByBatchID":{"title":"Created by batch identifier","type":"string","format":"uri-reference"},
  "modifiedByBatchID":{"title":"Modified by batch identifier","type":"string","format":"uri-reference"},
  "repositoryCreatedBy":{"title":"Created by user identifier","type":"string"},
  "repositoryLastModifiedBy":{"title":"Modified by user identifier","type":"string"}}},
{"$id":"https://ns.adobe.com/xdm/context/experienceevent","title":"XDM ExperienceEvent","meta:resourceType":"classes","type":"object",
 "description":"Something that happened to a person at a moment.",
 "meta:extends":["https://ns.adobe.com/xdm/data/time-series"],
 "allOf":[{"$ref":"https://ns.adobe.com/xdm/data/time-series"}],
 "properties":{
  "eventType":{"title":"Event Type","type":"string"},
  "producedBy":{"title":"Produced By","type":"string"},
  "identityMap":{"$ref":"https://ns.adobe.com/xdm/datatypes/identitymap"}}},

{"$id":"https://ns.adobe.com/xdm/datatypes/identitymap","title":"Identity Map","meta:resourceType":"datatypes","type":"object",
 "meta:xdmType":"map",
 "additionalProperties":{"type":"array","items":{"type":"object","properties":{
   "id":{"type":"string"},
   "authenticatedState":{"type":"string","enum":["ambiguous","authenticated","loggedOut"]},
   "primary":{"type":"boolean"}}}}},
{"$id":"https://ns.adobe.com/xdm/context/person-name","title":"Person name","meta:resourceType":"datatypes","type":"object",
 "properties":{"firstName":{"type":"string"},"lastName":{"type":"string"},"middleName":{"type":"string"},
  "courtesyTitle":{"type":"string"},"fullName":{"type":"string"}}},

{"$id":"https://ns.adobe.com/xdm/context/identitymap","title":"IdentityMap","meta:resourceType":"mixins","type":"object",
 "description":"Every identity of the person, by namespace.",
 "meta:intendedToExtend":["https://ns.adobe.com/xdm/context/profile","https://ns.adobe.com/xdm/context/experienceevent"],
 "properties":{"identityMap":{"$ref":"https://ns.adobe.com/xdm/datatypes/identitymap"}}},
{"$id":"https://ns.adobe.com/xdm/context/profile-segmentation","title":"Segment Membership Details","meta:resourceType":"mixins","type":"object",
 "description":"The audiences a profile is in, written by the platform only.",
 "meta:intendedToExtend":["https://ns.adobe.com/xdm/context/profile"],
 "properties":{"segmentMembership":{"type":"object","meta:xdmType":"map",
  "additionalProperties":{"type":"object","meta:xdmType":"map",
   "additionalProperties":{"type":"object","properties":{
    "status":{"type":"string"},
    "lastQualificationTime":{"type":"string","format":"date-time","meta:xdmType":"date-time"},
    "validUntil":{"type":"string","format":"date-time","meta:xdmType":"date-time"},
    "version":{"type":"string"},
    "payload":{"type":"object","properties":{"payloadType":{"type":"string"},"payloadStringValue":{"type":"string"}}}}}}}}},
{"$id":"https://ns.adobe.com/xdm/context/profile-person-details","title":"Demographic Details","meta:resourceType":"mixins","type":"object",
 "description":"Who a person is.",
 "meta:intendedToExtend":["https://ns.adobe.com/xdm/context/profile"],
 "properties":{"person":{"type":"object","properties":{
   "name":{"$ref":"https://ns.adobe.com/xdm/context/person-name"},
   "birthDate":{"type":"string","format":"date","meta:xdmType":"date"},
   "birthYear":{"type":"integer","minimum":1,"maximum":32767,"meta:xdmType":"short"},
   "gender":{"type":"string"},
   "nationality":{"type":"string"}}}}},
{"$id":"https://ns.adobe.com/xdm/context/profile-personal-details","title":"Personal Contact Details","meta:resourceType":"mixins","type":"object",
 "description":"How a person is reached.",
 "meta:intendedToExtend":["https://ns.adobe.com/xdm/context/profile"],
 "properties":{
  "personalEmail":{"type":"object","properties":{"address":{"type":"string","format":"email"},"primary":{"type":"boolean"}}},
  "mobilePhone":{"type":"object","properties":{"number":{"type":"string"},"primary":{"type":"boolean"}}},
  "homeAddress":{"type":"object","properties":{"street1":{"type":"string"},"city":{"type":"string"},
    "postalCode":{"type":"string"},"country":{"type":"string"},"countryCode":{"type":"string"}}}}},
{"$id":"https://ns.adobe.com/xdm/context/experienceevent-web","title":"Web Details","meta:resourceType":"mixins","type":"object",
 "description":"The page of an event.",
 "meta:intendedToExtend":["https://ns.adobe.com/xdm/context/experienceevent"],
 "properties":{"web":{"type":"object","properties":{"webPageDetails":{"type":"object","properties":{
   "name":{"type":"string"},"URL":{"type":"string"},"isHomePage":{"type":"boolean"}}}}}}}
])json";

}  // namespace

const std::map<std::string, Json>& standard_resources() {
  static const std::map<std::string, Json> kStandard = [] {
    std::map<std::string, Json> documents;
    for (Json& document : Json::parse(kStandardText)) {
      const auto id = document["$id"].get<std::string>();
      document["meta:altId"] = alt_id_of(id);
      document["version"] = "1.0";
      document["meta:containerId"] = "global";
      document["meta:abstract"] = true;
      document["meta:xdmType"] = document.value("meta:xdmType", "object");
      document["meta:registryMetadata"] = {{"repo:createdDate", 1'551'229'957'987},
                                           {"repo:lastModifiedDate", 1'551'229'957'987}};
      documents.emplace(id, std::move(document));
    }
    return documents;
  }();
  return kStandard;
}

}  // namespace emulator
