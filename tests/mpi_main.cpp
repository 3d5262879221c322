// GoogleTest's main for tests that run on several MPI ranks.
#include <gtest/gtest.h>

#include "trainer/parallel/communicator.h"

int main(int argc, char** argv) {
  const rim::MpiSession session(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
