# Warnings are errors in our own code; third-party headers are included as system headers.
add_library(audiencesync_warnings INTERFACE)
target_compile_options(audiencesync_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wnull-dereference
  -Werror=return-type -Werror=switch)
if(AUDIENCESYNC_WERROR)
  target_compile_options(audiencesync_warnings INTERFACE -Werror)
endif()
