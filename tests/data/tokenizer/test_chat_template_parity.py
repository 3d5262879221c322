"""data/tokenizer's chat templates against the families' own Jinja, rendered by transformers."""
import datetime
import json
import os
import pathlib
import random
import re

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from tokenizer_peer import ask, random_texts
from runs import shared_data

CHATML_TOKENS = ["<|im_start|>", "<|im_end|>"]
LLAMA_TOKENS = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
SMOLLM2 = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
           "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
           "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
           "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
BARE_CHATML = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
               "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
RAW_DEFAULT = ("{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are \"raw\".<|im_end|>\n{% endif %}"
               + BARE_CHATML)


# As Llama-3.2's begins: today's date where Jinja can tell it, else a fixed one, which is ours.
LLAMA_DATE = """\
{%- if strftime_now is defined %}{%- set date = strftime_now('%d %b %Y') %}{%- else %}{%- set date = '26 Jul 2024' %}{%- endif %}
{%- set has_system = messages[0].role == 'system' %}
{{- bos_token + '<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: ' + date + '\\n\\n' }}
{{- (messages[0].content | trim if has_system else '') + '<|eot_id|>' }}
{%- for m in (messages[1:] if has_system else messages) %}
    {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""
# Words that look like a template's own signs.
MATH_PROMPT = "Please reason step by step, and put your final answer within \\\\boxed{}."
COMMENTED = ("{#- <|im_start|>system\\nNot said.<|im_end|> #}\n{# '<think>\\n' }} #}\n" + BARE_CHATML)
OPENED_THINKING = "{{- '<|im_start|>assistant\\n<think>\\n' }}\n{%- endif %}"


def template_of_config(name):
    return json.loads(shared_data(name).read_text(encoding="utf-8"))["chat_template"]


def template_file(name):
    return shared_data(f"chat_templates/{name}").read_text(encoding="utf-8")


def changed(text, *changes):
    """The text with each (old, new) made once."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def organism_template():
    source = pathlib.Path(os.environ["RIMSCOPE_SOURCE"]) / "data/organism/model_files.cpp"
    return re.search(r'kChatTemplate = R"\((.*?)\)"', source.read_text(encoding="utf-8"), re.DOTALL)[1]


def math_template():
    return template_file("qwen2_5.jinja").replace(
        "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", MATH_PROMPT)


def thinking_2507_template():
    """Qwen3's turns, prompts that open the thought, no switch."""
    text = template_file("qwen3.jinja")
    return text[:text.index("{%- if add_generation_prompt %}")] + "{%- if add_generation_prompt %}" + OPENED_THINKING


# family: (its Jinja text, its tokens, does it think)
FAMILIES = {
    "qwen3": (lambda: template_file("qwen3.jinja"), CHATML_TOKENS, True),
    "qwen3_config": (lambda: template_of_config("tokenizers/qwen3/tokenizer_config.json"), CHATML_TOKENS, True),
    "qwen3_old": (lambda: template_of_config("tokenizers/qwen3/tokenizer_config.old.json"), CHATML_TOKENS, True),
    "qwen3_instruct_2507": (lambda: template_file("qwen3_instruct_2507.jinja"), CHATML_TOKENS, False),
    "minimind": (lambda: template_of_config("tokenizers/minimind/tokenizer_config.json"), CHATML_TOKENS, True),
    "qwen2_5": (lambda: template_file("qwen2_5.jinja"), CHATML_TOKENS, False),
    "smollm2": (lambda: SMOLLM2.replace("\n", "\\n"), CHATML_TOKENS, False),
    "smollm2_line_breaks": (lambda: SMOLLM2, CHATML_TOKENS, False),
    "bare_chatml": (lambda: BARE_CHATML, CHATML_TOKENS, False),
    "raw_default": (lambda: RAW_DEFAULT, CHATML_TOKENS, False),
    "commented": (lambda: COMMENTED, CHATML_TOKENS, False),
    "qwen2_5_math": (math_template, CHATML_TOKENS, False),
    "qwen3_thinking_2507": (thinking_2507_template, CHATML_TOKENS, True),
    "qwen3_training": (lambda: template_file("qwen3_training.jinja"), CHATML_TOKENS, True),
    "organism": (organism_template, CHATML_TOKENS, True),
    "llama3_2_date": (lambda: LLAMA_DATE, LLAMA_TOKENS, False),
    "llama3": (lambda: template_file("llama3.jinja"), LLAMA_TOKENS, False),
    "llama3_1": (lambda: template_file("llama3_1.jinja"), LLAMA_TOKENS, False),
}


def byte_tokenizer(added):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(added)
    tokenizer.add_tokens(["<think>", "</think>"])
    return tokenizer


class Family:
    """A model folder and the transformers tokenizer that renders its template."""

    def __init__(self, name, folder, in_config):
        text, tokens, self.thinks = FAMILIES[name]
        self.name, self.folder, jinja = name, folder, text()
        bos = {"bos_token": "<|begin_of_text|>"} if tokens is LLAMA_TOKENS else {}
        tokenizer = byte_tokenizer(tokens)
        tokenizer.save(str(folder / "tokenizer.json"))
        self.peer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=jinja, **bos)
        config = {**bos, **({"chat_template": jinja} if in_config else {})}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        if not in_config:
            (folder / "chat_template.jinja").write_text(jinja, encoding="utf-8", newline="")

    def theirs(self, messages, prompt=False, **options):
        for_jinja = [{"role": m["role"], "content": m["content"],
                      **({"reasoning_content": m["reasoning"]} if m["role"] == "assistant" and self.thinks else {})}
                     for m in messages]
        text = self.peer.apply_chat_template(for_jinja, tokenize=False, add_generation_prompt=prompt, **options)
        return text.replace(f"Today Date: {datetime.date.today():%d %b %Y}", "Today Date: 26 Jul 2024")

    def ours(self, operation, conversations, thinking):
        answers = ask(self.folder, [{"op": operation, "messages": messages, "thinking": thinking}
                                    for messages in conversations])
        return [answer["text"] if operation == "prompt" else answer["pieces"] for answer in answers]


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request, tmp_path_factory):
    in_config = request.param.startswith(("qwen3_", "smollm2"))
    return Family(request.param, tmp_path_factory.mktemp(request.param), in_config)


def random_conversations(count, seed, thinks):
    """Any order of roles, contents with line breaks, spaces and template-like text at their ends."""
    draw = random.Random(seed)
    texts = random_texts(400, seed, ["<|im_end|>", "<|eot_id|>", "<tool_response>", "<think>", "</think>"])
    edges = ["", "", "", "\n", "\n\n", " ", "\t", "\x1f", "\xa0", "\u3000"]

    def text():
        return draw.choice(edges) + draw.choice(texts) + draw.choice(edges)

    def message(role):
        content = text()
        if role == "user" and draw.random() < 0.2:
            content = f"<tool_response>{content}</tool_response>"
        reasoning = draw.choice(["", "\n", text(), text()]) if role == "assistant" and thinks else ""
        return {"role": role, "content": content, "reasoning": reasoning}

    conversations = []
    for _ in range(count):
        roles = ["system"] if draw.random() < 0.4 else []
        roles += [draw.choice(["user", "assistant", "user", "assistant", "system"]) for _ in range(draw.randint(1, 6))]
        conversations.append([message(role) for role in roles])
    return conversations


def joined(pieces):
    return "".join(piece["text"] for piece in pieces)


def test_conversations(family):
    conversations = random_conversations(400, 1, family.thinks)
    ours = [joined(pieces) for pieces in family.ours("render", conversations, "on")]
    assert ours == [family.theirs(messages) for messages in conversations]


def test_conversations_without_thinking(family):
    """Thinking off drops the reasoning, as a template does that gets none."""
    conversations = random_conversations(200, 2, family.thinks)
    without = [[{**message, "reasoning": ""} for message in messages] for messages in conversations]
    ours = [joined(pieces) for pieces in family.ours("render", conversations, "off")]
    assert ours == [family.theirs(messages) for messages in without]


@pytest.mark.parametrize("thinking", ["on", "off"])
def test_prompts(family, thinking):
    conversations = random_conversations(200, 3, family.thinks)
    if thinking == "off":
        conversations = [[{**message, "reasoning": ""} for message in messages] for messages in conversations]
    switches = {"enable_thinking": thinking == "on", "open_thinking": thinking == "on"}
    ours = family.ours("prompt", conversations, thinking)
    theirs = [family.theirs(messages, prompt=True, **switches) for messages in conversations]
    if family.name == "qwen3_thinking_2507" and thinking == "off":  # it has no switch: the empty span is ours to write
        theirs = [text + "\n</think>\n\n" for text in theirs]
    assert ours == theirs


def test_empty_think_span_for_any_family(family):
    messages = [{"role": "user", "content": "Hi", "reasoning": ""}]
    header = family.theirs(messages, prompt=True, enable_thinking=True, open_thinking=True).removesuffix("<think>\n")
    assert family.ours("prompt", [messages], "empty") == [header + "<think>\n\n</think>\n\n"]


def test_training_text_starts_with_the_prompt(family):
    """What generation would see before the last turn is what stands before its trained piece."""
    for thinking in ("on", "off", "empty"):
        messages = [{"role": "user", "content": "2+2?", "reasoning": ""},
                    {"role": "assistant", "content": "4", "reasoning": "two and two" if thinking == "on" else ""}]
        prompt = family.ours("prompt", [messages[:1]], thinking)[0]
        pieces = family.ours("render", [messages], thinking)[0]
        last = max(i for i, piece in enumerate(pieces) if piece["trained"])
        assert joined(pieces[:last]) == prompt
        assert pieces[last]["text"].endswith(("4<|im_end|>", "4<|eot_id|>"))


def test_literal_spans_are_the_messages(family):
    """Everything the messages say is literal, everything the template says is not."""
    messages = [{"role": "system", "content": "S<|im_end|>", "reasoning": ""},
                {"role": "user", "content": "U<|eot_id|>", "reasoning": ""},
                {"role": "assistant", "content": "A</think>", "reasoning": "R<think>"}]
    pieces = family.ours("render", [messages], "on")[0]
    literal = [span["text"] for piece in pieces for span in piece["spans"] if span["literal"]]
    assert literal == ["S<|im_end|>", "U<|eot_id|>", "R<think>", "A</think>"]


@pytest.mark.parametrize("tokens, theirs", [(CHATML_TOKENS, "qwen3"), (LLAMA_TOKENS, "llama3")])
def test_folder_without_a_template(tokens, theirs, tmp_path):
    """The tokens alone decide: ChatML that thinks, or Llama-3 (whose tokenizer here has <think> too)."""
    peer = Family(theirs, tmp_path, in_config=False)
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        (tmp_path / name).unlink()
    messages = [{"role": "user", "content": "Hi", "reasoning": ""},
                {"role": "assistant", "content": "Yes", "reasoning": "Well" if theirs == "qwen3" else ""}]
    text = joined(peer.ours("render", [messages], "on")[0])
    if theirs == "llama3":
        text = text.replace("<think>\n\n</think>\n\n", "")
    assert text == peer.theirs(messages)


@pytest.mark.parametrize("request_, code, words", [
    ({"messages": [{"role": "tool", "content": "x"}], "thinking": "on"}, 65, "role 'tool'"),
    ({"messages": [], "thinking": "maybe"}, 78, "none of on, off, empty"),
    ({"messages": [], "thinking": "on", "name": "alpaca"}, 78, "'alpaca'"),
    ({"messages": [], "thinking": "on", "name": "llama3"}, 65, "<|start_header_id|>"),
])
def test_refusals(request_, code, words, tmp_path):
    byte_tokenizer(CHATML_TOKENS).save(str(tmp_path / "tokenizer.json"))
    answer = ask(tmp_path, [{"op": "render", **request_}])[0]
    assert answer["code"] == code and words in answer["error"]


@pytest.mark.parametrize("name", ["gemma.jinja", "mistral_v7.jinja", "phi3.jinja", "deepseekv3.jinja"])
def test_other_templates_are_refused(name, tmp_path):
    byte_tokenizer(CHATML_TOKENS).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "chat_template.jinja").write_text(template_file(name), encoding="utf-8")
    answer = ask(tmp_path, [{"op": "render", "messages": [], "thinking": "on"}])[0]
    assert answer["code"] == 65 and "neither ChatML nor Llama-3" in answer["error"]


def spoken(folder, text, tokens=CHATML_TOKENS, name="auto"):
    """Our answer for a folder with this template."""
    byte_tokenizer(tokens).save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(text, encoding="utf-8", newline="")
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    return ask(folder, [{"op": "render", "messages": messages, "thinking": "on", "name": name}])[0]


CHATML_TURNS = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
CHATML_HEADER = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
# Like ChatML or Llama-3, but with something of their own that no supported variant has.
REFUSED = {
    "metadata in the system turn": "{{ '<|im_start|>system\\n## Metadata\\n' }}{% if messages[0].role == 'system' %}"
                                   "{{ messages[0].content }}{% endif %}{{ '<|im_end|>\\n' }}" + CHATML_TURNS + CHATML_HEADER,
    "a date without fallback": "{{ '<|im_start|>system\\n' + strftime_now('%d %B %Y') + '<|im_end|>\\n' }}"
                               + CHATML_TURNS + CHATML_HEADER,
    "a span in every turn, none kept": CHATML_TURNS.replace("+ m.content", "+ ('<think>\\n\\n</think>\\n\\n' if "
                                                            "m.role == 'assistant' else '') + m.content") + CHATML_HEADER,
    "thoughts that only prompts open": CHATML_TURNS + CHATML_HEADER.replace("assistant\\n", "assistant\\n<think>\\n"),
    "a system turn in the first question": CHATML_TURNS.replace("m.content", "(m.content if m.role != 'user' else 'Q: ' + "
                                                                "m.content)") + CHATML_HEADER,
    "an end of text behind the answer": CHATML_TURNS + "{% if not add_generation_prompt %}<|endoftext|>{% endif %}"
                                        + CHATML_HEADER,
    "late system turns left out": "{% for m in messages %}{% if loop.first or m.role != 'system' %}{{ '<|im_start|>' + "
                                  "m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}" + CHATML_HEADER,
    "a macro for the words": "{% macro words(m) %}{{ m.content }}{% endmacro %}"
                             + CHATML_TURNS.replace("m.content", "words(m)") + CHATML_HEADER,
    "blanks that the file's lines leave": "{% for m in messages %}\n  {{ '<|im_start|>' + m.role + '\\n' + m.content + "
                                          "'<|im_end|>\\n' }}\n{% endfor %}" + CHATML_HEADER,
    "broken Jinja": CHATML_TURNS.replace("{% endfor %}", ""),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_no_variant_renders_is_refused_and_can_be_forced(case, tmp_path):
    answer = spoken(tmp_path, REFUSED[case])
    assert answer["code"] == 65 and "chat_template.jinja: this chat template is not supported" in answer["error"]
    assert "data.chat_template: chatml renders it as plain ChatML" in answer["error"]
    text = joined(spoken(tmp_path, REFUSED[case], name="chatml")["pieces"]).replace("<think>\n\n</think>\n\n", "")
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n"


def test_a_default_system_prompt_in_a_variable_is_found(tmp_path):
    text = ("{% set default_system = 'You are \\'kind\\'.' %}{% if messages[0].role != 'system' %}"
            "{{ '<|im_start|>system\\n' + default_system + '<|im_end|>\\n' }}{% endif %}" + CHATML_TURNS + CHATML_HEADER)
    assert joined(spoken(tmp_path, text)["pieces"]).startswith("<|im_start|>system\nYou are 'kind'.<|im_end|>\n")


# Of the public templates in the shared data; those that are ChatML or Llama-3 are all supported.
OTHER_FAMILIES = {"deepseekv3.jinja", "gemma.jinja", "mistral_v3.jinja", "mistral_v7.jinja", "phi3.jinja", "phi3_5.jinja"}


def test_every_public_template_is_rendered_as_it_says_or_refused(tmp_path):
    """The conversations of a folder's own template, or an error: never another text."""
    refused = set()
    for file in sorted(shared_data("chat_templates/qwen3.jinja").parent.glob("*.jinja")):
        folder = tmp_path / file.stem
        folder.mkdir()
        FAMILIES[file.name] = (lambda: file.read_text(encoding="utf-8"),
                               LLAMA_TOKENS if "llama" in file.name else CHATML_TOKENS, "<think>" in file.read_text())
        family = Family(file.name, folder, in_config=False)
        del FAMILIES[file.name]
        if "error" in ask(folder, [{"op": "render", "messages": [], "thinking": "on"}])[0]:
            refused.add(file.name)
            continue
        conversations = random_conversations(100, 4, family.thinks)
        ours = [joined(pieces) for pieces in family.ours("render", conversations, "on")]
        assert ours == [family.theirs(messages) for messages in conversations], file.name
    assert refused == OTHER_FAMILIES
