"""A generation as a standalone HTML page: both themes, hover for the mix, readable without colour or script."""

from __future__ import annotations

from html import escape

from tlora_gui.engine.attribution import dominant_slot
from tlora_gui.engine.texts import GenerationRecord, SlotInfo, TokenEvent

_STYLES = ("solid", "dashed", "dotted", "double")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ --panel: #ffffff; --text: #1d2127; --muted: #59616d; --share: 62%; }}
@media (prefers-color-scheme: dark) {{ :root {{ --panel: #1b1e24; --text: #e8eaed; --muted: #a2a9b4; --share: 50%; }} }}
body {{ background: var(--panel); color: var(--text); font: 16px/1.7 ui-monospace, monospace; margin: 2rem auto;
  max-width: 80ch; padding: 0 1rem; }}
header, footer {{ font: 14px/1.5 system-ui, sans-serif; color: var(--muted); }}
h1 {{ font-size: 20px; color: var(--text); }}
pre {{ font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }}
.t {{ --c: transparent; --w: 0; background: color-mix(in srgb, var(--c) calc(var(--share) * var(--w)), var(--panel));
  border-bottom: 2px none var(--c); }}
.p {{ font-weight: 600; }}
{slots}
.key {{ display: inline-block; margin-right: 1.5em; }}
</style>
<header><h1>{title}</h1><p>{legend}</p></header>
<pre>{tokens}</pre>
<footer><p>{recipe}</p></footer>
</html>
"""


def to_html(record: GenerationRecord) -> str:
    """The page. Colour is the dominant epoch, strength its weight, underline pattern the second cue."""
    rules = "\n".join(_slot_rule(index, slot) for index, slot in enumerate(record.slots) if index)
    legend = "".join(
        f'<span class="key"><span class="t s{index}" style="--w:1">&nbsp;{escape(slot.name)}&nbsp;</span></span>'
        for index, slot in enumerate(record.slots)
    )
    sampling = record.sampling
    recipe = (
        f"Mode: {escape(record.mode or 'backbone alone')} · temperature {sampling.temperature:g} · "
        f"top-k {sampling.top_k} · top-p {sampling.top_p:g} · repetition penalty {sampling.repetition_penalty:g} · "
        f"seed {sampling.seed} · ended: {escape(record.ended)}. The prompt is bold. A generated token's colour is the "
        "mix that was in force when it was predicted; a prompt token's colour is its own mix."
    )
    title = escape(record.prompt.strip().splitlines()[0][:80]) if record.prompt.strip() else "Generation"
    tokens = "".join(_token(token, record.slots) for token in record.tokens)
    return _PAGE.format(title=title, slots=rules, legend=legend, tokens=tokens, recipe=recipe)


def _slot_rule(index: int, slot: SlotInfo) -> str:
    return f".s{index} {{ --c: {escape(slot.colour)}; border-bottom-style: {_STYLES[(index - 1) % len(_STYLES)]}; }}"


def _token(token: TokenEvent, slots: tuple[SlotInfo, ...]) -> str:
    slot = dominant_slot(token.weights)
    mix = " · ".join(
        f"{slots[i].name} {weight:.2f}" for i, weight in sorted(enumerate(token.weights), key=lambda pair: -pair[1])
    )
    title = escape(f"{mix}\nprobability {token.probability:.3f}, rank {token.rank}", quote=True)
    classes = f"t s{slot}" + (" p" if token.is_prompt else "")
    return f'<span class="{classes}" style="--w:{token.weights[slot]:.2f}" title="{title}">{escape(token.text)}</span>'
