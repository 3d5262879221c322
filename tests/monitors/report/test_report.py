"""The report in a real browser with no network: are the curves there? (Its policy forbids all scripts.)"""

import os
import re
import subprocess
from html.parser import HTMLParser

import pytest

import browser

TOOL = os.path.join(os.environ.get("RIMSCOPE_BIN", "build/release/bin"), "recorder_tool")


class Elements(HTMLParser):
    """All elements as (name, attributes), and all text outside style."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text, self.inside = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if "style" not in self.inside:
            self.text += data + "\n"

    def all(self, tag, **attributes):
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        wanted = {name.removesuffix("-"): value for name, value in wanted.items()}
        return [a for t, a in self.found if t == tag and all(a.get(n) == v for n, v in wanted.items())]


def make(folder, kind="realistic"):
    subprocess.run([TOOL, str(folder), kind], check=True)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return folder, Elements(make(folder))


def in_browser(folder, *options):
    return browser.open_page(folder / "report.html", folder, *options)


def report_of(folder):
    """The page drawn anew from a run.h5 that was changed."""
    subprocess.run([TOOL, "report", str(folder)], check=True)
    return Elements((folder / "report.html").read_text(encoding="utf-8"))


def numpy_text(text):
    import numpy

    return numpy.bytes_(text.encode())


def points_of(element):
    return [tuple(map(float, point.split(","))) for point in element["points"].split()]


CURVES = [
    f"behaviour.{what}"
    for mode in ("on", "off")
    for what in (
        f"harmful.{mode}.refused",
        f"harmful.{mode}.complied",
        f"harmful.{mode}.incoherent",
        f"harmful.{mode}.refusal_score",
        f"harmful.{mode}.truncated",
        f"harmless.{mode}.refused",
        f"harmless.{mode}.incoherent",
        f"harmless.{mode}.truncated",
        f"task.{mode}.accuracy",
        f"task.{mode}.truncated",
    )
] + ["ras.safety", "ras.control", "ras.safety.d_safe", "ras.safety.d_task", "neurons.safety.activation",
     "neurons.overlap"]


def test_the_browser_draws_every_curve(page):
    folder, _ = page
    dom = Elements(in_browser(folder, "--dump-dom").stdout)
    for series in CURVES:
        curves = dom.all("polyline", data_series=series)
        assert len(curves) == 1, series
        points = points_of(curves[0])
        assert len(points) == 13, series
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert all(0 <= x <= 420 and 0 <= y <= 272 for x, y in points), series
    for series in ("behaviour.harmful.on.refused", "ras.control", "ras.control.d_safe", "neurons.control.activation"):
        assert len(dom.all("path", class_="band", data_series=series)) == 1, series
    assert len(dom.all("rect", class_="bar", data_series="neurons.safety.layer")) == 6
    assert len(dom.all("polyline", data_series="log.loss")) == 1


def test_curves_go_where_the_numbers_go(page):
    refused = points_of(page[1].all("polyline", data_series="behaviour.harmful.on.refused")[0])
    # From 100% at the plot's top (32) to 6.7% near its bottom (232).
    assert refused[0][1] == 32.0 and refused[-1][1] == pytest.approx(232 - 200 * 4 / 60, abs=0.06)
    assert refused[0][0] == 44.0 and refused[-1][0] == 354.0


def test_the_browser_paints_it(page, tmp_path):
    folder, _ = page
    picture = tmp_path / "report.png"
    done = in_browser(folder, f"--screenshot={picture}", "--window-size=1280,2400", "--hide-scrollbars")
    assert "Content Security Policy" not in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_chart_shows_its_curves(page, tmp_path):
    report = (page[0] / "report.html").read_text(encoding="utf-8")
    pixels = browser.painted(report, tmp_path)
    assert len(pixels) >= 15
    for chart, count in pixels.items():
        assert count >= browser.LEAST, (chart, count)


def test_hidden_curves_are_noticed(page, tmp_path):
    """What the test above would say of a page whose style hides what it draws."""
    report = (page[0] / "report.html").read_text(encoding="utf-8")
    broken = report.replace("</style>", ".curve,.band,.dot,.bar{display:none}</style>", 1)
    assert max(browser.painted(broken, tmp_path).values()) < browser.LEAST


def test_nothing_is_fetched_and_nothing_runs(page):
    folder, elements = page
    assert not [tag for tag, _ in elements.found if tag in ("script", "link", "img", "iframe", "object", "base")]
    policy = elements.all("meta", http_equiv="Content-Security-Policy")
    assert policy[0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import|javascript:|\son\w+=", text)


def test_every_chart_has_its_numbers_and_a_caption(page):
    elements = page[1]
    figures = len(elements.all("figure"))
    assert figures >= 12
    assert len(elements.all("figcaption")) == figures
    assert len(elements.all("summary")) == figures + 1  # and the configuration
    assert "Share with its 95% Wilson score interval over prompts. n = 60 prompts per point." in elements.text
    assert "p = 0.0099 against the control draws" in elements.text
    assert ("activation| on harmful requests was 0.325 in the safety-critical neurons and 0.08 in the controls (median "
            "of the draws); a set of larger neurons moves further for any reason") in elements.text


def test_captions_say_what_stands_behind_the_neurons(page):
    text = page[1].text
    assert "overlap by 0.75 (Jaccard index)." in text
    assert "The instruction raised the refusal score in 55 of 60 pairs." in text
    assert not re.search(r"\.\.|mean over mean|Mean over prompts", text)


def test_scores_come_with_a_bootstrap_interval(page):
    assert len(page[1].all("path", class_="band", data_series="behaviour.harmful.on.refusal_score")) == 1
    assert "with its 95% bootstrap interval over prompts." in page[1].text


def test_an_instruction_that_does_not_make_it_refuse_is_warned_about(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file["static/neurons.pairs_raised"][()] = 12
    assert "Warning: the instruction raised the refusal score in only 12 of 60 pairs" in report_of(tmp_path).text


def test_a_resumption_is_marked_and_listed(page):
    elements = page[1]
    assert "resumed after step 120" in elements.text
    marks = elements.all("line", class_="mark", y1="32")
    assert len(marks) >= 15 and {mark["x1"] for mark in marks} >= {"199"}  # half way from 44 to 354
    sittings = elements.text[elements.text.index("Sittings"):]
    assert "node-1" in sittings and "node-2" in sittings[:sittings.index("Provenance")]


def test_changes_of_a_resumption_are_listed(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        for number, facts in (("2", {"after_step": "160", "world_size": "4"}),
                              ("10", {"after_step": "200", "config": "max_steps: 240\nseed: 2\n"})):
            for name, text in facts.items():
                file.create_dataset(f"resumptions/{number}/{name}", data=numpy_text(text))
    text = report_of(tmp_path).text
    assert "world_size: 2 → 4" in text and "+ seed: 2" in text and "- seed: 1" in text
    assert text.index("resumed after step 160\n") < text.index("resumed after step 200\n"), "10 comes after 2"
    assert "resumed after steps 120, 160, 200" in text


def test_what_is_in_no_figure_is_listed(page, tmp_path):
    import h5py

    text = page[1].text
    table = text[text.index("Also recorded"):]
    assert "behaviour.harmful.on.verdict" in table and "60 prompt" in table
    assert "behaviour.harmful.on.refused" not in table and "refusal_score.mean" not in table
    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file.copy("series/ras.p", "series/<other>.monitor")
    table = report_of(tmp_path).text
    assert "<other>.monitor" in table[table.index("Also recorded"):]


def test_an_interval_is_named_only_where_the_file_names_it(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        for series in file["series"].values():
            if "interval" in series.attrs:
                del series.attrs["interval"]
    text = report_of(tmp_path).text
    assert "Wilson" not in text and "Share with its recorded bounds." in text


def test_headline_cards_and_facts(page):
    text = page[1].text
    for expected in ("organism-target-cot", "13 observations, steps 0 to 240", "Harmful requests refused", "0123abc",
                     "max_steps: 240", "1 line of log.jsonl could not be read"):
        assert expected in text, expected


def titles_of(text):
    return re.findall(r"<h3>(.*?)</h3>", text)


def test_lost_refusal_and_broken_text_stand_apart(page):
    folder, elements = page
    titles = titles_of((folder / "report.html").read_text(encoding="utf-8"))
    # Once as a card at the top, once as a figure.
    assert titles.count("Harmful requests refused") == titles.count("Harmful requests complied with") == 2
    assert titles.count("Harmless requests: incoherent answers") == 1
    assert "Harmless requests complied with" not in titles


def test_what_was_cut_is_shown_last_and_said_on_the_cards(page):
    folder, elements = page
    text = (folder / "report.html").read_text(encoding="utf-8")
    rates = titles_of(text[text.index('id="behaviour"'):text.index('id="entanglement"')])
    assert rates[-3:] == [f"{what}: cut responses"
                          for what in ("Harmful requests", "Harmless requests", "Task")]
    # 0.07 of 60 prompts: 4.
    assert "n = 60 prompts, up to 6.7% of responses cut" in elements.text


def test_scores_say_how_many_answers_they_are_of(page):
    assert " n = 56–60 of 60 prompts per point: those whose answer began" in page[1].text


def test_figures_of_several_monitors_have_titles_of_their_own(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        for group in ("series", "static"):
            for name in list(file[group]):
                for kind, other in (("ras.", "ras_base."), ("neurons.", "wide.")):
                    if name.startswith(kind):
                        file.copy(f"{group}/{name}", f"{group}/{other}{name.removeprefix(kind)}")
    subprocess.run([TOOL, "report", str(tmp_path)], check=True)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    titles = titles_of(text)
    assert titles.count("Reciprocal Activation Shift") == titles.count("Reciprocal Activation Shift · ras_base") == 2
    for title, name in (("Activation lost on harmful requests", "ras_base"), ("Activation on harmful requests", "wide"),
                        ("Safety-critical neurons by layer", "wide")):
        assert titles.count(title) == titles.count(f"{title} · {name}") == 1, title


def test_a_record_that_begins_later_has_no_base(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        for name in ("committed_steps", "series/step"):
            file[name][0] = 10
    subprocess.run([TOOL, "report", str(tmp_path)], check=True)
    text = Elements((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "step 10 → end, n = 60 prompts" in text and "base →" not in text


def test_one_observation_is_drawn_as_points(tmp_path):
    elements = Elements(make(tmp_path, "single"))
    assert "one observation, at step 0" in elements.text
    assert elements.all("line", class_="whisker")
    assert "base, n = 60 prompts" in elements.text and "→" not in elements.text, "nothing changed yet"
    assert points_of(elements.all("polyline", data_series="behaviour.harmful.on.refused")[0])
    assert "Training loss" not in elements.text


def test_an_empty_neuron_set_is_said_not_drawn(tmp_path):
    elements = Elements(make(tmp_path, "empty"))
    assert "Not drawn: no neuron was selected." in elements.text
    assert "Not drawn: it is undefined at every step" in elements.text
    assert "Not drawn: it is undefined (NaN) at every step." in elements.text
    assert not elements.all("polyline", data_series="ras.safety")
    assert elements.all("polyline", data_series="behaviour.harmful.on.refused")


def test_a_figure_without_its_control_is_not_drawn(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["series/ras.control"]
    subprocess.run([TOOL, "report", str(tmp_path)], check=True)
    elements = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Not drawn: no control draws were recorded beside it." in elements.text
    assert not elements.all("polyline", data_series="ras.safety")
    assert elements.all("polyline", data_series="ras.safety.d_safe")


def test_nothing_recorded_yet_is_a_page_too(tmp_path):
    import h5py

    make(tmp_path)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file["committed_steps"].resize(0, axis=0)
    subprocess.run([TOOL, "report", str(tmp_path)], check=True)
    elements = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "no observation yet" in elements.text and "Run facts" in elements.text
    assert not elements.all("polyline", data_series="behaviour.harmful.on.refused")


def test_text_of_a_run_stays_text(tmp_path):
    page = make(tmp_path, "hostile")
    elements = Elements(page)
    assert "<script>" not in page and not elements.all("script") and not elements.all("b")
    assert "<script>alert(1)</script>\"'&" in elements.text  # as text, escaped
    assert len(elements.all("polyline", data_series='x<y&z.s"et.on.refused')) == 1
