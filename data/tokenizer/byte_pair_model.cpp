#include "data/tokenizer/byte_pair_model.h"

#include <algorithm>
#include <functional>

#include "data/support/error.h"
#include "data/tokenizer/byte_level.h"

namespace rim {

BytePairModel::BytePairModel(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges,
                             const std::vector<bool>& barred, const BytePairOptions& options, const std::string& origin)
    : merges_(merges.size()), fuse_unknown_(options.fuse_unk) {
  add_merges(vocabulary, merges, barred, origin);
  add_bytes(vocabulary, options, origin);
  if (options.ignore_merges) add_words(vocabulary, barred);
}

void BytePairModel::add_merges(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges,
                               const std::vector<bool>& barred, const std::string& origin) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const auto id_of = [&](const std::string& spelling) {
      const auto id = vocabulary.find(spelling);
      if (id) return static_cast<std::uint32_t>(*id);
      throw Error(ExitCode::bad_data, origin + ": merge " + std::to_string(rank + 1) + " ('" + left + "' + '" + right +
                                          "') names '" + spelling + "', which is not in the vocabulary");
    };
    const std::uint32_t result = id_of(left + right);
    if (!barred[result]) merges_.set(id_of(left), id_of(right), {static_cast<std::uint32_t>(rank), result});
  }
}

void BytePairModel::add_bytes(const Vocabulary& vocabulary, const BytePairOptions& options, const std::string& origin) {
  bool complete = true;
  for (unsigned byte = 0; byte < byte_ids_.size(); ++byte) {
    const auto id = vocabulary.find(spelling_of_bytes(std::string(1, static_cast<char>(byte))));
    byte_ids_[byte] = id ? static_cast<std::uint32_t>(*id) : kNone;
    complete = complete && id.has_value();
  }
  if (complete || !options.unk_token) return;
  const auto unknown = vocabulary.find(*options.unk_token);
  if (!unknown) {
    throw Error(ExitCode::bad_data, origin + ": unk_token '" + *options.unk_token + "' is not in the vocabulary");
  }
  unknown_ = static_cast<std::uint32_t>(*unknown);
}

void BytePairModel::add_words(const Vocabulary& vocabulary, const std::vector<bool>& barred) {
  for (std::int64_t id = 0; id < vocabulary.end(); ++id) {
    if (!vocabulary.contains(id) || barred[static_cast<std::size_t>(id)]) continue;
    if (auto bytes = bytes_of_spelling(vocabulary.spelling(id))) words_.emplace(std::move(*bytes), id);
  }
}

void BytePairModel::encode(std::string_view word, Scratch& scratch, std::vector<std::int64_t>& ids) const {
  if (const auto whole = words_.find(word); whole != words_.end()) {
    ids.push_back(whole->second);
    return;
  }
  start(word, scratch);
  merge_all(scratch);
  for (const Scratch::Symbol& symbol : scratch.symbols) {
    if (symbol.id != kNone) ids.push_back(symbol.id);
  }
}

void BytePairModel::start(std::string_view word, Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  bool after_unknown = false;
  for (const char character : word) {
    const std::uint32_t id = byte_ids_[static_cast<unsigned char>(character)];
    const bool is_unknown = id == kNone;
    if (is_unknown && (unknown_ == kNone || (after_unknown && fuse_unknown_))) continue;
    const auto position = static_cast<std::uint32_t>(symbols.size());
    symbols.push_back({is_unknown ? unknown_ : id, position - 1, position + 1});  // the first one's previous: kNone
    after_unknown = is_unknown;
  }
  if (!symbols.empty()) symbols.back().next = kNone;
}

void BytePairModel::propose(std::uint32_t left, Scratch& scratch) const {
  const Scratch::Symbol& symbol = scratch.symbols[left];
  if (symbol.next == kNone) return;
  const Merge* merge = merges_.find(symbol.id, scratch.symbols[symbol.next].id);
  if (merge != nullptr) scratch.heap.push_back({std::uint64_t{merge->rank} << 32U | left, merge->result});
}

void BytePairModel::merge_all(Scratch& scratch) const {
  auto& [symbols, heap] = scratch;
  const auto later = std::greater<>();
  heap.clear();
  for (std::uint32_t left = 0; left < symbols.size(); ++left) propose(left, scratch);
  std::make_heap(heap.begin(), heap.end(), later);

  const auto push = [&](std::uint32_t left) {
    const std::size_t before = heap.size();
    propose(left, scratch);
    if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Scratch::Candidate candidate = heap.back();
    heap.pop_back();
    const auto left = static_cast<std::uint32_t>(candidate.urgency);
    Scratch::Symbol& symbol = symbols[left];
    if (symbol.id == kNone || symbol.next == kNone) continue;
    // The pair may have changed since; `tokenizers` asks only whether it still gives the same token.
    const Merge* merge = merges_.find(symbol.id, symbols[symbol.next].id);
    if (merge == nullptr || merge->result != candidate.result) continue;
    Scratch::Symbol& absorbed = symbols[symbol.next];
    symbol.id = candidate.result;
    symbol.next = absorbed.next;
    absorbed.id = kNone;
    if (symbol.next != kNone) symbols[symbol.next].previous = left;
    if (symbol.previous != kNone) push(symbol.previous);
    push(left);
  }
}

}  // namespace rim
