// Everything that is wrong with a configuration, reported at once.
#pragma once

#include <string>
#include <vector>

#include "launch/config/config_node.h"

namespace rim {

class Problems {
 public:
  void add(const Place& place, const std::string& message) { entries_.push_back({place, message}); }
  // Throws Error(config) with one line per problem, in the order of the file, the command line's last.
  void raise() const;

 private:
  struct Entry {
    Place place;
    std::string message;
  };
  std::vector<Entry> entries_;
};

}  // namespace rim
