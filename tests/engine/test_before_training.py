"""What a person sees of an epoch before it is trained: its blocks, the settings of others, and what waits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from engine_helpers import QUICK, Corpora, collect, only, reopened, train_job

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import PRESETS, ReadOptions, TrainSettings, preset_of, with_preset
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import BlocksPreviewed, SettingsLoaded, TrainingEstimate
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import probe


def previewed(session: Session, job: jobs.PreviewBlocks) -> BlocksPreviewed:
    (found,) = only(collect(session.run(job)), BlocksPreviewed)
    return found


def some_text(folder: Path, texts: dict[str, str]) -> str:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def test_the_blocks_are_the_text_token_by_token_with_the_ends_of_documents(session: Session, tmp_path: Path) -> None:
    texts = {f"{number}.txt": f"Text {number}.\n" + "abc\tdef \N{GREEK SMALL LETTER ALPHA}" for number in range(20)}
    folder = some_text(tmp_path / "texts", texts)
    found = previewed(session, jobs.PreviewBlocks((folder,), block_size=32))
    assert [len(block) for block in found.blocks] == [32, 32, 32]
    pieces = [piece for block in found.blocks for piece in block]
    read = "".join("\0" if piece.ends else piece.text for piece in pieces).split("\0")
    assert len(read) > 2 and all(text in texts.values() for text in read[:-1])
    assert any(text.startswith(read[-1]) for text in texts.values())
    assert {piece.id for piece in pieces if piece.ends} == {session_end_mark(session)}
    assert found.unknown == 0


def session_end_mark(session: Session) -> int:
    assert session._open is not None
    return int(session._open.backbone.tokenizer.eos_token_id)


def test_a_short_text_gives_what_there_is_of_blocks(session: Session, tmp_path: Path) -> None:
    folder = some_text(tmp_path / "texts", {"a.txt": "one two three " * 3})
    found = previewed(session, jobs.PreviewBlocks((folder,), block_size=1024))
    (block,) = found.blocks
    assert not block[-1].ends, "its end is held out"
    assert "".join(piece.text for piece in block) == ("one two three " * 3)[: int(14 * 3 * 0.9)]


def test_a_chat_is_previewed_with_the_control_tokens_of_its_template(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session._open is not None
    tokenizer, control = session._open.backbone.tokenizer, session_end_mark(session)
    template = "{% for m in messages %}{{ m.content }}" + tokenizer.eos_token + "{% endfor %}"
    monkeypatch.setattr(tokenizer, "chat_template", template)
    chat = [{"role": "user", "content": "Who speaks? " * 30}, {"role": "assistant", "content": "I do. " * 30}]
    folder = some_text(tmp_path / "texts", {"a.jsonl": json.dumps({"messages": chat})})
    found = previewed(session, jobs.PreviewBlocks((folder,), block_size=1024))
    pieces = [piece for block in found.blocks for piece in block]
    assert [piece.id for piece in pieces if not piece.ends].count(control) == 1


def test_what_is_not_read_is_not_previewed(session: Session, tmp_path: Path) -> None:
    folder = some_text(tmp_path / "texts", {"a.txt": "prose " * 200, "b.py": "code " * 200})
    found = previewed(session, jobs.PreviewBlocks((folder,), ReadOptions(include=("*.py",)), 32))
    assert "prose" not in "".join(piece.text for block in found.blocks for piece in block)


def test_the_settings_of_an_epoch_can_be_had_again(one_epoch: Session) -> None:
    (slug,) = (epoch.slug for epoch in one_epoch.info().epochs)
    (found,) = only(collect(one_epoch.run(jobs.LoadSettings(slug))), SettingsLoaded)
    assert (found.slug, found.settings) == (slug, QUICK)
    with pytest.raises(TloraError):
        collect(one_epoch.run(jobs.LoadSettings("nobody")))


def test_what_waits_is_kept_with_the_project(one_epoch: Session, corpora: Corpora) -> None:
    waiting = (
        jobs.TrainEpoch("B", (str(corpora["code"]),), "old", "#0072B2", QUICK, ReadOptions(exclude=("*.md",))),
        jobs.ImportAdapter("owner/adapter", "C", paths=(str(corpora["verse"]),), bare_router=True),
        jobs.TrainEpoch("A", (str(corpora["code"]),)),
    )
    collect(one_epoch.run(jobs.KeepQueue(waiting)))
    again = reopened(one_epoch)
    assert again.info().waiting == waiting
    collect(again.run(jobs.KeepQueue(())))
    assert again.info().waiting == () and again.project is not None
    assert not (again.project.path / "queue.json").exists()


@pytest.mark.parametrize(
    "text", ["{", "[1]", '[{"name": "", "paths": []}]', '[{"name": "A", "paths": [], "colour": "x"}]']
)
def test_a_damaged_queue_is_none_and_the_project_opens(one_epoch: Session, text: str) -> None:
    assert one_epoch.project is not None
    (one_epoch.project.path / "queue.json").write_text(text, encoding="utf-8")
    assert reopened(one_epoch).info().waiting == ()


def test_steps_of_the_same_kind_are_tried_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[TrainSettings] = []
    real = probe.probe

    def counted(model: object, settings: TrainSettings, vocabulary: int) -> object:
        tried.append(settings)
        return real(model, settings, vocabulary)  # type: ignore[arg-type]

    monkeypatch.setattr(probe, "probe", counted)
    found = [
        only(collect(session.run(jobs.EstimateTraining(settings, 10**5))), TrainingEstimate)[0]
        for settings in (QUICK, replace(QUICK, num_passes=4, max_tokens=None, seed=3), replace(QUICK, batch_size=1))
    ]
    assert [settings.batch_size for settings in tried] == [QUICK.batch_size, 1]
    assert found[1].steps > found[0].steps and found[1].seconds > found[0].seconds


def test_an_epoch_that_comes_in_between_is_tried_with(one_epoch: Session, corpora: Corpora) -> None:
    collect(one_epoch.run(jobs.EstimateTraining(QUICK, 10**4)))
    collect(one_epoch.run(train_job("Code", corpora["code"])))
    collect(one_epoch.run(jobs.EstimateTraining(QUICK, 10**4)))
    assert one_epoch._open is not None and len(one_epoch._open.probed) == 2


def test_a_preset_leaves_seed_and_samples_alone_and_is_known_again() -> None:
    mine = TrainSettings(seed=7, sample_prompt="O", sample_every=10, learning_rate=1e-4)
    for name in PRESETS:
        chosen = with_preset(mine, name)
        assert preset_of(chosen) == name
        assert (chosen.seed, chosen.sample_prompt, chosen.sample_every) == (7, "O", 10)
        assert chosen.learning_rate == PRESETS[name].learning_rate
    assert preset_of(mine) is None and preset_of(TrainSettings()) == "balanced"
