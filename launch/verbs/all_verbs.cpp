#include "launch/verbs/verb.h"

namespace rim {

std::vector<Verb> all_verbs() {
  return {train_verb(),         data_show_verb(),     report_verb(), summary_verb(),         generate_verb(),
          organism_make_verb(), word_problems_verb(), doctor_verb(), config_reference_verb()};
}

}  // namespace rim
