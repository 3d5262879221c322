"""What the tokenizer's Python tests share: driving tokenizer_tool, and texts that look for trouble."""
import json
import random
import subprocess

from runs import program


def ask(tokenizer, requests, template_folder=None):
    """The tool's answers to the requests, in their order."""
    arguments = [program("tokenizer_tool"), tokenizer, *([template_folder] if template_folder else [])]
    lines = "\n".join(json.dumps(request) for request in requests) + "\n"
    result = subprocess.run(list(map(str, arguments)), input=lines.encode(), capture_output=True)
    assert result.returncode == 0, result.stderr.decode()
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(requests)
    return answers


def encode(tokenizer, texts):
    return [answer["ids"] for answer in ask(tokenizer, [{"op": "encode", "text": text} for text in texts])]


def decode(tokenizer, ids, skip):
    return [answer["text"] for answer in ask(tokenizer, [{"op": "decode", "ids": row, "skip": skip} for row in ids])]


def every_character():
    """Every code point that Unicode gives out, and every 61st of the planes it keeps empty or private."""
    return [chr(code) for code in range(0x110000)
            if (code < 0x40000 or 0xE0000 <= code < 0xE1000 or code % 61 == 0) and not 0xD800 <= code <= 0xDFFF]


def varied_characters():
    """All characters of the blocks where classes change often, every 61st of the wide uniform ones."""
    return [character for number, character in enumerate(every_character())
            if number % 61 == 0 or ord(character) < 0x3400 or 0xA000 <= ord(character) < 0xAC00
            or 0xF900 <= ord(character) < 0x17000 or 0x18B00 <= ord(character) < 0x20000]


SPACES = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
MARKS = "\u0300\u0301\u0308\u0323\u0327\u0345\u05b0\u064b\u0f71\u1ab0\u1dfa\u20d0\u302a\u3099\u0898\U0001e130"
# Stretches of the code space that a generator draws from as often as from each other.
SCRIPTS = [(0x20, 0x7F), (0x20, 0x7F), (0x20, 0x7F), (0x00, 0x20), (0x80, 0x250), (0x370, 0x530), (0x590, 0x700),
           (0x900, 0xE00), (0xE00, 0x1000), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2C00), (0x3000, 0x3400),
           (0x4E00, 0xA000), (0xAC00, 0xD7B0), (0xE000, 0xF900), (0xF900, 0xFB50), (0xFE00, 0x10000),
           (0x10000, 0x20000), (0x1D400, 0x1D800), (0x1F000, 0x1FB00), (0x20000, 0x323B0), (0xE0000, 0xE0200),
           (0xF0000, 0x110000)]
WORDS = ["the", " quick", "don't", "I'LL", "we'Ve", "it'\u017f", " 123", "3.14159", "1,000", "\u0661\u0662", "naïve",
         "na\u0131\u0308ve", " e\u0301te\u0301", "\u1112\u1161\u11ab", "한국어", "日本語", "русский", "العربية",
         "हिन्दी", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "\n\n", "\r\n", "   ", "\t", "...", "!?", "def f(x):\n    return x", "$x^2$",
         "ﬁne", "Å", "\u212b", "\u1e9b\u0323", "\ufdfa", "ⅷ", "²"]


def random_text(draw, added_tokens):
    """One text: words, characters of one script, runs, spaces, marks and added tokens, glued together at random."""
    parts = []
    for _ in range(draw.randint(1, 12)):
        kind = draw.random()
        if kind < 0.35:
            parts.append(draw.choice(WORDS))
        elif kind < 0.65:
            first, last = draw.choice(SCRIPTS)
            codes = (draw.randrange(first, last) for _ in range(draw.randint(1, 8)))
            parts.append("".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF))
        elif kind < 0.75:
            parts.append("".join(draw.choice(SPACES) for _ in range(draw.randint(1, 4))))
        elif kind < 0.85:
            parts.append(draw.choice("aäe한o") + "".join(draw.choice(MARKS) for _ in range(draw.randint(1, 4))))
        elif kind < 0.90:
            parts.append(draw.choice("a .-\n0é字😀") * draw.choice([2, 3, 7, 40, 300]))
        elif added_tokens:
            token = draw.choice(added_tokens)
            parts.append(token if draw.random() < 0.7 else token[:draw.randrange(len(token))])
    return "".join(parts)


def random_texts(count, seed, added_tokens=()):
    draw = random.Random(seed)
    return [random_text(draw, list(added_tokens)) for _ in range(count)]
