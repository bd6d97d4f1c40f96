#include "tests/support/seams.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace audiencesync::testing {
namespace {

Error no_space() { return Error(ErrorCode::NoSpace, "cannot write: no space left on device"); }

class SeamedWriter final : public FileWriter {
 public:
  SeamedWriter(std::unique_ptr<FileWriter> writer, Seam& seam) : writer_(std::move(writer)), seam_(seam) {}

  Result<void> write(std::string_view bytes) override { return writer_->write(bytes); }
  Result<void> sync() override {
    seam_.pass();
    if (seam_.full()) return no_space();
    auto done = writer_->sync();
    seam_.pass();
    return done;
  }

 private:
  std::unique_ptr<FileWriter> writer_;
  Seam& seam_;
};

class SeamedFiles final : public Files {
 public:
  SeamedFiles(Files& files, Seam& seam) : files_(files), seam_(seam) {}

  Result<std::string> read(const Path& path) const override { return files_.read(path); }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return files_.open(path); }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override {
    if (seam_.full()) return no_space();
    auto writer = TRY(files_.create(path));
    return std::unique_ptr<FileWriter>(std::make_unique<SeamedWriter>(std::move(writer), seam_));
  }
  Result<void> write_atomic(const Path& path, std::string_view content) override {
    return durable([&] { return files_.write_atomic(path, content); });
  }
  Result<void> rename(const Path& from, const Path& to) override {
    return durable([&] { return files_.rename(from, to); });
  }
  Result<void> remove(const Path& path) override {
    seam_.pass();
    auto done = files_.remove(path);  // a full disk lets go of files
    seam_.pass();
    return done;
  }
  Result<void> make_folder(const Path& path) override { return files_.make_folder(path); }
  bool exists(const Path& path) const override { return files_.exists(path); }
  Result<std::uint64_t> size(const Path& path) const override { return files_.size(path); }
  Result<Path> real(const Path& path) const override { return files_.real(path); }
  Result<FileFacts> facts(const Path& path) const override { return files_.facts(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override { return files_.list(folder); }

 private:
  template <class Work>
  Result<void> durable(Work work) {
    seam_.pass();
    if (seam_.full()) return no_space();
    auto done = work();
    seam_.pass();
    return done;
  }

  Files& files_;
  Seam& seam_;
};

class SeamedTransport final : public http::Transport {
 public:
  SeamedTransport(http::Transport& transport, Seam& seam) : transport_(transport), seam_(seam) {}

  std::variant<http::Response, http::Failure> exchange(const http::Exchange& exchange, std::stop_token stop) override {
    seam_.pass();
    auto answer = transport_.exchange(exchange, std::move(stop));
    seam_.pass();
    return answer;
  }

 private:
  http::Transport& transport_;
  Seam& seam_;
};

class SeamedStore final : public Store {
 public:
  SeamedStore(std::unique_ptr<Store> store, Seam& seam) : store_(std::move(store)), seam_(seam) {}

  Result<std::optional<SnapshotRecord>> current(const std::string& relation) const override {
    return store_->current(relation);
  }
  Result<std::vector<BatchRecord>> batches(const std::string& relation) const override {
    return store_->batches(relation);
  }
  Result<std::vector<QuarantineRecord>> quarantine(const std::string& relation) const override {
    return store_->quarantine(relation);
  }
  Result<Value> remembered(const std::string& uid, const std::string& key) const override {
    return store_->remembered(uid, key);
  }
  Result<std::vector<ChangeRecord>> open_changes(const std::string& uid) const override {
    return store_->open_changes(uid);
  }
  Result<std::optional<RunRecord>> last_run(const std::string& uid) const override { return store_->last_run(uid); }
  Result<std::vector<RunRecord>> runs(const std::string& uid, std::size_t most) const override {
    return store_->runs(uid, most);
  }
  Result<std::vector<std::string>> syncs() const override { return store_->syncs(); }
  Result<std::vector<HeldPlan>> held_plans(const std::string& uid, std::size_t most) const override {
    return store_->held_plans(uid, most);
  }
  Result<std::vector<HeldPlan>> plans_to_approve(const std::string& digest_prefix) const override {
    return store_->plans_to_approve(digest_prefix);
  }
  Result<std::vector<PastSnapshot>> past_snapshots(const std::string& relation, std::size_t most) const override {
    return store_->past_snapshots(relation, most);
  }
  Result<std::vector<Suspension>> suspensions(const std::string& uid, std::size_t most) const override {
    return store_->suspensions(uid, most);
  }
  Result<void> drop_deltas(const std::string& relation, std::int64_t through) override {
    return durable([&] { return store_->drop_deltas(relation, through); });
  }
  Result<void> replace_deltas(const std::string& relation, const std::map<Digest, Digest>& deltas) override {
    return durable([&] { return store_->replace_deltas(relation, deltas); });
  }
  Result<Suspension> suspend(const Suspension& suspension) override {
    return durable([&] { return store_->suspend(suspension); });
  }
  Result<void> resume(std::int64_t suspension, const std::string& by, const std::string& reason, Time now) override {
    return durable([&] { return store_->resume(suspension, by, reason, now); });
  }
  Result<std::int64_t> begin_audit(const AuditRecord& record) override {
    return durable([&] { return store_->begin_audit(record); });
  }
  Result<void> end_audit(std::int64_t id, int code, Time now) override {
    return durable([&] { return store_->end_audit(id, code, now); });
  }
  Result<std::vector<AuditRecord>> audit(std::size_t most) const override { return store_->audit(most); }
  Result<HeldPlan> hold_plan(const HeldPlan& plan) override {
    return durable([&] { return store_->hold_plan(plan); });
  }
  Result<void> decide_plan(std::int64_t plan, HoldState state, const std::string& by, const std::string& reason,
                           Time now) override {
    return durable([&] { return store_->decide_plan(plan, state, by, reason, now); });
  }

  Result<RunRecord> begin_run(const std::string& uid, const Digest& definition, const Value& manifest,
                              Time now) override {
    return durable([&] { return store_->begin_run(uid, definition, manifest, now); });
  }
  Result<void> end_run(std::int64_t run, const std::string& verdict, const Value& summary, Time now) override {
    return durable([&] { return store_->end_run(run, verdict, summary, now); });
  }
  Result<ChangeRecord> open_change(std::int64_t run, const Change& change, Time now) override {
    return durable([&] { return store_->open_change(run, change, now); });
  }
  Result<void> close_change(std::int64_t change, const std::string& state, const Value& note, Time now) override {
    return durable([&] { return store_->close_change(change, state, note, now); });
  }
  Result<Intent> open_intent(std::int64_t change, const std::string& step, const std::string& sequence,
                             Time now) override {
    return durable([&] { return store_->open_intent(change, step, sequence, now); });
  }
  Result<void> close_intent(std::int64_t intent, const Value& result, Time now) override {
    return durable([&] { return store_->close_intent(intent, result, now); });
  }
  Result<void> raise_sequence(const std::string& sequence, std::int64_t least) override {
    return durable([&] { return store_->raise_sequence(sequence, least); });
  }
  Result<void> commit(std::int64_t intent, const SnapshotRecord& snapshot, const BatchRecord& batch,
                      const std::vector<QuarantineRecord>& people, Time now) override {
    return durable([&] { return store_->commit(intent, snapshot, batch, people, now); });
  }
  Result<void> adopt(std::int64_t intent, const Adoption& adoption, Time now) override {
    return durable([&] { return store_->adopt(intent, adoption, now); });
  }
  Result<void> replace_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) override {
    return durable([&] { return store_->replace_quarantine(relation, people); });
  }
  Result<void> remember(const std::string& uid, const std::string& key, const Value& value) override {
    return durable([&] { return store_->remember(uid, key, value); });
  }

 private:
  template <class Work>
  auto durable(Work work) -> decltype(work()) {
    seam_.pass();
    if (seam_.full()) return no_space();
    auto done = work();
    seam_.pass();
    return done;
  }

  std::unique_ptr<Store> store_;
  Seam& seam_;
};

}  // namespace

Seam Seam::from_environment() {
  const char* count = std::getenv("AUDIENCESYNC_SEAM_COUNT");
  const char* text = std::getenv("AUDIENCESYNC_SEAM");
  const std::string what = text == nullptr ? "" : text;
  const auto at = what.find('@');
  Act act = Act::Count;
  if (what.starts_with("kill@")) act = Act::Kill;
  if (what.starts_with("nospace@")) act = Act::NoSpace;
  return Seam(act, at == std::string::npos ? 0 : std::stoull(what.substr(at + 1)), count == nullptr ? "" : count);
}

Seam::~Seam() {
  if (count_file_.empty()) return;
  std::ofstream file(count_file_);
  file << count_.load() << '\n';
  for (const auto number : asked_) file << number << ' ';
}

void Seam::pass() {
  if (++count_ == at_ && act_ == Act::Kill) _exit(137);
}

bool Seam::full() {
  const auto now = count_.load();
  const std::lock_guard lock(mutex_);
  asked_.insert(now);
  return act_ == Act::NoSpace && now >= at_;
}

std::unique_ptr<Files> seamed_files(Files& files, Seam& seam) { return std::make_unique<SeamedFiles>(files, seam); }

std::unique_ptr<http::Transport> seamed_transport(http::Transport& transport, Seam& seam) {
  return std::make_unique<SeamedTransport>(transport, seam);
}

std::unique_ptr<Store> seamed_store(std::unique_ptr<Store> store, Seam& seam) {
  return std::make_unique<SeamedStore>(std::move(store), seam);
}

}  // namespace audiencesync::testing
