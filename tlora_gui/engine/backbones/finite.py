"""What to say of a mixture that holds numbers which are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.temporal.model import TemporalLoRA


def require_finite(model: TemporalLoRA, names: Sequence[str] = ()) -> None:
    """Refuse to ask a mixture in which an epoch or the Time Mixer has NaN or infinite weights.

    Args:
        model: the mixture.
        names: those that people know its slots by, the backbone's first; its own by default.

    Raises:
        TloraError: names them.
    """
    slots = zip(model.slot_adapters, (names or model.slot_names)[1:], strict=True)
    epochs = [f"“{name:.40}”" for slug, name in slots if not _finite(model.adapter_parameters(slug).values())]
    if epochs:
        names = ", ".join(epochs)
        raise TloraError(
            say(
                "The epoch {names} has weights that are no numbers (NaN), which silence the whole mixture.", names=names
            )
            if len(epochs) == 1
            else say(
                "The epochs {names} have weights that are no numbers (NaN), which silence the whole mixture.",
                names=names,
            ),
            say("Delete it, and train it anew with a lower learning rate. Another epoch alone can generate meanwhile."),
        )
    if not _finite(model.mixer.parameters()):
        raise TloraError(
            say("The Time Mixer has weights that are no numbers (NaN), so it cannot decide who speaks."),
            say("An epoch alone can generate; else restore the project from a copy."),
        )


def unspeakable(model: TemporalLoRA, names: Sequence[str] = ()) -> TloraError:
    """Why no next token can be drawn; see :func:`require_finite`."""
    try:
        require_finite(model, names)
    except TloraError as error:
        return error
    return TloraError(
        say("The mixture's answer is no number (NaN), though the weights of every epoch are finite."),
        say("Choose another mode, or put the mixing desk back."),
    )


def _finite(tensors: Iterable[Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)
