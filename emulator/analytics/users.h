#pragma once

#include <string>

#include "emulator/analytics/answers.h"

namespace emulator {

/// Who calls the API, and who clicks in the user interface; both belong to the organisation.
inline constexpr const char* kTechnicalAccount = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";
inline constexpr const char* kSomebody = "5C0D1A2B3E4F506172839405@AdobeID";

/// A user as `owner` of something shows him; null for somebody the organisation does not have.
Json analytics_user(const std::string& id);
/// His address; "" for somebody the organisation does not have.
std::string user_email(const std::string& id);

/// The owner a body names, else the technical account. Throws the service's 401 for one of another organisation.
Json owner_of_body(const Json& body);

/// GET /configuration/users/me, a cheap probe of credentials, and the users of the organisation.
void add_user_routes(AnalyticsRoutes& routes, Platform& platform);

}  // namespace emulator
