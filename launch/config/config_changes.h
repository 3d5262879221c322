// What two resolved configurations differ in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rim {

// One line for each key that `earlier` and `now`, both RunConfig::text, hold with different values, in the order of
// `now`: "learning_rate was 1e-4 before, and is 2e-4 now". Keys of one call alone (resume_from_checkpoint,
// overwrite_output_dir, output_dir) are passed over. Empty where `earlier` is no such text: it is not this call's.
std::vector<std::string> config_changes(std::string_view earlier, std::string_view now);

}  // namespace rim
