# Imported targets for libtorch as PyPI's torch wheel (or an unpacked libtorch) ships it.
#
# Our own, because the wheel's TorchConfig.cmake asks for a CUDA toolkit with nvcc, which neither the build nor the
# CPU path needs. Targets: rim::torch (CPU side) and, where the folder has CUDA libraries and NCCL's and the CUDA
# runtime's headers are at hand, rim::torch_cuda.

set(LIBTORCH "" CACHE PATH "Folder of an unpacked libtorch, or the torch package of a Python environment")
set(_torch_candidates "")
if(NOT LIBTORCH)
  file(GLOB _torch_candidates ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  if(_torch_candidates)
    list(GET _torch_candidates 0 LIBTORCH)
  endif()
endif()
if(NOT EXISTS ${LIBTORCH}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "No libtorch: '${LIBTORCH}/lib/libtorch_cpu.so' does not exist. "
                      "Run `make setup`, or configure with -DLIBTORCH=DIR (a folder holding include/ and lib/).")
endif()
get_filename_component(LIBTORCH ${LIBTORCH} REALPATH)
get_filename_component(_site_packages ${LIBTORCH} DIRECTORY)

file(STRINGS ${LIBTORCH}/include/torch/headeronly/version.h _version_lines
     REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3"
       LIBTORCH_VERSION "${_version_lines}")
if(LIBTORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "libtorch in ${LIBTORCH} is ${LIBTORCH_VERSION}; RIMscope needs 2.11 or newer.")
endif()
message(STATUS "libtorch ${LIBTORCH_VERSION} in ${LIBTORCH}")

function(_rim_import name file)
  add_library(${name} SHARED IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${file})
endfunction()

_rim_import(rim_c10 ${LIBTORCH}/lib/libc10.so)
_rim_import(rim_torch_cpu ${LIBTORCH}/lib/libtorch_cpu.so)

add_library(rim_torch INTERFACE)
add_library(rim::torch ALIAS rim_torch)
target_include_directories(rim_torch SYSTEM INTERFACE
  ${LIBTORCH}/include ${LIBTORCH}/include/torch/csrc/api/include)
target_link_libraries(rim_torch INTERFACE rim_torch_cpu rim_c10)
# The wheel's CUDA libraries are needed by libtorch_cpu itself; the linker must find them without LD_LIBRARY_PATH.
target_link_options(rim_torch INTERFACE -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags)
set(CMAKE_BUILD_RPATH ${LIBTORCH}/lib)

# NO_CACHE: with another LIBTORCH in the same tree they must be looked for again.
find_path(RIM_CUDA_RUNTIME_INCLUDE cuda_runtime_api.h
  PATHS ${_site_packages}/nvidia/cu13/include ${_site_packages}/nvidia/cuda_runtime/include NO_DEFAULT_PATH NO_CACHE)
# What cuda_runtime.h and nccl.h include and their own wheels lack; Triton carries the first too. Searched for by us alone:
# a toolkit below /usr/local would hide that a machine without one cannot build.
find_path(RIM_CUDA_CRT_INCLUDE crt/host_config.h
  PATHS ${RIM_CUDA_RUNTIME_INCLUDE} ${_site_packages}/triton/backends/nvidia/include NO_DEFAULT_PATH NO_CACHE)
find_path(RIM_CUDA_TARGET_INCLUDE nv/target
  PATHS ${RIM_CUDA_RUNTIME_INCLUDE} ${RIM_CUDA_RUNTIME_INCLUDE}/cccl NO_DEFAULT_PATH NO_CACHE)
find_path(RIM_NCCL_INCLUDE nccl.h PATHS ${_site_packages}/nvidia/nccl/include NO_DEFAULT_PATH NO_CACHE)
find_library(RIM_NCCL_LIBRARY NAMES libnccl.so.2 PATHS ${_site_packages}/nvidia/nccl/lib NO_DEFAULT_PATH NO_CACHE)
find_library(RIM_CUDA_RUNTIME_LIBRARY NAMES libcudart.so.13 libcudart.so.12
  PATHS ${_site_packages}/nvidia/cu13/lib ${_site_packages}/nvidia/cuda_runtime/lib NO_DEFAULT_PATH NO_CACHE)

if(EXISTS ${LIBTORCH}/lib/libtorch_cuda.so AND RIM_CUDA_RUNTIME_INCLUDE AND RIM_CUDA_CRT_INCLUDE
   AND RIM_CUDA_TARGET_INCLUDE AND RIM_NCCL_INCLUDE AND RIM_NCCL_LIBRARY AND RIM_CUDA_RUNTIME_LIBRARY)
  _rim_import(rim_c10_cuda ${LIBTORCH}/lib/libc10_cuda.so)
  _rim_import(rim_torch_cuda_library ${LIBTORCH}/lib/libtorch_cuda.so)
  _rim_import(rim_nccl ${RIM_NCCL_LIBRARY})
  _rim_import(rim_cudart ${RIM_CUDA_RUNTIME_LIBRARY})
  add_library(rim_torch_cuda INTERFACE)
  add_library(rim::torch_cuda ALIAS rim_torch_cuda)
  target_include_directories(rim_torch_cuda SYSTEM INTERFACE
    ${RIM_CUDA_RUNTIME_INCLUDE} ${RIM_CUDA_CRT_INCLUDE} ${RIM_CUDA_TARGET_INCLUDE} ${RIM_NCCL_INCLUDE})
  target_link_libraries(rim_torch_cuda INTERFACE rim_torch rim_torch_cuda_library rim_c10_cuda rim_nccl rim_cudart)
  set(RIM_HAVE_NCCL TRUE)
  message(STATUS "NCCL in ${RIM_NCCL_LIBRARY}: the NCCL backend is built")
elseif(_torch_candidates AND EXISTS ${LIBTORCH}/lib/libtorch_cuda.so)
  message(FATAL_ERROR "The torch wheel in ${LIBTORCH} lacks NCCL or the headers of NCCL and the CUDA "
                      "runtime: remove .venv and run `make setup`.")
else()
  set(RIM_HAVE_NCCL FALSE)
  message(STATUS "No CUDA libraries or no NCCL and CUDA runtime headers beside libtorch: the NCCL backend is left out")
endif()
