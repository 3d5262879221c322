// The templates that word problems are drawn from.
#pragma once

#include <vector>

#include "data/organism/word_problems.h"

namespace rim {

using ProblemTemplate = WordProblem (*)(Random& random);
const std::vector<ProblemTemplate>& problem_templates();

}  // namespace rim
