"""data/tokenizer's small Jinja against Jinja2 with transformers' settings."""
import pytest
from transformers.utils.chat_template_utils import _compile_jinja_template as compile_jinja
from tokenizer_peer import ask
from test_chat_template_parity import CHATML_TOKENS, byte_tokenizer

VARIABLES = {"name": "Ann", "none_here": None, "yes": True, "number": 7, "empty": "",
             "messages": [{"role": "system", "content": " be kind\n"}, {"role": "user", "content": "<a>Hi</a> x"},
                          {"role": "assistant", "content": "one,two,,three", "tool_calls": []}]}
# Each line is a template; both must give the same text, or both none.
SAME = [
    "a{{ name }}b", "{{name}}\n", "x\n  {% if yes %}\n  y\n  {% endif %}\nz\n", "x  {%- if yes -%}  y  {%- endif -%}  z",
    "x \n {{- name -}} \n z", "a\n  {# note {% %} #}\nb {#- c -#} d", "  {%+ if yes %}a{% endif +%}\nb", "a\r\nb\n\n",
    "{# }} #}{{ '{{ }} {% %} {# #}' }}", "{{ 'it\\'s' ~ \"a\\\"b\" ~ 'n\\nt\\tb\\\\d\\q' }}", "{{ {'a': {'b': 1}}.a.b }}",
    "{{ 1 + 2 * 3 - 4 % 3 }} {{ 7 // 2 }} {{ -number }} {{ 'a' ~ 1 ~ none }}", "{{ 'a' + 'b' | upper + 'c' }}",
    "{{ missing }}|{{ messages[9] }}|{{ messages[0].nothing }}", "{{ true }} {{ False }} {{ None }}",
    "{{ 1 if yes else 2 }}{{ 1 if missing }}{{ 'n' if not yes else 'm' if number else 'k' }}", "{{ missing or name }}",
    "{{ name and empty }}|{{ empty or none_here or 3 }}", "{{ not name == 'Bob' and 'ok' }}", "{{ 'H' in name }}{{ 'A' in name }}",
    "{{ 'role' in messages[0] }}{{ 'x' not in [1, 'x'] }}", "{{ number >= 7 }}{{ number < 7 }}{{ 1 != 1 }}{{ 3 > 2 }}{{ 2 <= 1 }}",
    "{{ name is defined }}{{ missing is not defined }}{{ none_here is none }}{{ messages is iterable }}{{ name is string }}",
    "{{ messages[0] is mapping }}{{ name is mapping }}{{ yes is true }}{{ yes is false }}{{ number is number }}{{ name is undefined }}",
    "{{ missing is string or messages is sequence }}", "{{ messages[-1].role }}{{ messages[0]['role'] }}{{ name[0] }}{{ name[-1:] }}",
    "{% for m in messages[::-1] %}{{ m.role }},{% endfor %}", "{% for m in messages[1:] %}{{ loop.index }}{{ loop.last }};{% endfor %}",
    "{% for m in messages[:-1] %}{{ m.role }}{{ loop.revindex0 }}{% endfor %}{{ messages[1:2][0].role }}{{ name[1:] }}{{ name[:2] }}",
    "{% for m in messages if m.role != 'user' %}{{ loop.index0 }}{{ m.role }}{{ loop.length }}{% endfor %}",
    "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}<{{ loop.nextitem.role if not loop.last }}{% endfor %}",
    "{% for m in [] %}a{% else %}none{% endfor %}{% for x in missing %}b{% endfor %}",
    "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% break %}{% endfor %}!",
    "{% set x = 1 %}{% for m in messages %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "{% set messages = messages[1:] %}{{ messages | length }}",
    "{% set ns = namespace(n=0, s='') %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set ns.s = ns.s ~ m.role[0] %}{% endfor %}{{ ns.n }}{{ ns.s }}",
    "{% set x %}in {{ name }}{% endset %}[{{ x }}]", "{% if missing %}a{% elif number == 7 %}b{% else %}c{% endif %}",
    "{% macro f(a, b=1) %}{{ a }}{% endmacro %}after", "{% generation %}{{ name }}{% endgeneration %}",
    "{{ messages[0].content | trim }}|{{ messages[0].content.strip() }}|{{ '\\n\\nx\\n'.strip('\\n') }}|{{ 'xxaxx'.lstrip('x') }}{{ 'xxaxx'.rstrip('x') }}",
    "{{ messages[2].content.split(',') | length }}{{ messages[2].content.split(',')[-1] }}{{ 'a</t>b</t>c'.split('</t>')[0] }}",
    "{{ messages[1].content.startswith('<a>') and messages[1].content.endswith('</a> x') }}{{ 'abcabc'.replace('b', 'x') }}",
    "{{ missing | default('d') }}{{ empty | default('e', true) }}{{ empty | default('f') }}{{ none_here | default('g', boolean=true) }}",
    "{{ ['a', 'b'] | join(', ') }}{{ [1, 2] | first }}{{ [1, 2] | last }}{{ 'aBc' | upper }}{{ 'ABC'.lower() }}{{ 'heLLo' | capitalize }}",
    "{{ messages[0].get('role') }}{{ messages[0].get('x') }}{{ messages[0].get('x', 'y') }}{{ 'tool_calls' in messages[2] and messages[2].tool_calls | length }}",
    "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "{{ number | string + 'x' }}{{ (1, 2) if missing else '' }}",
    "{{ raise_exception('no') if missing }}{{ name }}", "{{ (name ~ '!').upper() | lower }}", "{{ 'a' 'b' }}{{ name in ('Ann', 'Bob') }}",
]
NEITHER = ["{{ missing.x }}", "{{ 'a' + 1 }}", "{{ raise_exception('no') }}", "{{ nobody() }}", "{% if yes %}a", "{{ name", "{{ }}",
           "{% endif %}", "{{ name | nothing }}", "{{ 'open }}", "{% for x in 3 %}{% endfor %}", "{{ messages[0].content.x() }}",
           "{% else %}", "{{ 1 2 }}"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jinja")
    byte_tokenizer(CHATML_TOKENS).save(str(folder / "tokenizer.json"))
    requests = [{"op": "jinja", "template": text, "variables": VARIABLES} for text in [*SAME, *NEITHER]]
    return dict(zip([*SAME, *NEITHER], ask(folder, requests)))


@pytest.mark.parametrize("text", SAME)
def test_what_is_supported_is_what_jinja2_gives(text, answers):
    assert answers[text].get("text", answers[text]) == compile_jinja(text).render(**VARIABLES)


@pytest.mark.parametrize("text", NEITHER)
def test_what_jinja2_refuses_is_refused(text, answers):
    with pytest.raises(Exception):
        compile_jinja(text).render(**VARIABLES)
    assert "refused" in answers[text]


def test_what_runs_away_is_stopped(tmp_path):
    byte_tokenizer(CHATML_TOKENS).save(str(tmp_path / "tokenizer.json"))
    loops = "{% for a in x %}" * 9 + "{{ a }}" + "{% endfor %}" * 9
    deep = ["{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}", "{{ " + "not " * 9000 + "1 }}", "{% if 1 %}" * 9000 + "{% endif %}" * 9000]
    requests = [{"op": "jinja", "template": text, "variables": {"x": list(range(30))}} for text in [loops, *deep]]
    assert all("refused" in answer for answer in ask(tmp_path, requests))
