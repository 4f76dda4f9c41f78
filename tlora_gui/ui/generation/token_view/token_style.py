"""What a token looks like and how it is worded: pure functions of the token, its slots and the colour mode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from tlora_gui.engine.protocol import wording
from tlora_gui.engine.protocol.attribution import dominant_slot, entropy_bits, surprise_bits
from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import PART_OF_A_CHARACTER, drawing_order
from tlora_gui.ui.formats import localised
from tlora_gui.ui.generation.token_view.token_text import STAND_INS
from tlora_gui.ui.translation import filled, tr, worded

ColourMode = Literal["dominant", "weight", "probability", "surprise", "entropy"]
"""What the colour of a token means; "weight" is that of one chosen slot."""

MEASURE_COLOURS: dict[ColourMode, str] = {
    "probability": "#009E73",
    "surprise": "#D55E00",
    "entropy": "#6F4E9C",
}
"""One colour per measure; its strength is the value, so that lightness alone shows it."""

FULL_SURPRISE_BITS = 10.0
"""Surprise that is drawn at full strength: one in a thousand."""

_LEAST_STRENGTH = 0.02
_MARKS = STAND_INS | {ord(" "): "␣", ord("\n"): "⏎", ord("\r"): "⏎", ord("\t"): "⇥"}


@dataclass(frozen=True, slots=True)
class TokenStyle:
    """Look of one token: ``colour`` is ``#RRGGBB`` or empty for none, ``strength`` lies in [0, 1].

    ``slot`` is the one whose underline pattern the token carries, 0 for no underline.
    """

    colour: str = ""
    strength: float = 0.0
    slot: int = 0


PLAIN = TokenStyle()


def was_predicted(token: TokenEvent) -> bool:
    """False for the first token of a prompt: nothing came before it, so its probability means nothing."""
    return token.index > 0 or not token.is_prompt


def token_style(token: TokenEvent, slots: Sequence[SlotInfo], mode: ColourMode, chosen: int = 0) -> TokenStyle:
    """Look of ``token`` in a colour mode. Colours of epochs are those of ``slots``, the token's own generation.

    ``chosen`` is the slot whose weight the mode "weight" shows; a generation without that slot is not coloured.
    """
    if mode == "dominant":
        slot = dominant_slot(token.weights)
        if not slot or slot >= len(slots):
            return PLAIN
        return TokenStyle(slots[slot].colour, token.weights[slot], slot)
    if mode == "weight":
        weight = token.weights[chosen] if chosen < len(slots) else 0.0
        return TokenStyle(slots[chosen].colour, weight) if weight >= _LEAST_STRENGTH else PLAIN
    strength = _measure(token, mode)
    return TokenStyle(MEASURE_COLOURS[mode], strength) if strength >= _LEAST_STRENGTH else PLAIN


def _measure(token: TokenEvent, mode: ColourMode) -> float:
    if mode == "entropy":
        return entropy_bits(token.weights) / math.log2(len(token.weights)) if len(token.weights) > 1 else 0.0
    if not was_predicted(token):
        return 0.0
    return token.probability if mode == "probability" else min(1.0, surprise_bits(token) / FULL_SURPRISE_BITS)


def visible_text(text: str, limit: int = 40) -> str:
    """Token text with spaces, line ends and tabs made visible, shortened to ``limit`` characters."""
    if not text:
        return worded(PART_OF_A_CHARACTER)
    shown = text.translate(_MARKS)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def quoted(token: TokenEvent, limit: int = 40) -> str:
    """A token's visible text in quotation marks."""
    return tr("“{text}”").format(text=visible_text(token.text, limit))


def share_text(share: float) -> str:
    """A share or probability in two decimals, in the window's language."""
    return worded(wording.share_text(share))


def facts(token: TokenEvent, between: str = " · ") -> str:
    """Probability, rank and surprise."""
    if not was_predicted(token):
        return tr("first token: nothing before it to predict it from")
    return between.join(
        (
            tr("probability\u00a0{share}").format(share=share_text(token.probability)),
            filled(tr("rank\u00a0{rank}"), rank=token.rank),
            tr("surprise\u00a0{bits}\u00a0bits").format(bits=localised(f"{surprise_bits(token):.1f}")),
        )
    )


def colour_reason(token: TokenEvent, mixer: str = "") -> str:
    """Which mix the token's colour stands for; ``mixer`` is the name of one that was asked about a finished text."""
    if dominant_slot(token.weights) is None:
        return tr("No dominant epoch: several weigh the same here")
    if mixer:
        return tr("Colour: what the Time Mixer gives here · {mixer}").format(mixer=mixer)
    if token.is_prompt:
        return tr("Colour: this prompt token's own mix")
    return tr("Colour: the mix in force when this token was predicted")


def description(token: TokenEvent, slots: Sequence[SlotInfo], mixer: str = "") -> str:
    """The token in plain words, for screen readers."""
    mix = ", ".join(f"{slots[slot].name} {share_text(token.weights[slot])}" for slot in drawing_order(slots))
    return f"{quoted(token)}, {facts(token)}. {mix}. {colour_reason(token, mixer)}"


def tooltip(token: TokenEvent, slots: Sequence[SlotInfo], muted: str, mixer: str = "") -> str:
    """The token as rich text: its text, facts, the full mix, and what the colour means. ``muted`` is ``#RRGGBB``."""
    most = dominant_slot(token.weights)
    rows = "".join(_tooltip_row(slots[s], token.weights[s], s == most) for s in drawing_order(slots))
    entropy = tr("Entropy of the mix: {bits} bits").format(bits=localised(f"{abs(entropy_bits(token.weights)):.2f}"))
    kind = tr("Prompt token (semi-bold)") if token.is_prompt else tr("Generated token")
    return (
        f"<p style='margin:0 0 4px 0; white-space:nowrap'><b>{escape(quoted(token))}</b></p>"
        f"<p style='margin:0 0 6px 0; white-space:nowrap'>{escape(facts(token))}</p>"
        f"<table cellspacing='0' cellpadding='1'>{rows}</table>"
        f"<p style='margin:6px 0 0 0; white-space:nowrap; color:{muted}'>{escape(kind)} · {escape(entropy)}<br>"
        f"{escape(colour_reason(token, mixer))}</p>"
    )


def _tooltip_row(slot: SlotInfo, weight: float, strong: bool) -> str:
    name, share = escape(slot.name), escape(share_text(weight))
    if strong:
        name, share = f"<b>{name}</b>", f"<b>{share}</b>"
    return (
        f"<tr><td style='color:{slot.colour}'>■&nbsp;</td><td>{name}&nbsp;&nbsp;</td>"
        f"<td align='right'>{share}</td></tr>"
    )
