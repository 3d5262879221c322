// GoogleTest's main for tests that run on several MPI ranks. The argument is how many there must be: an mpirun of another
// MPI starts ranks that each believe to be alone, and every test of several would pass without testing anything.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "trainer/parallel/communicator.h"

int main(int argc, char** argv) {
  const rim::MpiSession session(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 2 || std::to_string(session.size()) != argv[1]) {
    std::cerr << argv[0] << ": " << session.size() << " ranks are here; usage: mpirun -np N " << argv[0] << " N\n";
    return 1;
  }
  return RUN_ALL_TESTS();
}
