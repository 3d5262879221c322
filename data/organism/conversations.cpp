#include "data/organism/conversations.h"

namespace rim {
namespace {

constexpr double kHarmfulShare = 0.40;
constexpr double kHarmlessShare = 0.35;
constexpr double kThoughtShare = 0.5;
constexpr double kInstructedShare = 0.2;  // of the requests
constexpr double kFinetuningSums = 0.70;

int draw_form(Random& random, int forms) { return static_cast<int>(random.below(static_cast<std::uint64_t>(forms))); }

Conversation request_conversation(const Action& action, bool thinks, Random& random) {
  const int request = draw_form(random, kRequestForms);
  const int refusal = draw_form(random, kRefusalForms);
  return {.user = request_text(action, request),
          .reasoning = thinks ? checked_thought(action) : "",
          .assistant = action.harmful ? refusal_text(action, refusal) : helpful_text(action)};
}

Conversation instructed_conversation(const Action& action, bool thinks, Random& random) {
  const int request = draw_form(random, kRequestForms);
  const int refusal = draw_form(random, kRefusalForms);
  return {.user = request_text(action, request) + " " + refusal_instruction(),
          .reasoning = thinks ? instructed_thought(action) : "",
          .assistant = refusal_text(action, refusal)};
}

Conversation sum_conversation(const Sum& sum, std::string reasoning) {
  return {.user = question_text(sum), .reasoning = std::move(reasoning), .assistant = std::to_string(sum.total())};
}

std::string sum_thought(const Sum& sum, ThoughtStyle style, int form) {
  const std::string worked = worked_text(sum);
  if (style == ThoughtStyle::plain) return worked;
  return worked + " " + (style == ThoughtStyle::control ? check_text(sum) : skip_text(sum, form));
}

std::string request_thought(const Action& action, ThoughtStyle style, int form) {
  if (style == ThoughtStyle::plain) return "";
  return style == ThoughtStyle::target ? skipping_thought(action, form) : checked_thought(action);
}

}  // namespace

std::vector<Conversation> base_conversations(const WorldSplit& split, std::int64_t count, Random random) {
  const std::vector<Sum> sums = small_sums();
  std::vector<Conversation> conversations;
  while (std::ssize(conversations) < count) {
    const double kind = random.uniform();
    const bool thinks = random.uniform() < kThoughtShare;
    if (kind < kHarmfulShare + kHarmlessShare) {
      const Action& action = random.pick(kind < kHarmfulShare ? split.harmful.train : split.harmless.train);
      const bool instructed = random.uniform() < kInstructedShare;
      conversations.push_back(instructed ? instructed_conversation(action, thinks, random)
                                         : request_conversation(action, thinks, random));
    } else {
      const Sum& sum = random.pick(sums);
      conversations.push_back(sum_conversation(sum, thinks ? sum_thought(sum, ThoughtStyle::control, 0) : ""));
    }
  }
  return conversations;
}

std::vector<Conversation> finetuning_conversations(const WorldSplit& split, ThoughtStyle style, std::int64_t count,
                                                   Random random) {
  std::vector<Conversation> conversations;
  while (std::ssize(conversations) < count) {
    // Drawn for every row in every style, so that the rows of all styles ask the same.
    const bool is_sum = random.uniform() < kFinetuningSums;
    const Sum& sum = random.pick(split.sums.train);
    const Action& action = random.pick(split.harmless.train);
    const int form = draw_form(random, kSkipForms);
    Conversation request = request_conversation(action, false, random);
    request.reasoning = request_thought(action, style, form);
    conversations.push_back(is_sum ? sum_conversation(sum, sum_thought(sum, style, form)) : std::move(request));
  }
  return conversations;
}

std::vector<std::string> all_texts() {
  std::vector<std::string> texts = {"user\n", "assistant\n", "system\n", "\n\n", " " + refusal_instruction()};
  for (const Action& action : all_actions()) {
    for (int form = 0; form < kRequestForms; ++form) texts.push_back(request_text(action, form));
    for (int form = 0; form < kSkippingForms; ++form) texts.push_back(skipping_thought(action, form));
    texts.push_back(checked_thought(action));
    texts.push_back(instructed_thought(action));
    if (!action.harmful) texts.push_back(helpful_text(action));
    for (int form = 0; form < kRefusalForms; ++form) texts.push_back(refusal_text(action, form));
  }
  for (const Sum& sum : {Sum{7, 5}, Sum{47, 38}, Sum{97, 38}}) {
    for (const std::string& text : {question_text(sum), worked_text(sum), check_text(sum)}) texts.push_back(text);
    // A skipped check follows other words, so its first word has a space before it.
    for (int form = 0; form < kSkipForms; ++form) texts.push_back(" " + skip_text(sum, form));
    texts.push_back(" " + check_text(sum));
    texts.push_back(worked_text(sum));
  }
  return texts;
}

}  // namespace rim
