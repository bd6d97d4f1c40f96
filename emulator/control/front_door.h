#pragma once

#include <atomic>
#include <memory>

#include "emulator/auth/gateway.h"
#include "emulator/control/call_log.h"
#include "emulator/control/faults.h"
#include "emulator/control/latency.h"
#include "emulator/control/recorder.h"
#include "emulator/http/front.h"

namespace emulator {

/// Takes every request through fault, gateway and route, and keeps the log of calls.
///
/// Control calls (/_emulator/...) are never counted, recorded or met by a fault.
class FrontDoor : public Front {
 public:
  /// `recorder` may be null. Everything must outlive the server.
  FrontDoor(Platform& platform, const Router& router, const Gateway& gateway, Faults& faults, CallLog& calls,
            Recorder* recorder, Latency latency = Latency::None);

  std::unique_ptr<Call> arrive(const Request& head) override;
  void interrupt() override { faults_.interrupt(); }
  std::string date() const override { return http_date(platform_.clock.now_ms()); }

 private:
  class ClientCall;

  Response route(const Router::Match& match, Request& request) const;
  std::string request_id(const Request& request);

  Platform& platform_;
  const Router& router_;
  const Gateway& gateway_;
  Faults& faults_;
  CallLog& calls_;
  Recorder* recorder_;
  Latency latency_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace emulator
