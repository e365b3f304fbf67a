"""Style and script of the page: both stand in the document itself, and its content policy allows nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root { color-scheme: light dark; --back: #f5f6f8; --card: #fff; --text: #1d2733; --soft: #5b6877; --line: #dfe3e8;
  --good: #0f7b3f; --good-back: #dcf3e5; --wait: #8a5a00; --wait-back: #fdeecb; --bad: #b3261e; --bad-back: #fbe0de;
  --calm: #4a5765; --calm-back: #e9ecf0; --note: #1d5fa8; --note-back: #ddeafb; }
@media (prefers-color-scheme: dark) { :root { --back: #14181d; --card: #1d232a; --text: #e4e9ee; --soft: #98a5b3;
  --line: #313a44; --good: #7fdba3; --good-back: #163d28; --wait: #f2c667; --wait-back: #46360f; --bad: #ff9d95;
  --bad-back: #52211e; --calm: #b3bfcb; --calm-back: #2d353e; --note: #8fc1ff; --note-back: #1b3557; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; padding: 14px 20px 10px; }
h1 { margin: 0; font-size: 19px; } h2 { margin: 0; font-size: 15px; }
.soft { color: var(--soft); } .id, .target { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px; }
#numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 8px; padding: 0 20px 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 7px 11px; }
.tile b { display: block; font-size: 19px; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile span { color: var(--soft); font-size: 12px; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; padding: 0 20px 24px; }
details, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin-bottom: 10px;
  overflow: hidden; }
summary { cursor: pointer; padding: 9px 12px; } summary:hover { background: var(--back); }
summary strong { margin-right: 6px; } .card > h2 { padding: 9px 12px; }
.chips { float: right; }
.wide { overflow-x: auto; border-top: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; font-size: 12px; color: var(--soft); white-space: nowrap; }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
td.time, td.number, td.kind { white-space: nowrap; font-variant-numeric: tabular-nums; } .number { text-align: right; }
td .soft { font-size: 12px; } .error { color: var(--bad); font-size: 12px; overflow-wrap: anywhere; max-width: 60ch; }
td.name { overflow-wrap: anywhere; } td.target { overflow-wrap: anywhere; }
.chip { display: inline-block; border-radius: 9px; padding: 0 8px; font-size: 12px; white-space: nowrap; }
.good { color: var(--good); background: var(--good-back); } .wait { color: var(--wait); background: var(--wait-back); }
.bad { color: var(--bad); background: var(--bad-back); } .calm { color: var(--calm); background: var(--calm-back); }
.note { color: var(--note); background: var(--note-back); }
#requests .wide { max-height: 420px; overflow-y: auto; }
#requests td { padding-top: 3px; padding-bottom: 3px; }
td .chip { white-space: normal; overflow-wrap: anywhere; }
.artifacts table { table-layout: fixed; min-width: 1000px; }
.c8 { width: 105px; } .c12 { width: 12.5%; } .c15 { width: 15%; } .c16 { width: 16%; }
@media (min-width: 1700px) { main { grid-template-columns: minmax(0, 5fr) minmax(0, 3fr); align-items: start; }
  #requests .wide { max-height: calc(100vh - 210px); } }
.empty { padding: 4px 12px 12px; color: var(--soft); }
.away { opacity: .55; }
"""

SCRIPT = """
"use strict";
const opened = new Map();
document.addEventListener("click", event => {
  const summary = event.target.closest("summary"), part = summary && summary.parentElement;
  if (part && part.id) opened.set(part.id, !part.open);
});
async function refresh() {
  const content = document.getElementById("content");
  try {
    const answer = await fetch("/?seen=" + encodeURIComponent(content.dataset.seen), {headers: {Accept: "text/html"}});
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const section of fresh.querySelectorAll("section[id]")) {
      for (const part of section.querySelectorAll("details[id]"))
        if (opened.has(part.id)) part.open = opened.get(part.id);
      if (section.id === "changes") {
        for (const part of [...section.children]) document.getElementById(part.id).replaceWith(part);
        content.dataset.seen = section.dataset.seen;
        continue;
      }
      const old = document.getElementById(section.id);
      const [from, to] = [old.querySelector(".wide"), section.querySelector(".wide")];
      const top = section.id === "requests" && from ? from.scrollTop : 0;
      old.replaceWith(section);
      if (to && top) to.scrollTop = top;
    }
    document.body.classList.remove("away");
  } catch (error) {
    document.body.classList.add("away");
  }
  setTimeout(refresh, 1000);
}
setTimeout(refresh, 1000);
"""


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_source(STYLE)}",
        f"script-src {_source(SCRIPT)}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What a browser may load and run for the page: these two texts, and the page's own fragments."""
