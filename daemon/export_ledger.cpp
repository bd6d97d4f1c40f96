#include "daemon/export_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

// A run that waited in vain ends and comes back soon: its place is kept that long for it.
constexpr Duration kKeepPlace = std::chrono::minutes(30);

struct InQueue {
  ExportHolder who;
  Time seen{};
};

Value holder_value(const ExportHolder& holder) {
  return Value::Object{{"uid", holder.uid},
                       {"sync", holder.sync},
                       {"dataset", holder.dataset},
                       {"job", holder.job},
                       {"since", to_epoch_ms(holder.since)}};
}

ExportHolder holder_from(const Value& value) {
  ExportHolder holder;
  holder.uid = value.text("uid");
  holder.sync = value.text("sync");
  holder.dataset = value.text("dataset");
  holder.job = value.text("job");
  holder.since = from_epoch_ms(value.number("since").value_or(0));
  return holder;
}

}  // namespace

struct ExportLedger::Book {
  std::optional<ExportHolder> holder;
  std::vector<InQueue> waiting;  // whoever asked first is the first
};

Path ExportLedger::sign_of_life(const std::string& uid) const { return folder_ / (name_ + ".alive") / uid; }

Result<LockedFile> ExportLedger::lock() const {
  const auto path = folder_ / (name_ + ".lock");
  auto held = LockedFile::open(path, stop_);
  if (held) return std::move(*held);
  if (stop_.stop_requested()) return Error(ErrorCode::Interrupted, "interrupted while asking for an export slot");
  return Error(ErrorCode::Io, fmt::format("{} cannot be opened and locked, so no export slot can be taken; check owner "
                                          "and free space of the state folder",
                                          path.string()));
}

// Nobody else waits for this lock: others only look whether it is held, and only under the lock of the book.
Result<void> ExportLedger::show_life(const std::string& uid) {
  if (alive_) return {};
  alive_ = LockedFile::open(sign_of_life(uid), stop_);
  if (alive_) return {};
  if (stop_.stop_requested()) return Error(ErrorCode::Interrupted, "interrupted while asking for an export slot");
  return Error(ErrorCode::Io, fmt::format("{} cannot be opened and locked, so no export slot can be taken; check owner "
                                          "and free space of the state folder",
                                          sign_of_life(uid).string()));
}

// A file that cannot be understood is nobody's: at worst two jobs run at once for a while.
Result<ExportLedger::Book> ExportLedger::read() const {
  Book book;
  const auto text = PosixFiles().read(folder_ / (name_ + ".json"));
  if (!text.ok() && text.error().code() != ErrorCode::NotFound) return text.error();
  const auto value = parse_json(text.ok() ? *text : "{}");
  if (!value.ok()) return book;
  if (const auto* holder = value->find("holder"); holder != nullptr && holder->is_object())
    book.holder = holder_from(*holder);
  for (const auto& each : value->items("waiting"))
    book.waiting.push_back({holder_from(each), from_epoch_ms(each.number("seen").value_or(0))});
  return book;
}

Result<void> ExportLedger::write(const Book& book) const {
  Value value = Value::Object{{"version", 1}, {"holder", book.holder ? holder_value(*book.holder) : Value()}};
  Value::Array waiting;
  for (const auto& each : book.waiting) {
    auto one = holder_value(each.who);
    one["seen"] = to_epoch_ms(each.seen);
    waiting.push_back(std::move(one));
  }
  value["waiting"] = std::move(waiting);
  return PosixFiles().write_atomic(folder_ / (name_ + ".json"), to_json(value));
}

ExportHolder ExportLedger::seen(ExportHolder holder) const {
  holder.process =
      LockedFile::is_held(sign_of_life(holder.uid)) ? ExportHolder::Process::Alive : ExportHolder::Process::Gone;
  return holder;
}

Result<std::optional<ExportHolder>> ExportLedger::take(const ExportHolder& ours) {
  const auto held = TRY(lock());
  TRY(show_life(ours.uid));
  auto book = TRY(read());
  auto& waiting = book.waiting;
  const auto is_ours = [&](const InQueue& each) { return each.who.uid == ours.uid; };
  if (book.holder && book.holder->uid == ours.uid) {
    // An earlier process may have begun a job since then that nobody has named yet: the time stays, an old name goes.
    const bool named = !book.holder->job.empty() || book.holder->dataset != ours.dataset;
    book.holder->job.clear();
    book.holder->dataset = ours.dataset;
    if (std::erase_if(waiting, is_ours) > 0 || named) TRY(write(book));
    return std::optional<ExportHolder>();
  }
  std::erase_if(waiting, [&](const InQueue& each) {
    const bool expired = each.seen + kKeepPlace < ours.since || each.seen > ours.since + kKeepPlace;
    return !is_ours(each) && expired && seen(each.who).process == ExportHolder::Process::Gone;
  });
  std::optional<ExportHolder> before;
  if (book.holder) before = seen(*book.holder);
  for (const auto& each : waiting) {
    if (before || is_ours(each)) break;
    // Whoever is not there now keeps its place, but holds nobody up.
    const auto first = seen(each.who);
    if (first.process == ExportHolder::Process::Alive) before = first;
  }
  auto place = std::find_if(waiting.begin(), waiting.end(), is_ours);
  if (!before) {
    if (place != waiting.end()) waiting.erase(place);
    book.holder = ours;
    TRY(write(book));
    return before;
  }
  constexpr Duration kOften = kKeepPlace / 10;
  if (place == waiting.end()) {
    waiting.push_back({ours, ours.since});
    TRY(write(book));
  } else if (place->seen + kOften < ours.since || place->seen > ours.since) {
    place->seen = ours.since;
    TRY(write(book));
  }
  return before;
}

Result<void> ExportLedger::started(const std::string& uid, const std::string& job) {
  const auto held = TRY(lock());
  auto book = TRY(read());
  if (!book.holder || book.holder->uid != uid) return {};
  TRY(show_life(uid));
  if (book.holder->job == job) return {};
  book.holder->job = job;
  return write(book);
}

Result<void> ExportLedger::release(const std::string& uid) {
  const auto held = TRY(lock());
  auto book = TRY(read());
  alive_.reset();
  if (!book.holder || book.holder->uid != uid) return {};
  book.holder.reset();
  return write(book);
}

Result<void> ExportLedger::vacate(const ExportHolder& gone) {
  const auto held = TRY(lock());
  auto book = TRY(read());
  const bool same = book.holder && book.holder->uid == gone.uid && book.holder->since == gone.since;
  if (!same || seen(*book.holder).process == ExportHolder::Process::Alive) return {};
  book.holder.reset();
  return write(book);
}

}  // namespace audiencesync
