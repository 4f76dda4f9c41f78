"""Handlers of the generation jobs: continue a prompt or another text's beginning, under the mixing desk."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from tlora_gui.engine.backbones.fast_linear import FEW, lay_weights
from tlora_gui.engine.backbones.fast_trial import find_fastest
from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.tokenizing import encode_more, require_known, vocabulary_of
from tlora_gui.engine.generation.batch import write_together
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.generation.read_text import InputToken
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.token_stream import TokenStream, go_on, input_tokens, no_room
from tlora_gui.engine.projects.run_history import processor_name
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    GenerationFinished,
    GenerationStarted,
    InRow,
    Progress,
    PromptTooLong,
    RowFailed,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, tee
from tlora_gui.engine.protocol.texts import DeskChange, Generation, TokenEvent
from tlora_gui.engine.training.memory_fit import free_memory
from tlora_gui.engine.workspace import Workspace


class Prefix(NamedTuple):
    """What a text begins with.

    Attributes:
        prompt: the text's own, or that of the text that it branches off.
        kept: tokens of the other text, emitted as they were.
        given: tokens after these, emitted as the model sees them now.
        desk: how the mixing desk stood at the other text's.
        parent, branch_at: as in :class:`~tlora_gui.engine.protocol.texts.Generation`.
    """

    prompt: str
    kept: Sequence[TokenEvent] = ()
    given: Sequence[InputToken] = ()
    desk: Sequence[DeskChange] = ()
    parent: str = ""
    branch_at: int = 0


def generate_text(workspace: Workspace, job: jobs.Generate, cancel: CancelToken) -> Stream:
    """Continue a prompt or a branch, as far as the context goes; the record is kept in the project, stopped or not,
    unless it is to be discarded.

    What a branch keeps is read again in the mode of this job. It is emitted as it was, or anew if the mixture has other
    slots by now. A forced token that ends texts ends this one. As far as the text begins like the one that was read
    last, it goes on from there.

    Raises:
        TloraError: if there is no room to go on, or the branch comes from another backbone or a text that is not kept.
        Cancelled: if the token is set to discard.
    """
    prefix = (yield from _of_prompt(workspace, job.prompt)) if job.branch is None else _of_branch(workspace, job.branch)
    prompt, kept, given, desk, parent, at = prefix
    sampling = yield from _possible(workspace, job.sampling)
    text = open_text(workspace, job.mode, desk, sampling)
    text.kept = at
    text.set_desk(job.desk)
    conditions = (job.mode, sampling.precision, workspace.changes)
    text.earlier, text.remembers = workspace.take_read(conditions), True
    ends = bool(given) and given[-1].forced and given[-1].token_id in text.ends
    slots, tokens = workspace.slots(), list[TokenEvent]()
    workspace.generating = text
    try:
        yield GenerationStarted(prompt, job.mode, sampling, slots, parent, at)
        fed = text.feed(kept, given[:-1] if ends else given)
        outcome = yield from tee(go_on(text, fed, 0 if ends else sampling.max_new_tokens, cancel), tokens)
    finally:
        workspace.generating = None
    workspace.keep_read(text.read_text(conditions))
    if cancel.mode == "discard":
        raise Cancelled
    record = Generation(
        prompt,
        job.mode,
        sampling,
        slots,
        tuple(tokens),
        "end of text" if ends and outcome.ended != "stopped" else outcome.ended,
        outcome.tokens_per_second,
        parent=parent,
        branch_at=at,
        desk=text.blend.changes,
    )
    yield from workspace.project.generations.finish(record)


def generate_rows(workspace: Workspace, job: jobs.GenerateRows, cancel: CancelToken) -> Stream:
    """Continue a prompt once per row, as many at once as can be; a row that fails ends alone.

    Raises:
        TloraError: if the prompt leaves no room.
        Cancelled: if the token is set to discard.
    """
    prefix = yield from _of_prompt(workspace, job.prompt)
    sampling = yield from _possible(workspace, job.sampling)
    most, left = _rows_at_once(workspace, job, sampling, len(prefix.given)), list(enumerate(job.rows))
    while left and not cancel.mode:
        now, left = dict(left[:most]), left[most:]
        write = _write_rows(workspace, now, prefix, sampling, cancel)
        yield from write if len(now) > 1 else _write_row(workspace, *now.popitem(), prefix.prompt, sampling, cancel)


def _rows_at_once(workspace: Workspace, job: jobs.GenerateRows, sampling: SamplingSettings, prompt_tokens: int) -> int:
    """How many rows of a batch memory and backbone allow."""
    model, most = workspace.model, FEW if sampling.precision == "fast" else len(job.rows)
    tokens = min(context_length(model.backbone), 1 + prompt_tokens + sampling.max_new_tokens)
    try:
        require_finite(model)
    except TloraError:
        return 1  # in a batch, an epoch of no numbers would silence the rows of the others
    if model.token_bytes is None:
        return 1
    return max(1, min(most, free_memory(model.device) // 2 // (tokens * model.token_bytes)))


def _write_row(
    workspace: Workspace, number: int, row: jobs.Row, prompt: str, sampling: SamplingSettings, cancel: CancelToken
) -> Stream:
    try:
        for event in generate_text(workspace, jobs.Generate(prompt, row.mode, sampling, row.desk), cancel):
            yield InRow(number, event) if isinstance(event, _OF_A_TEXT) else event
    except TloraError as error:
        yield InRow(number, RowFailed(error.message, error.hint))


_OF_A_TEXT = (GenerationStarted, TokenEvent, GenerationFinished)


def _write_rows(
    workspace: Workspace, rows: dict[int, jobs.Row], prefix: Prefix, sampling: SamplingSettings, cancel: CancelToken
) -> Stream:
    texts, tokens = dict[int, TokenStream](), dict[int, list[TokenEvent]]()
    slots = workspace.slots()
    for number, row in rows.items():
        try:
            texts[number], tokens[number] = open_text(workspace, row.mode, (), sampling), []
        except TloraError as error:
            yield InRow(number, RowFailed(error.message, error.hint))
        else:
            texts[number].set_desk(row.desk)
            yield InRow(number, GenerationStarted(prefix.prompt, row.mode, sampling, slots))
    for number, news in write_together(texts, prefix.given, sampling.max_new_tokens, cancel) if texts else ():
        match news:
            case TokenEvent():
                tokens[number].append(news)
                yield InRow(number, news)
            case TloraError():
                yield InRow(number, RowFailed(news.message, news.hint))
            case _ if cancel.mode != "discard":
                record = Generation(
                    prefix.prompt,
                    rows[number].mode,
                    sampling,
                    slots,
                    tuple(tokens[number]),
                    news.ended,
                    news.tokens_per_second,
                    desk=texts[number].blend.changes,
                )
                for event in workspace.project.generations.finish(record):
                    yield InRow(number, event)
    if cancel.mode == "discard":
        raise Cancelled


def open_text(
    workspace: Workspace, mode: str, desk: Iterable[DeskChange], sampling: SamplingSettings | None = None
) -> TokenStream:
    """A text that nothing has been read of yet.

    Raises:
        TloraError: if there is no such mode now.
    """
    slots = workspace.slots()
    blend = ScheduledBlend(workspace.blend(mode), [slot.slug for slot in slots], desk)
    names, sampling = [slot.name for slot in slots], sampling or SamplingSettings()
    fast = workspace.backbone.fast if sampling.precision == "fast" else None
    tokenizer, threads = workspace.backbone.tokenizer, workspace.reading_threads
    return TokenStream(workspace.model, tokenizer, blend, sampling, names, fast, threads)


def _possible(workspace: Workspace, sampling: SamplingSettings) -> Generator[Progress, None, SamplingSettings]:
    """The settings, exact where fast generation is none here; the backbone is made ready for them."""
    backbone, room = workspace.backbone, free_memory(workspace.model.device) // 2
    if sampling.precision == "fast":
        threads = torch.get_num_threads()
        key = f"{workspace.project.index.fingerprint} {processor_name()} {threads} torch {torch.__version__}"
        if (yield from find_fastest(backbone.fast, backbone.model, backbone.tokenizer, key, room)):
            return sampling
    if 4 * backbone.fast.weights <= room:  # they were pages of their file, which the system can drop
        lay_weights(backbone.model, "columns")
    return replace(sampling, precision="exact")


def require_readable(workspace: Workspace, ids: Sequence[int], count: int) -> None:
    """Refuse token ids that this backbone does not have, and a text of ``count`` tokens with no room for another.

    Raises:
        TloraError: says which.
    """
    require_known(workspace.model.backbone, ids)
    limit = context_length(workspace.model.backbone)
    if count >= limit:
        raise TloraError(
            say(
                "The text up to here has {count:,} tokens, but the backbone reads at most {limit:,} in all.",
                count=count,
                limit=limit,
            ),
            say("Begin at an earlier token."),
        )


def _of_prompt(workspace: Workspace, prompt: str) -> Generator[PromptTooLong, None, Prefix]:
    backbone = workspace.model.backbone
    encoded, misfit = fit_context(
        workspace.backbone.tokenizer, prompt, context_length(backbone) - 1, vocabulary_of(backbone)
    )
    if misfit:
        yield misfit
        raise no_room(misfit)
    return Prefix(encoded.text, given=input_tokens(encoded, is_prompt=True))


def _of_branch(workspace: Workspace, branch: jobs.Branch) -> Prefix:
    record, given = branch.record, [InputToken(branch.token_id, forced=True)]
    if isinstance(record, str):
        record = workspace.project.generations.load(record)
    if branch.token_id < 0:
        encoded = encode_more(workspace.backbone.tokenizer, branch.text, vocabulary_of(workspace.model.backbone))
        given = input_tokens(encoded, is_prompt=False)
    kept = record.tokens[: branch.at]
    ids = [*(token.token_id for token in kept), *(token.token_id for token in given)]
    require_readable(workspace, ids, len(ids))
    desk = [change for change in record.desk if change.index < len(kept)]
    if [slot.slug for slot in record.slots] != [slot.slug for slot in workspace.slots()]:
        anew = [InputToken(token.token_id, token.is_prompt, token.forced, token.text) for token in kept]
        return Prefix(record.prompt, (), [*anew, *given], desk, record.id, len(kept))
    return Prefix(record.prompt, kept, given, desk, record.id, len(kept))
