#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/plugin/context.h"
#include "engine/plugin/stage.h"
#include "tests/platform/fake_client.h"

namespace audiencesync {

/// Time that moves only when somebody sleeps.
class FakeClock final : public Clock {
 public:
  Time now() const override { return now_; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(now_.time_since_epoch());
  }
  bool sleep(Duration duration, std::stop_token) const override {
    now_ += duration;
    return true;
  }

 private:
  mutable Time now_ = from_epoch_ms(1'700'000'000'000);
};

class FakeEvents final : public EventSink {
 public:
  void emit(std::string_view name, std::initializer_list<Field>) override { names.emplace_back(name); }
  void warn(std::string_view name, std::initializer_list<Field>) override { names.emplace_back(name); }
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  std::vector<std::string> names;
};

class FakeRecords final : public Records {
 public:
  Result<std::optional<SnapshotRecord>> current(const std::string&) const override { return snapshot; }
  Result<std::vector<BatchRecord>> batches(const std::string&) const override { return written; }
  Result<std::vector<QuarantineRecord>> quarantine(const std::string&) const override {
    return std::vector<QuarantineRecord>();
  }
  Result<Value> remembered(const std::string&, const std::string& key) const override {
    const auto found = kept.find(key);
    return found == kept.end() ? Value() : found->second;
  }
  Result<std::vector<ChangeRecord>> open_changes(const std::string&) const override { return open; }
  Result<std::optional<RunRecord>> last_run(const std::string&) const override { return std::optional<RunRecord>(); }
  Result<std::vector<RunRecord>> runs(const std::string&, std::size_t) const override {
    return std::vector<RunRecord>();
  }
  Result<std::vector<std::string>> syncs() const override { return std::vector<std::string>(); }
  Result<std::vector<PastSnapshot>> past_snapshots(const std::string&, std::size_t) const override {
    return std::vector<PastSnapshot>();
  }
  Result<std::vector<Suspension>> suspensions(const std::string&, std::size_t) const override {
    return std::vector<Suspension>();
  }
  Result<std::vector<HeldPlan>> plans_to_approve(const std::string&) const override { return std::vector<HeldPlan>(); }
  Result<std::vector<HeldPlan>> held_plans(const std::string&, std::size_t) const override {
    return std::vector<HeldPlan>();
  }

  std::map<std::string, Value> kept;
  std::optional<SnapshotRecord> snapshot;
  std::vector<BatchRecord> written;
  std::vector<ChangeRecord> open;
};

/// Memberships that these stages never touch; one of them asks how many there are.
class NoMemberships final : public Memberships {
 public:
  Result<Bulk> compare(const RelationSpec&, const SourceRef&, const BaseRef&, std::stop_token) override {
    return none();
  }
  Digest question(const RelationSpec&, const SourceRef&, const BaseRef&) const override { return {}; }
  bool holds(const Bulk&) const override { return false; }
  Result<Upload> encode(const RelationSpec&, const Bulk&, const EncodeOptions&, const Path&, std::stop_token) override {
    return none();
  }
  Result<std::vector<ChangedRow>> sample(const Bulk&, std::size_t) override { return none(); }
  Result<std::unique_ptr<MemberReader>> members(const Digest&) override { return none(); }
  Result<KeptDelta> keep_delta(const DeltaRequest&, std::stop_token) override { return none(); }
  Result<std::unique_ptr<PastMembers>> past(const PastRef&) override { return none(); }
  Result<Digest> recall(const PastRef&, std::stop_token) override { return none(); }
  Result<Digest> erase(const Digest&, const Forgotten&, std::stop_token) override { return none(); }
  std::optional<std::uint64_t> delta_bytes(const Digest&) const override { return std::nullopt; }
  Result<std::vector<AudiencePeople>> people(const Digest&) override { return counted; }
  Result<std::string> shape(const Digest&) override { return none(); }
  Result<std::uint64_t> holders(const Digest&) override { return counted.size(); }
  Result<void> check(const Digest&) override { return none(); }
  Result<void> clean(const std::set<Digest>&) override { return none(); }

  std::vector<AudiencePeople> counted;  // of every snapshot

 private:
  static Error none() { return Error(ErrorCode::Internal, "no memberships in this test"); }
};

/// A WriteContext without a log: what an earlier process left open is given by `interrupted`.
class FakeWriteContext final : public WriteContext {
 public:
  FakeWriteContext(const RunServices& services, const OutputTable& outputs, FakeClient& client)
      : WriteContext(services, outputs), client_(client) {}

  Result<Value> once(const Step& step, const Find& find, const Make& make) override {
    if (const auto done = results.find(step.name); done != results.end()) return done->second;
    Attempt attempt;
    attempt.opened = opened.value_or(server().now());
    bool uncertain = interrupted.contains(step.name);
    for (int tried = 0; tried < 3; ++tried) {
      if (uncertain && find) {
        auto found = TRY(find(attempt));
        if (found) return results[step.name] = *found;
      }
      auto made = make(client_, attempt);
      if (made) return results[step.name] = std::move(made).take();
      if (made.error().code() != ErrorCode::Unknown) return std::move(made).error();
      uncertain = true;
    }
    return Error(ErrorCode::Unavailable, "no known outcome");
  }

  Result<Value> wait(std::string_view what, Duration poll, Duration deadline,
                     const std::function<Result<std::optional<Value>>()>& look) override {
    const auto end = clock().now() + deadline;
    while (true) {
      auto seen = TRY(look());
      if (seen) return *seen;
      if (clock().now() >= end) return Error(ErrorCode::NotFinished, std::string(what) + " is not finished");
      clock().sleep(poll, {});
    }
  }

  Result<void> commit(const Step&, const SnapshotRecord&, const BatchRecord&,
                      const std::vector<QuarantineRecord>&) override {
    return Error(ErrorCode::Internal, "no commit in this test");
  }

  Result<void> adopt(const Step&, const Adoption&) override { return Error(ErrorCode::Internal, "not in this test"); }
  Result<void> quarantine(const std::string&, const std::vector<QuarantineRecord>&) override {
    return Error(ErrorCode::Internal, "no quarantine in this test");
  }

  std::set<std::string> interrupted;     // steps whose intent an earlier process left open
  std::optional<Time> opened;            // when it was opened
  std::map<std::string, Value> results;  // of closed steps

 private:
  FakeClient& client_;
};

/// Everything a stage is given, with one manifest.
struct FakeWorld {
  FakeWorld() {
    manifest.file = "luma.yaml";
    manifest.name = "luma";
    manifest.uid = "luma";
    manifest.tenant = "_demo";
    manifest.identity.field = "_demo.core.email";
    manifest.identity.namespace_code = "Email";
    manifest.target.dataset = "audiencesync membership: luma";
  }

  ReadContext read() { return ReadContext(services, outputs); }
  FakeWriteContext write() { return FakeWriteContext(services, outputs, client); }

  FakeClient client;
  FakeClock clock;
  ServerTime server{clock};
  FakeEvents events;
  FakeRecords records;
  NoMemberships memberships;
  PosixFiles files;
  Manifest manifest;
  Settings settings;
  OutputTable outputs;
  RunServices services{client, memberships, records,  files,     clock, server,
                       events, manifest,    settings, "state-1", "",    {}};
};

/// Codes of findings of one severity, in order.
inline std::vector<std::string> codes_of(const std::vector<Finding>& findings, Severity severity) {
  std::vector<std::string> codes;
  for (const auto& finding : findings)
    if (finding.severity == severity) codes.push_back(finding.code);
  return codes;
}

/// The text of the first finding with that code, "" when there is none.
inline std::string text_of(const std::vector<Finding>& findings, std::string_view code) {
  for (const auto& finding : findings)
    if (finding.code == code) return finding.text;
  return {};
}

}  // namespace audiencesync
