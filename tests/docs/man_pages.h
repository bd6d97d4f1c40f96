#pragma once

#include <string>

namespace audiencesync::docs {

/// Manual pages in roff(7), from the tables that the program parses its command line and files with.
std::string man_of_program();   // audiencesync(1)
std::string man_of_settings();  // audiencesync.yaml(5)
std::string man_of_manifest();  // audiencesync-manifest(5)
/// audiencesync-emulator(1), from what the emulator itself prints about its options.
std::string man_of_emulator();

}  // namespace audiencesync::docs
