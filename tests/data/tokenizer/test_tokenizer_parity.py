"""data/tokenizer against Hugging Face's tokenizers: ids and decoded text, token for token."""
import gzip
import json
import random
import time

import pytest
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)
from transformers import PreTrainedTokenizerFast
from tokenizer_peer import MARKS, ask, decode, encode, every_character, random_texts, varied_characters
from runs import shared_data

LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4O_SPLIT = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
               r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
               r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TRAINING_TEXTS = ["The quick brown fox doesn't jump over 12345 lazy dogs.", "def main():\n    print('hello')\n\n\n",
                  "Ünïcödé ist schön, это тоже, 日本語も。", "x = 1000000 + 2500 * 33", "I'll say: WE'RE HERE!!!   ok"] * 20


def byte_level(use_regex=False, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def trained(pre_tokenizer, ignore_merges=False, normalizer=None):
    """A small tokenizer trained on the spot, with a special, a plain and some awkward added tokens."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(TRAINING_TEXTS, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>", "<|im_end|>x"])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("fox", single_word=True),
                          AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True, normalized=False),
                          AddedToken("<both>", lstrip=True, rstrip=True, single_word=True),
                          AddedToken("e\u0301te\u0301", normalized=True), AddedToken("two words"),
                          AddedToken("quick", normalized=False)])
    return tokenizer


RULES = {
    "llama3": lambda: trained(pre_tokenizers.Sequence([split(LLAMA3_SPLIT), byte_level()]), ignore_merges=True),
    "llama3_merges": lambda: trained(pre_tokenizers.Sequence([split(LLAMA3_SPLIT), byte_level()])),
    "gpt4o": lambda: trained(pre_tokenizers.Sequence([split(GPT4O_SPLIT), byte_level()])),
    "smollm2": lambda: trained(pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(use_regex=True)])),
    "digit_runs": lambda: trained(pre_tokenizers.Sequence([pre_tokenizers.Digits(False), byte_level(use_regex=True)])),
    "prefix_space": lambda: trained(byte_level(use_regex=True, prefix=True), normalizer=normalizers.NFC()),
    "prefix_space_pieces": lambda: trained(pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(True, True)])),
    "no_split": lambda: trained(byte_level(), normalizer=normalizers.Sequence([normalizers.NFC()])),
    "removed": lambda: trained(pre_tokenizers.Sequence([split(r"\s+|\d", "removed"), byte_level()])),
    "removed_inverted": lambda: trained(pre_tokenizers.Sequence([split(r"\p{L}*|\S", "removed", True), byte_level()])),
    "marks": lambda: trained(pre_tokenizers.Sequence([split(r"\p{M}1|\p{P} |\p{S}\n|\P{L}|[\S]{2}"), byte_level()])),
    "deepseek": lambda: trained(pre_tokenizers.Sequence([
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
        split(r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+"""
              r"""[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""), byte_level()])),
}
REAL = ["qwen3", "gpt2", "olmo-dolma2", "minimind"]


def real_tokenizer(name, folder):
    """What our tokenizer is given, and Hugging Face's."""
    if name == "qwen3":
        path = folder / "tokenizer.json"
        path.write_bytes(gzip.decompress(shared_data("tokenizers/qwen3/tokenizer.json.gz").read_bytes()))
    elif name == "gpt2":
        path = shared_data("tokenizers/gpt2/vocab.json").parent
        peer = Tokenizer(models.BPE.from_file(str(path / "vocab.json"), str(path / "merges.txt")))
        peer.pre_tokenizer, peer.decoder = byte_level(use_regex=True), decoders.ByteLevel()
        peer.add_special_tokens(["<|endoftext|>"])
        return path, peer
    else:
        path = shared_data(f"tokenizers/{name}/tokenizer.json")
    return path, Tokenizer.from_file(str(path))


def make_pair(name, folder):
    if name in REAL:
        return real_tokenizer(name, folder)
    peer = RULES[name]()
    peer.save(str(folder / "tokenizer.json"))
    return folder, peer


@pytest.fixture(scope="module", params=REAL + list(RULES))
def pair(request, tmp_path_factory):
    return make_pair(request.param, tmp_path_factory.mktemp(request.param))


def added_tokens(peer):
    return [token.content for token in peer.get_added_tokens_decoder().values()]


def differences(path, peer, texts):
    theirs = [encoding.ids for encoding in peer.encode_batch(texts, add_special_tokens=False)]
    ours = encode(path, texts)
    return [(text, mine, yours) for text, mine, yours in zip(texts, ours, theirs) if mine != yours]


def golden_texts():
    text = shared_data("tokenizers/golden/cases.inp").read_text(encoding="utf-8")
    return text.split("\n__ggml_vocab_test__\n")


def test_golden_cases(pair):
    texts = golden_texts()
    assert len(texts) == 47
    assert differences(*pair, texts) == []


@pytest.mark.parametrize("name, answers", [("qwen3", "qwen2.out"), ("gpt2", "gpt-2.out")])
def test_golden_answers(name, answers, tmp_path):
    path, _ = real_tokenizer(name, tmp_path)
    wanted = shared_data(f"tokenizers/golden/{answers}").read_text().split("\n")
    texts = golden_texts()
    assert len(wanted) == len(texts)
    assert encode(path, texts) == [[int(token) for token in line.split()] for line in wanted]


@pytest.mark.parametrize("name", REAL + ["llama3", "smollm2"])
def test_generated_texts(name, tmp_path):
    path, peer = make_pair(name, tmp_path)
    assert differences(path, peer, random_texts(10_000, 1, added_tokens(peer))) == []


def test_more_generated_texts(pair):
    path, peer = pair
    assert differences(path, peer, random_texts(1500, 9, added_tokens(peer))) == []


def exposing(peer, folder):
    """The tokenizer's split rule over a vocabulary in which a, 1, space and line break merge with any neighbouring byte,
    so that the ids tell where words were cut."""
    alphabet, borders = sorted(pre_tokenizers.ByteLevel.alphabet()), "a1ĠĊ"
    merges = [(left, right) for left in borders for right in alphabet]
    merges += [(left, right) for left in alphabet for right in borders if left not in borders]
    vocabulary = {token: i for i, token in enumerate(alphabet + [left + right for left, right in merges])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = peer.pre_tokenizer, decoders.ByteLevel()
    if peer.normalizer:
        tokenizer.normalizer = peer.normalizer
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder, tokenizer


def surrounded(characters):
    """Each character between a letter, a digit and a space, so that a wrong class or case shows."""
    return ["".join(f"a{character}1{character} {character}\n" for character in characters[start:start + 50])
            for start in range(0, len(characters), 50)]


def test_cuts_at_varied_characters(pair, tmp_path):
    assert differences(*exposing(pair[1], tmp_path), surrounded(varied_characters())) == []


@pytest.mark.parametrize("rule", ["llama3", "gpt4o", "marks"])  # together they tell all categories apart
def test_cuts_at_every_character(rule, tmp_path):
    assert differences(*exposing(RULES[rule](), tmp_path), surrounded(every_character())) == []


def test_word_borders(tmp_path):
    """single_word asks of every character whether it belongs to a word."""
    characters = varied_characters()
    texts = ["".join(f"{character}fox fox{character} " for character in characters[start:start + 50])
             for start in range(0, len(characters), 50)]
    assert differences(*make_pair("llama3", tmp_path), texts) == []


@pytest.mark.parametrize("name", ["qwen3", "prefix_space", "no_split"])
def test_normalization_of_marks(name, tmp_path):
    """Characters between marks of two classes: order and composition are those of tokenizers' own tables."""
    characters = varied_characters()
    texts = ["".join(f"a\u0301{character}\u0323 e{character}\u0308" for character in characters[start:start + 50])
             for start in range(0, len(characters), 50)]
    draw = random.Random(3)
    texts += ["".join(draw.choice(MARKS + "aeo한\u1100\u1161\u11a8") for _ in range(50)) for _ in range(500)]
    assert differences(*make_pair(name, tmp_path), texts) == []


def test_decoding(pair):
    path, peer = pair
    draw = random.Random(2)
    size = peer.get_vocab_size()
    rows = [[draw.randrange(size) for _ in range(draw.randint(0, 20))] for _ in range(2000)]
    rows += [encoding.ids for encoding in peer.encode_batch(random_texts(500, 4, added_tokens(peer)))]
    rows += [[token] for token in range(size)]
    for skip in (False, True):
        theirs = [peer.decode(row, skip_special_tokens=skip) for row in rows]
        assert [(row, mine, yours) for row, mine, yours in zip(rows, decode(path, rows, skip), theirs)
                if mine != yours] == []


def test_broken_utf8(pair):
    path, peer = pair
    draw = random.Random(5)
    broken = [bytes(draw.choice(b"a \x80\xbf\xc0\xc3\xe2\x82\xac\xed\xa0\xf0\x9f\x98\x80\xf4\x90\xff")
                    for _ in range(draw.randint(1, 30))) for _ in range(1000)]
    theirs = [peer.encode(text.decode("utf-8", "replace"), add_special_tokens=False).ids for text in broken]
    ours = [answer["ids"] for answer in ask(path, [{"op": "encode", "hex": text.hex()} for text in broken])]
    assert ours == theirs


def test_template_spans_are_like_plain_text(pair):
    """Without literal spans, how a text is cut into spans changes nothing."""
    path, peer = pair
    draw = random.Random(6)
    texts = random_texts(1000, 7, added_tokens(peer))
    requests = []
    for text in texts:
        cut = draw.randint(0, len(text))
        requests.append({"op": "encode_spans", "spans": [{"text": text[:cut], "literal": False},
                                                         {"text": text[cut:], "literal": False}]})
    theirs = [peer.encode(text, add_special_tokens=False).ids for text in texts]
    assert [answer["ids"] for answer in ask(path, requests)] == theirs


def barred(peer):
    """Added tokens that literal text must not become: special ones and tags. Others are spellings like any other."""
    special = {token.content for token in peer.get_added_tokens_decoder().values() if token.special}
    return [name for name in added_tokens(peer) if name in special or name[0] + name[-1] in ("<>", "[]")]


def literal_ids(path, texts):
    answers = ask(path, [{"op": "encode_spans", "spans": [{"text": text, "literal": True}]} for text in texts])
    return [answer["ids"] for answer in answers]


def test_literal_text_never_yields_special_tokens_and_tags(pair):
    path, peer = pair
    names = added_tokens(peer)
    texts = random_texts(2000, 8, names) + names
    forbidden = {peer.token_to_id(name) for name in barred(peer)}
    ours = literal_ids(path, texts)
    assert not any(set(ids) & forbidden for ids in ours)
    plain = {text for text in texts if not any(name in text for name in barred(peer))}
    wanted = [peer.encode(text, add_special_tokens=False).ids for text in texts if text in plain]
    assert [ids for ids, text in zip(ours, texts) if text in plain] == wanted


def test_runs_of_blanks_that_are_added_tokens(tmp_path):
    """As GPT-NeoX's and OLMo's tokenizers have them: literal code keeps its indents' tokens."""
    peer = trained(byte_level(use_regex=True))
    peer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(2, 25)])
    path = tmp_path / "tokenizer.json"
    peer.save(str(path))
    texts = ["def f(x):\n    if x:\n        return  1\n" + " " * 30 + "pass", "a  b", "   ", *random_texts(300, 9, ["  ", " " * 7])]
    assert literal_ids(path, texts) == [peer.encode(text, add_special_tokens=False).ids for text in texts]


START = "<|im_start|>"


@pytest.mark.parametrize("name", ["template", "in_sequence", "roberta", "none"])
def test_whole_texts_begin_as_transformers_tokenizer_begins_them(name, tmp_path):
    peer = trained(pre_tokenizers.Sequence([split(LLAMA3_SPLIT), byte_level()]))
    start, end = ((token, peer.token_to_id(token)) for token in (START, "<|im_end|>"))
    template = processors.TemplateProcessing(single=f"{START} $A", pair=f"{START} $A {START} $B", special_tokens=[start])
    peer.post_processor = {"template": template, "roberta": processors.RobertaProcessing(end, start),
                           "in_sequence": processors.Sequence([processors.ByteLevel(trim_offsets=False), template]),
                           "none": processors.ByteLevel(trim_offsets=False)}[name]
    path = tmp_path / "tokenizer.json"
    peer.save(str(path))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=peer)
    texts = ["", "Hi", f"{START}Hi", f"a{START}", *random_texts(200, 10, added_tokens(peer))]
    theirs = [wrapped(text).input_ids for text in texts]
    if name == "roberta":  # its end token is left to the sample's
        theirs = [ids[:-1] for ids in theirs]
    ours = [answer["ids"] for answer in ask(path, [{"op": "encode_whole_text", "text": text} for text in texts])]
    assert ours == theirs
    assert (ours[0] == []) == (name == "none")


def test_a_decoder_in_a_sequence_of_its_own(tmp_path):
    peer = trained(byte_level(use_regex=True))
    peer.decoder = decoders.Sequence([decoders.ByteLevel()])
    path = tmp_path / "tokenizer.json"
    peer.save(str(path))
    rows = [peer.encode(text, add_special_tokens=False).ids for text in random_texts(100, 11)]
    assert decode(path, rows, False) == [peer.decode(row, skip_special_tokens=False) for row in rows]


def test_speed(tmp_path):
    """One thread each, on the same chat-sized texts; prints tokens per second, and asserts no time."""
    path, peer = real_tokenizer("qwen3", tmp_path)
    lines = shared_data("math/gsm8k_train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["answer"] for line in lines]
    answer = ask(path, [{"op": "time", "texts": texts}])[0]
    start = time.perf_counter()
    theirs = sum(len(peer.encode(text, add_special_tokens=False).ids) for text in texts)
    peer_seconds = time.perf_counter() - start
    print(f"\nours {answer['tokens'] / answer['seconds']:.3g} tokens/s, "
          f"tokenizers {theirs / peer_seconds:.3g} tokens/s on one thread")
    assert answer["tokens"] == theirs
