// Nothing but the target that precompiles the headers of launch/cmake/Rooms.cmake.
