# Warnings are errors in our own code; third-party headers are included as system headers.
add_library(audiencesync_warnings INTERFACE)
target_compile_options(audiencesync_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wnull-dereference
  -Werror=return-type -Werror=switch)
# With optimisation GCC 12 sees null pointers and unset members in inlined std::string, std::variant and Result where
# there are none; what these two would find, the sanitizers find in the tests.
target_compile_options(audiencesync_warnings INTERFACE
  $<$<NOT:$<CONFIG:Debug>>:-Wno-null-dereference> $<$<NOT:$<CONFIG:Debug>>:-Wno-maybe-uninitialized>)
if(AUDIENCESYNC_WERROR)
  target_compile_options(audiencesync_warnings INTERFACE -Werror)
endif()
