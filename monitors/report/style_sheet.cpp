#include "monitors/report/style_sheet.h"

namespace rim::report {

// Curve colours are Okabe and Ito's (2008), told apart by people with colour-vision deficiencies.
std::string_view style_sheet() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #1a1f26; --muted: #5c6673; --rule: #e2e6eb; --grid: #edf0f3;
  --orange: #d55e00; --blue: #0072b2; --green: #009e73; --purple: #cc79a7; --control: #7b8490;
  --shadow: 0 1px 2px rgb(16 24 40 / 5%), 0 4px 16px rgb(16 24 40 / 4%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #161b22; --ink: #e6eaf0; --muted: #98a3b0; --rule: #272e38; --grid: #272e38;
    --orange: #e8833a; --blue: #56b4e9; --green: #2fc79a; --purple: #dd9cc0; --control: #8b949e; --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
main, header.top > div { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
header.top { padding: 40px 0 8px; }
header.top .brand { font-size: 13px; font-weight: 650; letter-spacing: .08em; text-transform: uppercase;
  color: var(--orange); margin: 0 0 4px; }
header.top h1 { font-size: 32px; line-height: 1.2; letter-spacing: -.02em; margin: 0; overflow-wrap: anywhere; }
header.top .facts-line { color: var(--muted); margin: 8px 0 0; }
h2 { font-size: 21px; letter-spacing: -.01em; margin: 44px 0 4px; }
h3 { font-size: 15px; margin: 0 0 8px; font-weight: 620; }
.introduction { color: var(--muted); margin: 0 0 4px; }
.grid { display: grid; gap: 18px; margin-top: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); }
.card, .headline { background: var(--card); border: 1px solid var(--rule); border-radius: 14px;
  box-shadow: var(--shadow); padding: 18px 20px; margin: 0; min-width: 0; }
.card.wide { grid-column: 1 / -1; }
.card.absent { color: var(--muted); border-style: dashed; box-shadow: none; background: none; }
.card.absent p { margin: 0; }
.headlines { display: grid; gap: 18px; margin-top: 24px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); }
.headline { display: flex; flex-direction: column; }
.headline h3 { color: var(--muted); font-weight: 560; font-size: 14px; }
.headline .row { display: grid; grid-template-columns: 1fr 76px; align-items: end; column-gap: 10px; padding: 3px 0; }
.headline .mode { grid-column: 1 / -1; font-size: 12.5px; color: var(--muted); margin-bottom: -4px; }
.headline .change { font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 22px; line-height: 1.35; }
.headline .base { color: var(--muted); }
.headline .arrow { color: var(--muted); font-size: 16px; margin: 0 .4em; }
.headline .now { font-weight: 680; font-size: 26px; letter-spacing: -.02em; }
.headline .note { font-size: 12.5px; color: var(--muted); margin: auto 0 0; padding-top: 8px; }
.spark { width: 76px; height: 24px; margin-bottom: 8px; overflow: visible; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 0 0 6px;
  font-size: 13px; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 7px; }
.key { width: 28px; height: 14px; flex: none; }
figure svg:not(.key) { display: block; width: 100%; height: auto; }
figcaption { font-size: 13px; color: var(--muted); margin-top: 8px; overflow-wrap: anywhere; }
details { margin-top: 10px; font-size: 13px; }
summary { cursor: pointer; color: var(--muted); }
.scroll { overflow: auto; max-height: 360px; margin-top: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--muted); font-weight: 560; }
.facts td:first-child { white-space: nowrap; color: var(--muted); }
.facts td:last-child, pre { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: 12.5px; }
.facts td:last-child { overflow-wrap: anywhere; }
pre { overflow: auto; margin: 8px 0 0; }
.wide .scroll { max-height: none; }
footer { color: var(--muted); font-size: 13px; padding: 40px 0 48px; }
svg text { font: 12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--muted); }
.sittings td:last-child { white-space: pre-wrap; }
line.mark { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 2; }
svg text.end { font-weight: 650; fill: var(--c); }
.grid line.grid, line.grid { stroke: var(--grid); }
line.axis { stroke: var(--control); stroke-opacity: .55; }
.c-orange { --c: var(--orange); --dash: none; }
.c-blue { --c: var(--blue); --dash: 7 4; }
.c-green { --c: var(--green); --dash: 2 3.5; }
.c-purple { --c: var(--purple); --dash: 9 3 2 3; }
.c-control { --c: var(--control); --dash: 4 4; }
.curve { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-dasharray: var(--dash);
  stroke-linejoin: round; stroke-linecap: round; }
.c-control .curve { stroke-width: 1.6; }
.band { fill: var(--c); fill-opacity: .14; }
.whisker { stroke: var(--c); stroke-opacity: .45; stroke-width: 4; stroke-linecap: round; }
.dot { fill: var(--card); stroke: var(--c); stroke-width: 2; }
.bar { fill: var(--c); fill-opacity: .85; }
@media (max-width: 560px) {
  main, header.top > div { padding: 0 14px; }
  .card, .headline { padding: 14px; }
  svg text { font-size: 15px; }
  figure svg { overflow: visible; }
}
@media print { .card, .headline { box-shadow: none; break-inside: avoid; } }
)css";
}

}  // namespace rim::report
