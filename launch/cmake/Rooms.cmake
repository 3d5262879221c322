# One static library for each folder of a room, and one GoogleTest program that mirrors it under tests/.

add_library(rim_warnings INTERFACE)
target_compile_options(rim_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  $<$<BOOL:${RIMSCOPE_WARNINGS_AS_ERRORS}>:-Werror>)

# rim_library(trainer/model LINK rim_data_support rim::torch) makes rim_trainer_model of trainer/model/*.cpp.
function(rim_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK")
  string(REPLACE "/" "_" name "rim_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE rim_warnings)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# rim_precompile(target): test programs of rooms that use libtorch spend most of their compile time in its headers, so
# they read them precompiled, from one file for all. Sources still include what they use: with
# CMAKE_DISABLE_PRECOMPILE_HEADERS=ON they compile the same.
function(rim_precompile target)
  if(NOT TARGET rim_test_headers)
    add_library(rim_test_headers OBJECT ${CMAKE_SOURCE_DIR}/tests/precompiled.cpp)
    target_link_libraries(rim_test_headers PRIVATE rim::torch nlohmann_json::nlohmann_json rim_warnings GTest::gtest
                          GTest::gmock)
    target_precompile_headers(rim_test_headers PRIVATE <ATen/ATen.h> <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp>)
    rim_cache_precompiled(rim_test_headers)
  endif()
  target_precompile_headers(${target} REUSE_FROM rim_test_headers)
  rim_cache_precompiled(${target})
endfunction()

# What ccache's manual asks for where GCC reads precompiled headers.
function(rim_cache_precompiled target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
  if(CMAKE_CXX_COMPILER_LAUNCHER STREQUAL ccache)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER
                          "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;ccache")
  endif()
endfunction()

# rim_uses_torch(result target): whether the target links rim::torch, directly or through others.
function(rim_uses_torch result target)
  set(found FALSE)
  get_target_property(libraries ${target} LINK_LIBRARIES)
  foreach(library ${libraries})
    if(library STREQUAL rim::torch)
      set(found TRUE)
    elseif(library MATCHES "^rim_" AND NOT library STREQUAL rim_warnings)
      rim_uses_torch(found ${library})
    endif()
    if(found)
      break()
    endif()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# rim_test(trainer/model) makes rim_trainer_model_tests of tests/trainer/model/*_test.cpp.
function(rim_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK")
  string(REPLACE "/" "_" name "rim_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cpp)
  list(FILTER sources EXCLUDE REGEX "_mpi_test\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "tests/${folder} holds no *_test.cpp")
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${name} ${ARG_LINK} rim_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE RIMSCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  rim_uses_torch(uses_torch ${name})
  if(uses_torch)
    rim_precompile(${name}_tests)
  endif()
  add_test(NAME ${folder} COMMAND ${name}_tests --gtest_brief=1)
  set_tests_properties(${folder} PROPERTIES LABELS unit TIMEOUT 600 ENVIRONMENT "${RIM_TEST_ENVIRONMENT}")
endfunction()

# rim_mpi_test(trainer/parallel 1 2 4) runs tests/trainer/parallel/*_mpi_test.cpp under mpirun with each number of ranks.
function(rim_mpi_test folder)
  string(REPLACE "/" "_" name "rim_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_mpi_test.cpp)
  if(NOT sources)
    message(FATAL_ERROR "tests/${folder} holds no *_mpi_test.cpp")
  endif()
  add_executable(${name}_mpi_tests ${sources} ${CMAKE_SOURCE_DIR}/tests/mpi_main.cpp)
  target_link_libraries(${name}_mpi_tests PRIVATE ${name} rim_trainer_parallel rim_warnings GTest::gtest GTest::gmock)
  rim_precompile(${name}_mpi_tests)
  foreach(ranks ${ARGN})
    add_test(NAME ${folder}/mpi-${ranks}
             COMMAND mpirun -np ${ranks} $<TARGET_FILE:${name}_mpi_tests> --gtest_brief=1 ${ranks})
    set_tests_properties(${folder}/mpi-${ranks} PROPERTIES
      LABELS mpi TIMEOUT 300 PROCESSORS 2 ENVIRONMENT "${RIM_TEST_ENVIRONMENT};${RIM_MPI_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

# rim_test_tool(tools/model_tool LINK rim_trainer_model) builds bin/model_tool of tests/tools/model_tool.cpp.
function(rim_test_tool path)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK")
  get_filename_component(name ${path} NAME)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/tests/${path}.cpp)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} rim_warnings)
endfunction()

function(rim_python_test file)
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/${file} is_long REGEX "^# ctest: long" LIMIT_COUNT 1)
  string(REGEX REPLACE "\\.py$" "" name ${file})
  add_test(NAME ${name} COMMAND ${RIM_PYTHON} -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(labels python)
  if(is_long)
    list(APPEND labels long)
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT 1200 PROCESSORS 2 ENVIRONMENT "${RIM_TEST_ENVIRONMENT};${RIM_MPI_TEST_ENVIRONMENT}")
endfunction()
