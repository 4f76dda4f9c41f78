"""A generation as Markdown, its mix in words. Imports neither torch nor Qt, so the window may use it."""

from __future__ import annotations

import re

from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.protocol.wording import (
    drawing_order,
    mode_text,
    one_line,
    runs,
    sampling_text,
    shares,
    title,
    visible,
)


def to_markdown(record: Generation) -> str:
    """Title, table of slots, the text run by run in fences that keep it verbatim, and how it was made.

    Nothing in the text or in a name is taken for Markdown or HTML.
    """
    parts = [f"### {escaped(title(record))}", _shares(record)]
    for run in runs(record):
        given = " (prompt)" if run.is_prompt and record.ended != "read" else ""
        parts += [f"**{escaped(run.name)}**{given}", _fenced(visible(run.text))]
    parts.append(f"*{escaped(_made(record))}*")
    return "\n\n".join(parts) + "\n"


def _shares(record: Generation) -> str:
    slots, share = record.slots, shares(record)
    rows = [f"| {escaped(one_line(slots[slot].name))} | {share[slot]:.0%} |" for slot in drawing_order(slots)]
    return "\n".join(["| epoch | share of the mix |", "| :-- | --: |", *rows])


def _made(record: Generation) -> str:
    made = "read, not generated" if record.ended == "read" else sampling_text(record)
    return f"{mode_text(record.mode, record.slots)} · {made} · {len(record.tokens)} tokens · tlora-gui"


def _fenced(text: str) -> str:
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def escaped(text: str) -> str:
    """A text of which nothing is taken for Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>#|~&!$])", r"\\\1", text)
