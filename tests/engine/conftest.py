"""Places of its own for each test's cache, short dreams, and one thread: tiny models need no pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, collect, train_job

from tlora_gui.engine import dreams, jobs
from tlora_gui.engine.session import Session
from tlora_gui.temporal.model import TemporalLoRA


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path | None:
    """An empty cache folder, but for tests of the starter backbone, which is fetched once for all."""
    if request.node.get_closest_marker("starter"):
        return None
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TLORA_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def short_dreams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dreams, "DREAM_BLOCKS", 12)
    monkeypatch.setattr(dreams, "DREAM_LENGTH", 32)
    monkeypatch.setattr(dreams, "_PROBE_BLOCKS", 2)


@pytest.fixture(autouse=True)
def one_thread(capped_threads: None) -> None:
    """Every test here computes on one thread."""


@pytest.fixture
def mixture(tiny_backbone: Any) -> TemporalLoRA:
    """Two epochs with a will of their own and a mixer with opinions, untrained."""
    model = TemporalLoRA(tiny_backbone)
    generator = torch.Generator().manual_seed(0)
    for name in ("verse", "code"):
        model.add_adapter(name)
        model.begin_epoch(name)
        with torch.no_grad():
            for parameter in model.adapter_parameters(name).values():
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
        model.finish_epoch(name)
    with torch.no_grad():
        model.mixer.head.weight.copy_(torch.randn(model.mixer.head.weight.shape, generator=generator))
        model.mixer.head.bias.zero_()
    return model


@pytest.fixture
def session(tmp_path: Path, tiny_model_folder: Path) -> Iterator[Session]:
    """A session with an empty project around the tiny backbone."""
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "project"), str(tiny_model_folder))))
    yield session


@pytest.fixture
def trained(session: Session, corpora: Corpora) -> Session:
    """The same with the epochs "Verse" and "Code"."""
    for name in ("verse", "code"):
        collect(session.run(train_job(name.capitalize(), corpora[name])))
    return session


@pytest.fixture
def reopened() -> Any:
    """Opens a session's project in another session, as after a restart."""

    def reopen(session: Session) -> Session:
        assert session.project is not None
        other = Session()
        collect(other.run(jobs.OpenProject(str(session.project.path))))
        return other

    return reopen
