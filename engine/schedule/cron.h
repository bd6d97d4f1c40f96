#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/model/cron_fields.h"
#include "engine/schedule/zone.h"

namespace audiencesync {

/// A cron expression and the instants it means in a time zone. A value; thread-safe.
///
/// Times at which the wall clock jumps:
/// - Forward: what was due in the hour that does not exist is due once, at the first instant after it, so that a day
///   never loses its run. An expression that names every hour is not: its next time is less than an hour away anyway.
/// - Back: times that the wall clock shows twice are due when it shows them first. An interval (every hour is named,
///   or the minute has a `*`) is due in both passes, so that the distance between two runs stays what was asked for.
/// So do most crons with jumps of up to three hours; here it holds for every jump.
///
/// Everything is computed from wall-clock instants and nothing is remembered: a clock that is set needs no repair here.
class Cron {
 public:
  /// Errors: Invalid, with the place in the expression and what to write instead. See parse_cron for what is read.
  static Result<Cron> parse(std::string_view text);

  /// As written.
  const std::string& text() const { return text_; }

  /// The first due instant strictly after `after`, a whole second.
  ///
  /// nullopt only for an `after` outside the years 1900 to 8999, or when nothing is due in the next fifty years, which
  /// no expression that was parsed does. Cost: microseconds; a date that is decades away some hundred.
  std::optional<Time> next(Time after, const Zone& zone) const;

  /// The newest due instant in after < t <= until, from 1900 on; nullopt when there is none. Cost: some forty times
  /// `next` when there is one.
  std::optional<Time> newest(Time after, Time until, const Zone& zone) const;

 private:
  Cron(std::string text, const CronFields& fields) : text_(std::move(text)), fields_(fields) {}

  std::string text_;
  CronFields fields_;
};

}  // namespace audiencesync
