#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/world.h"

namespace audiencesync::testing {

using Members = std::map<std::string, std::set<std::string>>;

/// What the platform holds when a faulty run begins.
enum class Start {
  NewPlatform,  // nothing of ours, not even a schema
  NewSync,      // our schema, but no dataset of this sync
  Changed,      // a converged sync, and people who have changed since
};
const char* to_string(Start start);

/// Which engine compares.
enum class By { Local, Query };

/// One call of a run at which a fault can be aimed.
struct Step {
  std::string method;
  std::string path;   // with `*` for ids
  std::string query;  // the part of it that tells this kind of call from others, or ""
  int before = 0;     // calls of the same kind that come earlier

  bool writes() const;
  bool is_list() const;
  std::string name() const;
  /// A fault that meets this call and the `times` - 1 next ones of its kind; 0 means all that follow.
  std::string fault(const std::string& action, int times = 1) const;
};

/// The calls of an undisturbed run, in order; repeated looks at one job or batch only a few times.
const std::vector<Step>& steps_of_run(Start start, By engine = By::Local);

/// One run that something goes wrong in.
struct Case {
  std::string name;
  Start start = Start::Changed;
  By engine = By::Local;
  std::string faults = "[]";
  std::set<int> codes{0};                                          // what the run may end with
  std::chrono::milliseconds at_least{0};                           // that the run must take
  std::string seam = "count";                                      // see seams.h
  std::function<void(World&)> arrange = {};                        // before the run
  std::function<void(World&)> repair = {};                         // after it
  std::function<std::string(World&, const Members&)> expect = {};  // instead of "equals the truth"; "" when it holds
  enum class Meets { Surely, Perhaps } meets = Meets::Surely;
};

/// Plays every case, two at a time: the faulty run, then `apply` without the fault unless it ended with 0.
///
/// Checks of each: the exit code; no person id, token or secret in what is printed; nobody lost and nobody invented
/// in the target between the two runs; the target equal to the truth at the end, no leftover, nothing twice.
/// Reports what fails as gtest failures.
void play(const std::vector<Case>& cases);

}  // namespace audiencesync::testing
