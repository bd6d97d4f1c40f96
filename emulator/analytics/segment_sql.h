#pragma once

#include <functional>
#include <string>

#include "emulator/http/message.h"

namespace emulator {

/// What a segment's definition is compiled against.
struct SegmentSource {
  /// SQL of `person`, `value` of a dimension of people; "" when the name is no such dimension.
  std::function<std::string(const std::string& name)> of_people;
  /// SQL of the value of one event `e`; "" when the name is no dimension of events.
  std::function<std::string(const std::string& name)> of_event;
  /// SQL of what one event `e` adds to a metric; "" when the name is no metric of events.
  std::function<std::string(const std::string& name)> of_metric;
};

/// A definition as an SQL condition on one row `e` of the table `events` (person, session, ...).
///
/// Understands containers of people, sessions and events, and, or, without, comparisons of texts, lists and numbers,
/// existence of dimensions and metrics, and totals of metrics. Throws HttpError 400 for what it does not understand (it
/// never guesses) and for more containers, rules or components than a segment may have.
std::string segment_condition(const Json& definition, const SegmentSource& source);

}  // namespace emulator
