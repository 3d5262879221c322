// rimscope: see launch/verbs for what it can do.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "data/support/error.h"
#include "launch/verbs/command_line.h"
#include "trainer/parallel/communicator.h"

int main(int argc, char** argv) {
  try {
    const rim::MpiSession session(argc, argv);
    return rim::run_command_line({argv, argv + argc}, session);
  } catch (const rim::Error& error) {
    std::cerr << "rimscope: error: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "rimscope: error: " << error.what() << "\n";
    return static_cast<int>(rim::ExitCode::software);
  }
}
