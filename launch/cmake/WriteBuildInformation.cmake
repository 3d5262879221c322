# cmake -DSOURCE=... -DVERSION=... -DOUTPUT=... -P WriteBuildInformation.cmake
# Writes the header that launch/verbs/version.cpp includes, and only where it would change, so that a build of an
# unchanged tree compiles nothing.

execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
set(dirty unknown)
if(failed)
  set(commit unknown)
else()
  # New files too: the build takes every source that it finds.
  execute_process(COMMAND git -C ${SOURCE} status --porcelain -- CMakeLists.txt data trainer monitors launch
                  OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    if(changes)
      set(dirty true)
    else()
      set(dirty false)
    endif()
  endif()
endif()

set(text "#pragma once

namespace rim {
inline constexpr const char* kBuildVersion = \"${VERSION}\";
inline constexpr const char* kBuildCommit = \"${commit}\";
inline constexpr const char* kBuildDirty = \"${dirty}\";
}  // namespace rim
")
set(written "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} written)
endif()
if(NOT written STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
