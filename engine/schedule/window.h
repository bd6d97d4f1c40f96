#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/schedule/cron.h"
#include "engine/schedule/zone.h"

namespace audiencesync {

/// A recurring stretch of time, as declared: it begins whenever the expression is due and lasts `duration`.
struct WindowSpec {
  std::string cron;
  /// Of elapsed time: eight hours from 22:00 end at 05:00 or 07:00 on the days on which the clock is set.
  Duration duration{};
  std::string timezone = "UTC";

  friend bool operator==(const WindowSpec&, const WindowSpec&) = default;
};

/// Whether a run may begin. A run that is going on may always finish.
enum class Opening { Open, Closed };

struct WindowState {
  Opening opening = Opening::Open;
  /// When it changes next; nullopt when that is more than five years away or could not be found (see Windows).
  std::optional<Time> until;
  /// The entry that decides, for people: "deny window '0 22 * * 5' for 48h in Europe/Berlin"; "" without windows.
  std::string reason;
};

/// When runs may begin. A deny window wins over every allow window; with allow windows everything outside them is
/// closed; without any window it is always open. Entries of one list may overlap and touch.
///
/// A value; thread-safe. Questions about the future look at no more than 20,000 beginnings of windows, so that
/// windows of a minute that make up a month cost milliseconds and no more.
class Windows {
 public:
  /// Always open.
  Windows() = default;
  /// Errors: Invalid for an expression, a zone or a duration that is none; Io when there are no time zones here.
  static Result<Windows> make(const std::vector<WindowSpec>& allow, const std::vector<WindowSpec>& deny);

  Opening opening(Time at) const;
  WindowState state(Time at) const;
  /// The first open instant at or after `at`; nullopt as for WindowState::until.
  std::optional<Time> open_from(Time at) const;
  /// The first instant in after < t <= limit at which it is not as it was before; nullopt when there is none.
  std::optional<Time> change(Time after, Time limit) const;

 private:
  struct Entry {
    Cron cron;
    Zone zone;
    Duration duration;

    bool covers(Time at) const;
    std::optional<Time> flip(Time after, Time limit, int& steps) const;
  };

  static Result<std::vector<Entry>> entries(const std::vector<WindowSpec>& specs, const char* list);

  std::vector<Entry> allow_;
  std::vector<Entry> deny_;
};

}  // namespace audiencesync
