#pragma once

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/json.h"
#include "engine/http/client.h"
#include "tests/platform/fake_client.h"

namespace audiencesync {

/// The part of the platform an ingest talks to: batches that take files, are judged when completed, and tell why.
class BatchPlatform final : public http::ReadClient, public http::WriteClient {
 public:
  enum class Names { Person, Line, Nobody };
  struct Stored {
    std::string dataset;
    std::string external_id;
    std::vector<std::string> tags;
    std::string status = "loading";
    std::map<std::string, std::vector<std::string>> files;  // name -> people, in order
    std::size_t records = 0;
    int looks = 0;
  };

  std::set<std::string> bad;            // people whose records fail their batch
  Names names = Names::Person;          // what the diagnostics of a failed batch show
  int fails_first = 0;                  // batches that fail for no reason at all
  int looks_until_done = 1;             // of a completed batch
  std::size_t loses = 0;                // records of each batch that never arrive
  std::size_t failed_records = 0;       // that a successful batch admits
  bool complete_answers_error = false;  // it has its effect all the same
  std::map<std::string, Stored> batches;

  /// People whose records are readable, in the order of the ids.
  std::string in_dataset() const {
    std::set<std::string> there;
    for (const auto& [id, batch] : batches)
      if (batch.status == "success")
        for (const auto& [name, people] : batch.files) there.insert(people.begin(), people.end());
    std::string text;
    for (const auto& person : there) text += person + " ";
    return text;
  }
  std::size_t people_in_dataset() const {
    const auto text = in_dataset();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  }
  std::vector<std::string> statuses() const {
    std::vector<std::string> all;
    for (const auto& [id, batch] : batches) all.push_back(id + " " + batch.status);
    return all;
  }

  Result<http::Response> read(const http::Request& request) override {
    const std::string catalog = "/data/foundation/catalog/batches";
    if (request.path == catalog) return ok(list(query_of(request, "externalId")));
    if (request.path.starts_with(catalog + "/")) return ok(show(request.path.substr(catalog.size() + 1)));
    const std::string exported = "/data/foundation/export/batches/";
    if (request.path.starts_with(exported)) {
      const auto rest = request.path.substr(exported.size());
      const auto slash = rest.find('/');
      return diagnostics(rest.substr(0, slash), rest.substr(slash + 1), query_of(request, "path"));
    }
    ADD_FAILURE() << "no such read: " << request.path;
    return Error(ErrorCode::Internal, "no such read");
  }

  Result<http::Response> write(const http::Request& request) override {
    const std::string import = "/data/foundation/import/batches";
    if (request.path == import) return create(json_of(text_of_body(request.body)));
    const auto rest = request.path.substr(import.size() + 1);
    const auto id = rest.substr(0, rest.find('/'));
    auto& batch = batches.at(id);
    if (request.method == http::Method::Put) return put(batch, rest.substr(rest.rfind('/') + 1), request.body);
    const auto action = query_of(request, "action");
    if (action == "COMPLETE") return complete(batch);
    if (action == "REVERT") {
      if (batch.status != "success") return Error(ErrorCode::Rejected, "answer 400");
      batch.status = "inactive";
      return ok(Value{});
    }
    if (batch.status != "loading") return Error(ErrorCode::Rejected, "answer 400");
    batch.status = "aborted";
    return ok(Value{});
  }

  Result<http::Download> download(const http::Request&, const Path&, std::uint64_t) override {
    return Error(ErrorCode::Internal, "nothing to download in this test");
  }

 private:
  static Result<http::Response> ok(const Value& body) {
    http::Response response;
    response.status = 200;
    if (!body.is_null()) response.body = to_json(body);
    return response;
  }
  static Result<http::Response> none() {
    http::Response response;
    response.status = 404;
    return response;
  }
  static std::string query_of(const http::Request& request, const std::string& wanted) {
    for (const auto& [name, value] : request.query)
      if (name == wanted) return value;
    return {};
  }
  static std::string text_of_body(const http::Body& body) {
    auto reader = body.open();
    std::string text(body.size, '\0');
    std::size_t done = 0;
    while (reader && done < text.size()) {
      const auto got = (*reader)->read({text.data() + done, text.size() - done});
      if (!got || *got == 0) break;
      done += *got;
    }
    return text;
  }

  Result<http::Response> create(const Value& body) {
    const auto id = fmt::format("B{}", batches.size() + 1);
    auto& made = batches[id];
    made.dataset = body.text("datasetId");
    made.external_id = body.text("externalId");
    for (const auto& tag : body.find("tags")->items("audiencesync")) made.tags.push_back(*tag.string_if());
    return ok(Value::Object{{"id", id}, {"status", "loading"}});
  }

  Result<http::Response> put(Stored& batch, const std::string& name, const http::Body& body) {
    if (batch.status != "loading") return Error(ErrorCode::Rejected, "answer 400");
    auto& people = batch.files[name];
    people.clear();
    std::string text = text_of_body(body);
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      people.push_back(json_of(text.substr(0, end)).text("personID"));
      text.erase(0, end + 1);
    }
    return ok(Value{});
  }

  Result<http::Response> complete(Stored& batch) {
    if (batch.status != "loading") return Error(ErrorCode::Rejected, "answer 400");
    bool spoiled = fails_first-- > 0;
    for (const auto& [name, people] : batch.files) {
      batch.records += people.size();
      for (const auto& person : people) spoiled = spoiled || bad.contains(person);
    }
    batch.status = spoiled ? "failed" : "success";
    if (complete_answers_error) return Error(ErrorCode::Rejected, "answer 400");
    return ok(Value{});
  }

  Value shown(Stored& batch) {
    const bool processing = batch.status != "loading" && batch.status != "aborted" && ++batch.looks < looks_until_done;
    Value value = Value::Object{{"status", processing ? "staging" : batch.status},
                                {"externalId", batch.external_id},
                                {"created", 1'700'000'000'000}};
    if (batch.status == "success") {
      value["metrics"] = Value::Object{{"outputRecordCount", static_cast<std::uint64_t>(batch.records - loses)},
                                       {"failedRecordCount", static_cast<std::uint64_t>(failed_records)}};
    }
    return value;
  }
  Value list(const std::string& external_id) {
    Value all = Value::Object{};
    for (auto& [id, batch] : batches)
      if (batch.external_id == external_id) all[id] = shown(batch);
    return all;
  }
  Value show(const std::string& id) { return Value::Object{{id, shown(batches.at(id))}}; }

  Result<http::Response> diagnostics(const std::string& id, const std::string& folder, const std::string& path) {
    const auto& batch = batches.at(id);
    if (batch.status != "failed" || names == Names::Nobody || folder != "meta") return none();
    const auto entry = [](const char* name) {
      return Value::Object{{"data", Value::Array{Value::Object{{"name", name}, {"length", "9"}}}}};
    };
    if (path.empty()) return ok(entry("row_errors"));
    if (path == "row_errors") return ok(entry("errors_0.json"));
    http::Response response;
    response.status = 200;
    const Value errors = Value::Array{Value::Object{{"code", "INGEST-1"}, {"message", "bad date"}}};
    for (const auto& [name, people] : batch.files) {
      for (std::size_t i = 0; i < people.size(); ++i) {
        if (!bad.contains(people[i])) continue;
        Value line = Value::Object{{"_errors", errors}};
        if (names == Names::Person) {
          line["personID"] = people[i];
        } else {
          line["_rowNumber"] = static_cast<std::uint64_t>(i + 1);
          line["_filename"] = name;
        }
        response.body += to_json(line) + "\n";
      }
    }
    return response;
  }
};

}  // namespace audiencesync
