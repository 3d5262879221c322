"""What a browser paints of a report: screenshots as arrays, figure by figure, with the curves and without them."""
import pathlib
import re
import shutil
import struct
import subprocess
import zlib

import numpy
import runs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH, HEIGHT, COLUMNS = 420, 272, 3  # a figure's viewBox; figures side by side
HIDDEN = "<style>.curve,.band,.dot,.bar,.whisker{display:none!important}</style>"


def open_page(page, scratch, *options):
    """Headless Chromium on a file, with no network."""
    if CHROMIUM is None:
        runs.skip("no Chromium is installed: apt install chromium")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={scratch}/profile", *options, f"file://{page}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


def unfiltered(kind, row, above, step):
    """One scanline of a PNG (PNG specification, section 9)."""
    row, above = row.astype(int), above.astype(int)
    if kind == 1:
        return (row.reshape(-1, step).cumsum(axis=0) % 256).reshape(-1)
    if kind == 2:
        return (row + above) % 256
    for i in range(len(row) if kind else 0):
        left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
        if kind == 3:
            guess = (left + above[i]) // 2
        else:
            distances = [abs(above[i] - corner), abs(left - corner), abs(left + above[i] - 2 * corner)]
            guess = (left, above[i], corner)[distances.index(min(distances))]
        row[i] = (row[i] + guess) % 256
    return row


def read_png(path):
    """[height, width, channels] of an 8-bit PNG without interlacing, which is what Chromium writes."""
    data = pathlib.Path(path).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and not interlaced
            step = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    lines = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(height, 1 + width * step)
    picture, above = numpy.zeros((height, width * step), numpy.uint8), numpy.zeros(width * step, numpy.uint8)
    for y in range(height):
        picture[y] = above = unfiltered(lines[y, 0], lines[y, 1:], above, step).astype(numpy.uint8)
    return picture.reshape(height, width, step)


def painted(report, scratch):
    """By chart id: how many pixels the curves, bands, markers and bars of the report's charts change, in its own style."""
    charts = {re.match(r'<svg id="([^"]+)"', chart).group(1): chart
              for chart in re.findall(r'(?s)<svg id="[^"]+".*?</svg>', report)}
    style = re.search(r"(?s)<style>.*?</style>", report).group(0)
    cells = "".join(
        f'<figure style="position:absolute;margin:0;width:{WIDTH // 2}px;left:{i % COLUMNS * WIDTH // 2}px;'
        f'top:{i // COLUMNS * HEIGHT // 2}px">{chart}</figure>' for i, chart in enumerate(charts.values()))
    size = (COLUMNS * WIDTH // 2, (len(charts) + COLUMNS - 1) // COLUMNS * HEIGHT // 2)
    pictures = []
    for name, more in (("shown", ""), ("hidden", HIDDEN)):
        page = pathlib.Path(scratch) / f"{name}.html"
        page.write_text(f'<!DOCTYPE html><meta charset="utf-8">{style}{more}<body>{cells}', encoding="utf-8")
        open_page(page, scratch, f"--screenshot={page.with_suffix('.png')}", f"--window-size={size[0]},{size[1]}",
                  "--hide-scrollbars")
        pictures.append(read_png(page.with_suffix(".png")).astype(int))
    changed = numpy.abs(pictures[0] - pictures[1]).max(axis=2) > 24
    return {name: int(changed[i // COLUMNS * HEIGHT // 2:(i // COLUMNS + 1) * HEIGHT // 2,
                              i % COLUMNS * WIDTH // 2:(i % COLUMNS + 1) * WIDTH // 2].sum())
            for i, name in enumerate(charts)}


LEAST = 60  # pixels of a chart at half its size: a line over a third of it
