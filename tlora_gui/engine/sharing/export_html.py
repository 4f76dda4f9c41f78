"""A generation as a page of its own: both themes, a token's facts by hover, touch and keyboard, and no script.

Who doesn't see colours reads underline patterns; who doesn't see the page hears the text epoch by epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from string import Template

from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.protocol.attribution import dominant_slot, surprise_bits
from tlora_gui.engine.protocol.colours import DARK, LIGHT
from tlora_gui.engine.protocol.mix_picture import HEIGHT, WIDTH, stacked_areas
from tlora_gui.engine.protocol.texts import Generation, ReadReport, SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import (
    desk_text,
    drawing_order,
    marked,
    mode_text,
    one_line,
    runs,
    sampling_text,
    share_text,
    shares,
    slot_name,
    title,
    visible,
)
from tlora_gui.engine.sharing.page_colours import slot_colour, theme_rules
from tlora_gui.paths import resource

_PATTERNS = ("solid", "dashed", "dotted", "double", "wavy")
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="tlora-gui">
<title>$title</title>
<style>
$style</style>
</head>
<body>
<header>
<div><h1><bdi>$title</bdi></h1>
<p class="muted">$subtitle</p></div>
<fieldset class="theme"><legend class="unseen">Theme</legend>
<label>System<input type="radio" name="theme" id="system" autocomplete="off" checked></label>
<label>Light<input type="radio" name="theme" id="light" autocomplete="off"></label>
<label>Dark<input type="radio" name="theme" id="dark" autocomplete="off"></label>
</fieldset>
</header>
<main>
<section class="unseen" aria-label="The text, and its dominant slots">
$readable
</section>
<ul class="keys" aria-label="Epochs and their shares of the mix">
$keys
</ul>
<div class="card">
<div class="text" role="radiogroup" aria-label="The text token by token; walk with the arrow keys">$tokens</div>
$ribbon
</div>
$report
<details><summary>Recipe</summary>
<dl>
$recipe
</dl>
</details>
</main>
<footer><p>Colour and underline show the dominant slot, strength its weight; the prompt is bold. Hover over the text,
or walk through it with Tab and the arrow keys. A generated token's mix is the one in force when it was predicted, a
prompt token's is its own.</p></footer>
</body>
</html>
""")


def to_html(record: Generation, recipe: Recipe | None = None) -> str:
    """The page; ``recipe`` is shown in full if it is known. Everything that came from outside is escaped."""
    slots, share = record.slots, shares(record)
    return _PAGE.substitute(
        title=escape(title(record)),
        subtitle=escape(_subtitle(record)),
        style=_style(slots),
        readable="\n".join(_paragraphs(record)),
        keys="\n".join(
            f'<li><span class="t s{index}" style="--w:1">{_isolated(slots[index].name)}</span> {share[index]:.0%}</li>'
            for index in drawing_order(slots)
        ),
        tokens="".join(_token(token, slots) for token in record.tokens if token.text),
        ribbon=_ribbon(record, share),
        report=_report(record.report, slots) if record.report else "",
        recipe="\n".join(f"<dt>{what}</dt><dd>{value}</dd>" for what, value in _recipe(record, recipe)),
    )


def _subtitle(record: Generation) -> str:
    given = sum(token.is_prompt for token in record.tokens)
    counts = f"{len(record.tokens):,} tokens"
    if record.ended != "read":
        counts += f", {given:,} given and {len(record.tokens) - given:,} generated"
    made = [f"{datetime.fromtimestamp(record.created, UTC):%d %B %Y}"] if record.created else []
    return " · ".join([mode_text(record.mode, record.slots), counts, *made])


def _style(slots: Sequence[SlotInfo]) -> str:
    colours = "; ".join(f"--c{index}: {slot_colour(slot)}" for index, slot in enumerate(slots))
    rules = [f":root {{ {colours} }}", *(_slot_rule(index) for index in range(1, len(slots)))]
    template = Template(resource("export/generation.css").read_text(encoding="utf-8"))
    return template.substitute(light=theme_rules(LIGHT, slots), dark=theme_rules(DARK, slots), slots="\n".join(rules))


def _slot_rule(index: int) -> str:
    pattern = _PATTERNS[(index - 1) % len(_PATTERNS)]
    thick = 2 + 2 * ((index - 1) // len(_PATTERNS))
    return (
        f".s{index} {{ background: color-mix(in srgb, var(--c{index}) calc(var(--m{index}) * (.2 + .8 * var(--w))), "
        f"var(--panel)); text-decoration: underline {pattern} var(--u{index}) {thick}px; "
        "text-underline-offset: 4px; text-decoration-skip-ink: none; }"
    )


# -- the text ---------------------------------------------------------------------------------------------------


def _paragraphs(record: Generation) -> Iterator[str]:
    """The text as it is read aloud: a paragraph for each run of tokens with the same dominant slot."""
    for run in runs(record):
        given = " (prompt)" if run.is_prompt and record.ended != "read" else ""
        yield f"<p><b>{escape(run.name)}{given}:</b> <bdi>{escape(visible(run.text))}</bdi></p>"


def _token(token: TokenEvent, slots: Sequence[SlotInfo]) -> str:
    slot = dominant_slot(token.weights)
    classes = ("t" if slot is None else f"t s{slot}") + (" p" if token.is_prompt else "")
    words = escape(f"{marked(token.text)}: {_mix(token, slots, 1)}; {_facts(token)}")
    return (
        f'<label class="{classes}" style="--w:{max(token.weights):.2f}">'
        f'<input type="radio" name="token" autocomplete="off" aria-label="{words}">'
        f'<span aria-hidden="true">{escape(visible(token.text))}</span>{_tip(token, slots)}</label>'
    )


def _tip(token: TokenEvent, slots: Sequence[SlotInfo]) -> str:
    """The card with a token's facts."""
    others = " · ".join(f"{marked(other.text)} {share_text(other.probability)}" for other in token.alternatives)
    return (
        f'<span class="tip" aria-hidden="true"><b>“<bdi>{escape(marked(token.text))}</bdi>”</b>'
        f'<span class="bar" style="background:linear-gradient(90deg,{_bar(token)})"></span>'
        f"<span>{escape(_mix(token, slots, len(slots)))}</span><i>{escape(_facts(token))}</i>"
        + (f"<i>Most probable here: <bdi>{escape(others)}</bdi></i>" if others else "")
        + "</span>"
    )


def _bar(token: TokenEvent) -> str:
    stops, end = [], 0.0
    for slot in drawing_order(token.weights):
        start, end = end, end + 100 * token.weights[slot]
        if end - start >= 0.5:
            stops.append(f"var(--c{slot}) {start:.0f}% {end:.0f}%")
    return ",".join(stops)


def _mix(token: TokenEvent, slots: Sequence[SlotInfo], limit: int) -> str:
    heaviest = sorted(enumerate(token.weights), key=lambda pair: -pair[1])[:limit]
    return " · ".join(f"{one_line(slots[slot].name)} {share_text(weight)}" for slot, weight in heaviest)


def _facts(token: TokenEvent) -> str:
    if token.is_prompt and not token.index:
        return "first token: nothing before it to predict it from"
    probability, surprise = share_text(token.probability), surprise_bits(token)
    facts = f"probability {probability} · rank {token.rank:,} · surprise {surprise:.1f} bits"
    return facts + (" · put here by hand" if token.forced else "")


# -- around it --------------------------------------------------------------------------------------------------


def _ribbon(record: Generation, share: Sequence[float]) -> str:
    """The mix over the text, with a dashed line where the prompt ends."""
    if not record.tokens:
        return ""
    areas = stacked_areas(record.tokens, [f"var(--c{slot})" for slot in range(len(record.slots))])
    given = sum(token.is_prompt for token in record.tokens)
    at = WIDTH * given / len(record.tokens)
    end = f'<line x1="{at:.1f}" y1="0" x2="{at:.1f}" y2="{HEIGHT}"/>' if 0 < given < len(record.tokens) else ""
    shares = ", ".join(f"{one_line(record.slots[slot].name)} {share[slot]:.0%}" for slot in drawing_order(record.slots))
    return (
        f'<svg class="ribbon" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="The mix over the text: {escape(shares)}">{areas}{end}</svg>'
    )


def _report(report: ReadReport, slots: Sequence[SlotInfo]) -> str:
    rows = [("the mix", report.mix_loss), *((_isolated(slot_name(slug, slots)), loss) for slug, loss in report.losses)]
    body = "\n".join(
        f'<tr><th scope="row">{name}</th><td>{math.exp(loss):,.1f}</td><td>{loss:.2f}</td></tr>' for name, loss in rows
    )
    return (
        "<h2>How well each of them knows this text</h2>\n<table>\n<thead><tr><td></td>"
        '<th scope="col">perplexity</th><th scope="col">nats per token</th></tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>\n{_segments(report, slots)}"
    )


def _segments(report: ReadReport, slots: Sequence[SlotInfo]) -> str:
    items = "\n".join(
        f"<li>{_isolated(slots[part.slot].name)} from token {part.first}; "
        f"the Time Mixer follows after {lag} tokens</li>"
        for part, lag in zip(report.parts, report.lags, strict=True)
    )
    return f"<h2>Segments by evidence</h2>\n<ol>\n{items}\n</ol>"


def _recipe(record: Generation, recipe: Recipe | None) -> Iterator[tuple[str, str]]:
    """Pairs of a caption and what is said, as HTML."""
    yield "Mode", escape(mode_text(record.mode, record.slots))
    if record.ended != "read":
        yield "Sampling", escape(sampling_text(record))
        yield "Ended", escape(f"{record.ended}, {record.tokens_per_second:.1f} tokens per second")
    for change in record.desk:
        yield (
            f"Mixing desk from token {change.index}",
            escape(desk_text(change.desk, record.slots) or mode_text(record.mode, record.slots)),
        )
    if recipe:
        backbone, mixer, versions = recipe.backbone, recipe.mixer, recipe.versions
        yield "Backbone", f"{_isolated(f'{backbone.name} ({backbone.reference})')} {_hash(backbone.fingerprint)}"
        for epoch in recipe.epochs:
            yield "Epoch", f"{_isolated(epoch.name)} {_isolated(epoch.era)} {_hash(epoch.sha256)}"
        reads = ", reads the bare backbone" if mixer.bare_router else ""
        yield "Time Mixer", f"{_isolated(mixer.strategy)}{reads} {_hash(mixer.sha256)}"
        made_with = f"tlora-gui {versions.tlora_gui}, torch {versions.torch}, transformers {versions.transformers}"
        yield "Software", _isolated(made_with)


def _isolated(text: str) -> str:
    return f"<bdi>{escape(one_line(text))}</bdi>"


def _hash(digest: str) -> str:
    return f"<br><code>{escape(one_line(digest))}</code>" if digest else ""
