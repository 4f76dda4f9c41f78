"""Kept generations: a file that only grows, a list that costs little, names, pins, deletions, and damage."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import collect, only
from shared_records import FULL, RECIPE, RECORD, TOKENS

from tlora_gui.engine.projects import generation_store, records
from tlora_gui.engine.projects.generation_store import GenerationStore
from tlora_gui.engine.projects.migration import line_of
from tlora_gui.engine.projects.records import generation_data, generation_line, read_generation, read_generation_line
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import MAX_NEW_TOKENS, MAX_TOP_K, MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, GenerationLoaded, GenerationsListed
from tlora_gui.engine.protocol.texts import Alternative, DeskChange, Generation
from tlora_gui.engine.session import Session


@pytest.fixture
def kept(tmp_path: Path) -> GenerationStore:
    return GenerationStore(tmp_path / "generations.jsonl")


def again(kept: GenerationStore) -> GenerationStore:
    """The same file, opened anew."""
    return GenerationStore(kept.path, format=kept.format)


def keep(kept: GenerationStore, *, id: str = "", parent: str = "", **changes: Any) -> Generation:
    return kept.keep(replace(RECORD, id=id, parent=parent, **changes))


def ids(kept: GenerationStore) -> list[str]:
    """Ids in the list; whoever opens the file anew finds the same."""
    listed = kept.summaries()
    assert again(kept).summaries() == listed
    return [summary.id for summary in listed]


def old_line(prompt: str) -> str:
    """As it was written when generations had no id and alternatives were pairs."""
    tokens = [
        {name: value for name, value in asdict(token).items() if name != "forced"}
        | {"alternatives": [list(each)[:2] for each in token.alternatives]}
        for token in TOKENS
    ]
    slots = [asdict(slot) for slot in RECORD.slots]
    asked = {"prompt": prompt, "mode": "mixer", "sampling": asdict(RECORD.sampling), "slots": slots}
    return json.dumps({**asked, "tokens": tokens, "ended": "length", "tokens_per_second": 9.5}) + "\n"


# -- keeping and reading ----------------------------------------------------------------------------------------


def test_everything_in_a_record_survives(kept: GenerationStore) -> None:
    assert kept.keep(FULL) == FULL
    assert kept.load("abc") == again(kept).load("abc") == kept.last() == FULL


def test_a_kept_generation_has_an_id_of_its_own_and_its_time(kept: GenerationStore) -> None:
    before = time.time()
    one, other = keep(kept), keep(kept)
    assert one.id and other.id and one.id != other.id
    assert before <= one.created <= other.created <= time.time()
    assert kept.load(one.id) == one and replace(one, id="", created=0.0) == RECORD


def test_a_taken_id_is_not_given_twice_even_if_its_owner_is_deleted(kept: GenerationStore) -> None:
    keep(kept, id="a")
    kept.delete("a")
    assert again(kept).keep(replace(RECORD, id="a")).id not in ("", "a")


def test_summaries_tell_what_the_records_are(kept: GenerationStore) -> None:
    kept.keep(FULL)
    (summary,) = kept.summaries()
    for name in ("id", "parent", "branch_at", "name", "pinned", "created", "prompt", "mode", "ended"):
        assert getattr(summary, name) == getattr(FULL, name)
    assert summary.seed == 7 and summary.tokens == len(TOKENS)


def test_a_summary_tells_the_manual_blend_that_a_text_was_written_with(kept: GenerationStore) -> None:
    (backbone, epoch, *_), half = RECORD.slots, MixingDesk("manual", (("", 0.5), (RECORD.slots[1].slug, 1.5)))
    turned = (DeskChange(0, MixingDesk()), DeskChange(2, half))
    for desk in ((), (DeskChange(0, MixingDesk(muted=(epoch.slug,))),), (DeskChange(0, half),), turned):
        keep(kept, desk=desk)
    expected = [None, None, ((epoch.name, 0.75), (backbone.name, 0.25)), ()]
    assert [summary.blend for summary in again(kept).summaries()] == expected


def test_a_summary_has_the_beginning_of_what_is_the_generations_own(kept: GenerationStore) -> None:
    keep(kept)
    keep(kept, branch_at=5)
    long = tuple(replace(TOKENS[3], index=i, text=f"{i:04d}") for i in range(300))
    keep(kept, tokens=long, prompt="p" * 10_000)
    assert [summary.text for summary in kept.summaries()[:2]] == ["\ndef 日\u2028 x", " 日\u2028 x"]
    shortened = kept.summaries()[2]
    assert shortened.text == "".join(f"{i:04d}" for i in range(50)) and shortened.prompt == "p" * 200
    assert kept.load(shortened.id).prompt == "p" * 10_000


def test_the_list_is_in_the_order_in_which_texts_were_kept(kept: GenerationStore) -> None:
    keep(kept, id="b", created=2.0)
    keep(kept, id="a", created=1.0)
    assert ids(kept) == ["b", "a"]


def test_nothing_kept_is_an_empty_list(kept: GenerationStore) -> None:
    assert kept.summaries() == () and kept.last() is None
    with pytest.raises(TloraError, match="not kept"):
        kept.load("abc")


def test_the_list_parses_no_tokens(kept: GenerationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(kept, id="a")
    monkeypatch.setattr(records, "read_generation", lambda data: pytest.fail("parsed a whole line"))
    assert ids(kept) == ["a"]


def test_one_generation_is_loaded_without_reading_the_others(
    kept: GenerationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("a", "b", "c"):
        keep(kept, id=id)
    read: list[str] = []
    monkeypatch.setattr(
        generation_store, "read_generation_line", lambda line: (read.append(line), read_generation_line(line))[1]
    )
    assert kept.load("b").id == "b" and len(read) == 1


def test_the_list_follows_a_file_that_was_replaced_by_a_shorter_one(kept: GenerationStore) -> None:
    keep(kept, id="a")
    keep(kept, id="b")
    assert ids(kept) == ["a", "b"]
    kept.path.write_text(generation_line(replace(RECORD, id="c")) + "\n", encoding="utf-8")
    assert ids(kept) == ["c"]


# -- older files and damage -------------------------------------------------------------------------------------


def test_lines_of_an_older_version_have_ids_by_their_place(kept: GenerationStore) -> None:
    kept.path.write_text(old_line("first") + old_line("second"), encoding="utf-8")
    kept = GenerationStore(kept.path, format=1)
    found = kept.summaries()
    assert [summary.prompt for summary in found] == ["first", "second"]
    assert len({summary.id for summary in found}) == 2 and ids(kept) == [summary.id for summary in found]
    loaded = kept.load(found[1].id)
    assert loaded == kept.last()
    assert loaded.tokens[0].alternatives == (Alternative(" a", 0.5), Alternative("b", 0.25))
    assert replace(loaded, tokens=(), id="") == replace(RECORD, tokens=(), prompt="second")
    keep(kept, id="new")
    kept.edit(found[0].id, "named", True)
    assert GenerationStore(kept.path, format=1).load(found[0].id).name == "named" and len(ids(kept)) == 3


@pytest.mark.parametrize(
    "rest",
    [
        b'{"prompt": "half',
        b"\xe6\x97",
        b"null\n",
        b"[1]\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"edit": "a", "deleted": 5}\n',
        b'{"edit": "a", "name": 5, "pinned": true}\n',
        b'{"edit": "a", "deleted": ["a"',
        b'{"summary": {"id": 5}}\n',
        generation_line(replace(RECORD, id="half")).encode()[:-20],
    ],
)
def test_a_damaged_line_costs_neither_the_one_before_nor_the_one_after(kept: GenerationStore, rest: bytes) -> None:
    before = keep(kept, id="a")
    with kept.path.open("ab") as file:
        file.write(rest)
    assert kept.last() == before and ids(kept) == ["a"]
    after = keep(kept, id="b")
    assert kept.last() == after and ids(kept) == ["a", "b"]
    assert kept.load("a") == before and kept.load("b") == after


def test_a_line_whose_tokens_are_damaged_says_so_when_it_is_opened(kept: GenerationStore) -> None:
    keep(kept, id="a")
    line = kept.path.read_text(encoding="utf-8")
    kept.path.write_text(line.replace('"token_id": 66', '"token_id": !!'), encoding="utf-8")
    with pytest.raises(TloraError, match="damaged"):
        kept.load("a")
    assert kept.last() is None


@pytest.mark.parametrize("piece", [1, 7, 64, 10_000])
def test_the_last_one_is_found_by_reading_the_files_end_in_pieces_of_any_size(
    kept: GenerationStore, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(generation_store, "_PIECE", piece)
    kept.path.write_text("".join(old_line(str(number)) for number in range(3)), encoding="utf-8")
    kept = GenerationStore(kept.path, format=1)
    last = kept.last()
    assert last is not None and last.prompt == "2" and last.id == kept.summaries()[-1].id
    with kept.path.open("ab") as file:
        file.write(b"\n{cut off\n" * 100)
    assert kept.last() == last
    kept.delete(last.id)
    assert (found := kept.last()) is not None and found.prompt == "1" and found.id == kept.summaries()[-1].id


def test_the_last_one_costs_no_reading_of_the_earlier_ones(
    kept: GenerationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prompt in ("earlier", "later"):
        keep(kept, prompt=prompt)
    read: list[str] = []
    monkeypatch.setattr(
        generation_store, "read_generation_line", lambda line: (read.append(line), read_generation_line(line))[1]
    )
    monkeypatch.setattr(generation_store, "_PIECE", 100)
    again(kept).last()
    assert [line for line in read if "earlier" in line] == []


# -- names, pins, deletions -------------------------------------------------------------------------------------


def test_a_name_and_a_pin_stay_and_the_last_ones_count(kept: GenerationStore) -> None:
    keep(kept, id="a")
    kept.edit("a", "first", True)
    kept.edit("a", "second", False)
    assert [(summary.name, summary.pinned) for summary in again(kept).summaries()] == [("second", False)]
    for found in (kept.load("a"), again(kept).last()):
        assert found is not None and (found.name, found.pinned) == ("second", False)


def test_the_file_only_ever_grows(kept: GenerationStore) -> None:
    keep(kept, id="a")
    before = kept.path.read_bytes()
    kept.edit("a", "name", True)
    kept.delete("a")
    kept.restore("a")
    assert kept.path.read_bytes().startswith(before) and kept.path.read_bytes().count(b"\n") == 4


@pytest.fixture
def tree(kept: GenerationStore) -> GenerationStore:
    """a with the branches b (which has c) and d; e stands alone."""
    for id, parent in (("a", ""), ("b", "a"), ("e", ""), ("c", "b"), ("d", "a")):
        keep(kept, id=id, parent=parent)
    return kept


def test_deleting_takes_the_branches_along_and_restoring_brings_them_back(tree: GenerationStore) -> None:
    tree.delete("a")
    assert ids(tree) == ["e"]
    again(tree).restore("a")
    assert ids(tree) == ["a", "b", "e", "c", "d"]


def test_restoring_brings_back_what_that_deletion_took_and_no_more(tree: GenerationStore) -> None:
    tree.delete("b")
    tree.delete("a")
    tree.restore("a")
    assert ids(tree) == ["a", "e", "d"]
    tree.restore("b")
    assert ids(tree) == ["a", "b", "e", "c", "d"]


def test_a_branch_of_a_deleted_generation_is_listed_when_it_is_kept_later(tree: GenerationStore) -> None:
    tree.delete("a")
    keep(tree, id="f", parent="a")
    keep(tree, id="g", parent="never kept")
    assert ids(tree) == ["e", "f", "g"]


def test_the_last_one_is_not_a_deleted_one(tree: GenerationStore) -> None:
    tree.delete("a")
    assert (found := again(tree).last()) is not None and found.id == "e"
    tree.restore("a")
    assert (found := again(tree).last()) is not None and found.id == "d"
    tree.delete("e")
    tree.delete("a")
    assert again(tree).last() is None


def test_what_is_deleted_or_unknown_cannot_be_opened_named_or_deleted(tree: GenerationStore) -> None:
    tree.delete("b")
    size = tree.path.stat().st_size
    for id in ("c", "nothing"):
        for ask in (tree.load, tree.delete, lambda id: tree.edit(id, "name", True)):
            with pytest.raises(TloraError, match="not kept"):
                ask(id)
    tree.restore("e")
    assert tree.path.stat().st_size == size


def test_a_strangers_circle_of_branches_can_be_deleted(kept: GenerationStore) -> None:
    keep(kept, id="a", parent="b")
    keep(kept, id="b", parent="a")
    kept.delete("a")
    assert ids(kept) == []


# -- what a stranger's line may say -----------------------------------------------------------------------------

BAD: list[tuple[tuple[str | int, ...], Any]] = [
    (("prompt",), 5),
    (("mode",), None),
    (("ended",), "never"),
    (("tokens",), None),
    (("tokens",), {}),
    (("slots",), []),
    (("slots", 0, "slug"), "verse"),
    (("slots", 2, "slug"), "verse"),
    (("slots", 1, "colour"), "red}</style>"),
    (("tokens", 1, "index"), 5),
    (("tokens", 1, "index"), True),
    (("tokens", 1, "token_id"), 10**30),
    (("tokens", 1, "token_id"), 1.5),
    (("tokens", 1, "weights"), [0.5, 0.5]),
    (("tokens", 1, "weights"), [0.9, 0.9, 0.9]),
    (("tokens", 1, "weights"), [-1.0, 1.0, 1.0]),
    (("tokens", 1, "weights"), [float("nan"), 0.5, 0.5]),
    (("tokens", 1, "weights", 0), "0"),
    (("tokens", 1, "probability"), 7.0),
    (("tokens", 1, "probability"), float("inf")),
    (("tokens", 1, "probability"), 10**400),
    (("tokens", 1, "rank"), 0),
    (("tokens", 1, "forced"), "no"),
    (("tokens", 1, "alternatives"), [["a", 0.5, 1, 1]]),
    (("tokens", 1, "alternatives"), [["a"]]),
    (("tokens", 1, "alternatives"), ["ab"]),
    (("tokens", 1, "reasons"), [3, 0.0, 0.0, 0.0]),
    (("tokens", 1, "reasons"), [-1, 0.0, 0.0, 0.0]),
    (("tokens", 1, "reasons"), [1, 0.0]),
    (("tokens", 1, "reasons"), [1, 0.0, float("nan"), 0.0]),
    (("tokens", 1, "reasons"), [1, 0.0, 0.0, -1e300]),
    (("branch_at",), -1),
    (("created",), 1e300),
    (("tokens_per_second",), -1.0),
    (("sampling", "temperature"), -1),
    (("sampling",), []),
    (("desk", 0, "index"), -1),
    (("desk", 0, "index"), 5),
    (("desk", 1, "desk", "lock"), "open"),
    (("desk", 1, "desk", "levels"), [["code", 1.5, 2]]),
    (("report", "parts", 1, "slot"), 3),
    (("report", "parts", 1, "first"), 0),
    (("report", "lags"), [0]),
    (("report", "mix_loss"), 1e6),
    (("report", "unread"), -1),
]


@pytest.mark.parametrize(("place", "value"), BAD, ids=[f"{'.'.join(map(str, p))}={str(v)[:12]!a}" for p, v in BAD])
def test_a_strangers_record_with_something_impossible_is_refused(place: tuple[str | int, ...], value: Any) -> None:
    data = json.loads(json.dumps(generation_data(FULL)))
    assert read_generation(data) == FULL
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_generation(data)


def test_what_was_stopped_before_its_branching_point_can_be_opened(kept: GenerationStore) -> None:
    stopped = kept.keep(replace(FULL, tokens=TOKENS[:2], branch_at=3, ended="stopped", report=None))
    assert kept.load(stopped.id) == stopped and kept.summaries()[0].text == ""


def test_half_a_surrogate_pair_becomes_a_sign_that_files_can_hold(kept: GenerationStore) -> None:
    keep(kept, id="a", prompt="a \ud83d b")
    assert kept.load("a").prompt == kept.summaries()[0].prompt == "a ? b"


def test_what_a_later_version_adds_to_a_line_is_left_out(kept: GenerationStore) -> None:
    data = generation_data(FULL) | {"mood": "calm"}
    assert read_generation(json.loads(json.dumps(data))) == FULL


def test_a_record_of_a_time_without_limits_opens_within_todays() -> None:
    data = json.loads(json.dumps(generation_data(FULL)))
    data["sampling"] |= {"seed": 2**64 - 5, "max_new_tokens": 10**9, "top_k": 10**9}
    within = read_generation_line(line_of(json.dumps(data).encode(), 0, 1).decode()).sampling
    assert (within.seed, within.max_new_tokens, within.top_k) == (-5, MAX_NEW_TOKENS, MAX_TOP_K)
    drawn = [torch.rand(4, generator=torch.Generator().manual_seed(seed)) for seed in (within.seed, 2**64 - 5)]
    assert torch.equal(*drawn)


def test_the_recipe_of_another_project_stays_with_its_generation(kept: GenerationStore) -> None:
    kept.keep(FULL, RECIPE)
    keep(kept, id="own")
    assert again(kept).origin("abc") == RECIPE
    assert kept.origin("own") is None and kept.origin("unknown") is None
    assert kept.load("abc") == FULL


# -- as jobs ----------------------------------------------------------------------------------------------------


def test_texts_are_listed_opened_named_deleted_and_restored_by_jobs(one_epoch: Session) -> None:
    def run(job: jobs.Job) -> Any:
        (answer,) = collect(one_epoch.run(job))
        return answer

    asked = jobs.Generate("O night", sampling=SamplingSettings(max_new_tokens=4))
    one, other = (only(collect(one_epoch.run(asked)), GenerationFinished)[0].record for _ in range(2))
    listed = run(jobs.ListGenerations())
    assert isinstance(listed, GenerationsListed)
    assert [(text.id, text.prompt, text.tokens) for text in listed.generations] == [
        (record.id, "O night", len(record.tokens)) for record in (one, other)
    ]
    assert run(jobs.LoadGeneration(one.id)) == GenerationLoaded(one)
    named = run(jobs.EditGeneration(one.id, "mine", True)).generations[0]
    assert (named.id, named.name, named.pinned) == (one.id, "mine", True)
    assert one_epoch.info().generation == other
    assert [text.id for text in run(jobs.DeleteGeneration(other.id)).generations] == [one.id]
    assert one_epoch.info().generation == replace(one, name="mine", pinned=True)
    with pytest.raises(TloraError, match="not kept"):
        run(jobs.LoadGeneration(other.id))
    assert len(run(jobs.DeleteGeneration(other.id, restore=True)).generations) == 2
