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

# rim_test(trainer/model) makes rim_trainer_model_tests of tests/trainer/model/*_test.cpp.
function(rim_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK")
  string(REPLACE "/" "_" name "rim_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${name} ${ARG_LINK} rim_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE RIMSCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${folder} COMMAND ${name}_tests --gtest_brief=1)
  set_tests_properties(${folder} PROPERTIES LABELS unit TIMEOUT 600)
endfunction()
