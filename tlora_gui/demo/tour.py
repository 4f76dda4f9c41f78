"""The demo's last part: the ways to explore a text, each played through the window's own widgets and actions."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QDialog

from tlora_gui.demo.player import Condition, Demo, after
from tlora_gui.engine.protocol.config import BASELINE_MODE, MIXER_MODE, SamplingSettings
from tlora_gui.engine.protocol.events import Counterfactual, GenerationFinished, GenerationsListed, MixerTimeline
from tlora_gui.engine.protocol.jobs import Generate

MIXED_TEXT = '''def soliloquy(question, answer=None):
    if answer is None:
        raise ValueError("an answer is needed")
    return {key: value for key, value in question.items() if value}

**FIRST LORD**  
My gracious lord, the king your father lies  
This night at Dover, and commends him to thee.  

**PRINCE**  
What says he, sirrah? Speak, and be not long.  
I am not in the humour for thy jests.  

**FIRST LORD**  
He prays that thou wilt come with all thy train,  
And bring thy brother too, whom much he loves.  

_Exeunt._

class Court:
    """The lords of a king, in order."""

    def __init__(self, lords=()):
        self._lords = list(lords)

    def __iter__(self):
        return iter(self._lords)

    def __contains__(self, lord):
        return lord in self._lords
'''  # noqa: W291 - Markdown's line breaks
"""A Python file with a scene of a play in it."""


class Tour:
    """A script like the demo's: a generator of conditions; a picture of every stop."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._window = demo.window

    def play(self) -> Iterator[Condition]:
        """Every way to explore, on the text that is shown."""
        for stop in (
            self._predictions,
            self._branch,
            self._desk,
            self._sweep,
            self._compare,
            self._ask_for_timeline,
            self._read,
        ):
            yield from stop()
        yield from self._dialogs()

    def _pause(self) -> Condition:
        return after(0.4 if self._demo.pictures else 4.0)

    def _predictions(self) -> Iterator[Condition]:
        """Show counterfactuals at a token where the mix was in doubt."""
        window, demo = self._window, self._demo
        tokens = window.generation.text_page.text.tokens
        written = [token for token in tokens if not token.is_prompt and token.text.strip()]
        doubtful = min(written, key=lambda token: (max(token.weights), token.index))
        window.generation.choose_token(doubtful.index)
        window.menus.predict_counterfactual.trigger()
        yield lambda: demo.last(Counterfactual) is not None
        yield self._pause()
        demo.shoot("voices")

    def _branch(self) -> Iterator[Condition]:
        """Put the second most probable word where the text begins, and let it go on."""
        window, demo = self._window, self._demo
        first = next(token for token in window.generation.text_page.text.tokens if not token.is_prompt)
        other = next(each for each in first.alternatives if each.token_id != first.token_id)
        finished, listed = demo.count(GenerationFinished), demo.count(GenerationsListed)
        window.controller.generating.branch(first.index, other.token_id, other.text)
        yield demo.more(GenerationFinished, finished)
        yield demo.more(GenerationsListed, listed)
        window.generation.choose_token(first.index)
        window.raise_dock(window.texts)
        yield self._pause()
        demo.shoot("branches")

    def _desk(self) -> Iterator[Condition]:
        """Turn the mixing desk by hand while the text comes."""
        window, demo = self._window, self._demo
        window.raise_dock(window.desk)
        first, last = (slot.slug for slot in window.desk.slots[1:3])
        finished = demo.count(GenerationFinished)
        prompt = "To code or not to code"
        window.generation.set_prompt(prompt)
        window.controller.generating.generate(Generate(prompt, sampling=SamplingSettings(max_new_tokens=60, seed=7)))
        yield lambda: not window.generation.finished  # the text before is gone
        for share in (0.8, 0.5, 0.2):
            start = len(window.generation.text_page.text.tokens)
            window.desk.turn_by_hand({first: share, last: 1 - share})
            yield (
                lambda start=start: (
                    len(window.generation.text_page.text.tokens) >= start + 15
                    or (  # type: ignore[misc]
                        demo.count(GenerationFinished) > finished
                    )
                )
            )
        yield demo.more(GenerationFinished, finished)
        yield self._pause()
        demo.shoot("mixing-desk")
        window.desk.reset()

    def _sweep(self) -> Iterator[Condition]:
        """One prompt from the first epoch alone to the second alone."""
        window, demo = self._window, self._demo
        window.generation.set_prompt("The king said")
        window.generation.prompt_bar.sampling.set_settings(SamplingSettings(max_new_tokens=40, seed=3))
        first, last = (slot.slug for slot in window.desk.slots[1:3])
        window.controller.comparing.sweep(first, last)
        yield lambda: not window.controller.comparing.running
        yield self._pause()
        demo.shoot("sweep")

    def _compare(self) -> Iterator[Condition]:
        """The Time Mixer against an epoch alone and against the mixer that forgot."""
        window, demo = self._window, self._demo
        window.generation.set_prompt("O Romeo, Romeo! wherefore art")
        window.generation.compare_page.choose_modes([MIXER_MODE, BASELINE_MODE, ""])
        window.generation.begin()
        yield lambda: not window.controller.comparing.running
        yield self._pause()
        demo.shoot("compare")

    def _ask_for_timeline(self) -> Iterator[Condition]:
        """How the mixer of the first phase would have weighed the text."""
        window, demo = self._window, self._demo
        window.generation.show_page("generate")
        window.menus.mixer_timeline.trigger()
        yield lambda: demo.last(MixerTimeline) is not None
        window.generation.text_page.timeline.set_position(0)
        yield self._pause()
        demo.shoot("scrub")
        window.generation.text_page.hide_timeline()

    def _read(self) -> Iterator[Condition]:
        """Colour a Python file with a scene of a play in it."""
        window, demo = self._window, self._demo
        window.raise_dock(window.inspector)
        window.generation.show_page("read")
        window.generation.set_prompt(MIXED_TEXT)
        finished = demo.count(GenerationFinished)
        window.generation.begin()
        yield demo.more(GenerationFinished, finished)
        window.generation.choose_token(12)
        yield self._pause()
        demo.shoot("read")

    def _dialogs(self) -> Iterator[Condition]:
        """What everything is called, and its keys."""
        window, demo = self._window, self._demo
        for action, title in ((window.menus.palette, "command-palette"), (window.menus.shortcuts, "shortcuts")):
            action.trigger()
            yield self._pause()
            dialog = next(each for each in window.findChildren(QDialog) if each.isVisible())
            demo.shoot(title, dialog)
            dialog.reject()
