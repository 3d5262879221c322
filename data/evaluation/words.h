// A response as the words that the judge's rules look at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rim {

// Lower-case words of `text`, contractions written out ("can't" -> "cannot", "I'm" -> "i am"), curly apostrophes read
// as straight ones. Each run of sentence marks that ends a sentence becomes one word ".". Bytes above 127 count as
// letters, digits are left out.
std::vector<std::string> words_of(std::string_view text);

// Words up to the end of sentence number `sentences`, its mark included.
std::vector<std::string> first_sentences(const std::vector<std::string>& words, int sentences);

}  // namespace rim
