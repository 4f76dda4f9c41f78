"""Places of its own for each test's cache, short dreams and calibrations, one thread, small projects to begin from."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, MakeMixture, collect, open_copy, train_job

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams, evaluation
from tlora_gui.temporal import active_sleep
from tlora_gui.temporal.config import MixerSettings, Strategy
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


def shorten_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dreams, "DREAM_BLOCKS", 12)
    monkeypatch.setattr(dreams, "DREAM_LENGTH", 32)
    monkeypatch.setattr(dreams, "EVAL_BLOCKS", 2)
    monkeypatch.setattr(active_sleep, "CALIBRATION_STEPS", 10)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


@pytest.fixture(autouse=True)
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures on every machine; some CPUs train in bf16, which costs a tiny model more than it gains."""
    monkeypatch.setattr(evaluation, "trains_in_bf16", lambda device: False)


@pytest.fixture(autouse=True)
def one_thread(capped_threads: None) -> None:
    """Every test here computes on one thread."""


@pytest.fixture(scope="session")
def made_once() -> dict[Any, Any]:
    """What is costly to make and cheap to copy."""
    return {}


@pytest.fixture
def make_mixture(tiny_backbone: Any, made_once: dict[Any, Any]) -> MakeMixture:
    """Two epochs with a will of their own and a mixer of a strategy, with opinions, untrained."""

    def make(strategy: Strategy = "gating") -> TemporalLoRA:
        key = ("mixture", type(tiny_backbone), strategy)
        if key not in made_once:
            made_once[key] = mixture_of(tiny_backbone, strategy)
        return copy.deepcopy(made_once[key])

    return make


@pytest.fixture
def mixture(make_mixture: MakeMixture) -> TemporalLoRA:
    """The same with gating."""
    return make_mixture()


def mixture_of(backbone: Any, strategy: Strategy) -> TemporalLoRA:
    model = TemporalLoRA(backbone, mixer=MixerSettings(strategy))
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
        model.mixer.filter_scalars.copy_(torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0]))  # it holds on to nothing for long
        model.mixer.filter_prior.zero_()
        if strategy == "attention":
            model.mixer.query.weight.copy_(torch.randn(model.mixer.query.weight.shape, generator=generator))
    return model


@pytest.fixture(scope="session")
def stored_projects(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: Corpora
) -> dict[int, Path]:
    """Projects with no, one and two trained epochs ("Verse", "Code"), by their number; to be copied."""
    root = tmp_path_factory.mktemp("projects")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLORA_CACHE", str(root / "cache"))
        shorten_waits(patch)
        patch.setattr(evaluation, "trains_in_bf16", lambda device: False)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        session = Session()
        collect(session.run(jobs.CreateProject(str(root / "live"), str(tiny_model_folder))))
        shutil.copytree(root / "live", root / "0")
        for number, name in enumerate(("verse", "code"), 1):
            collect(session.run(train_job(name.capitalize(), corpora[name])))
            shutil.copytree(root / "live", root / str(number))
        torch.set_num_threads(threads)
    return {number: root / str(number) for number in range(3)}


@pytest.fixture
def session(stored_projects: dict[int, Path], tmp_path: Path) -> Session:
    """A session with an empty project around the tiny backbone."""
    return open_copy(stored_projects[0], tmp_path / "project")


@pytest.fixture
def one_epoch(stored_projects: dict[int, Path], tmp_path: Path) -> Session:
    """The same with the epoch "Verse"."""
    return open_copy(stored_projects[1], tmp_path / "project")


@pytest.fixture
def two_epochs(stored_projects: dict[int, Path], tmp_path: Path) -> Session:
    """The same with the epochs "Verse" and "Code"."""
    return open_copy(stored_projects[2], tmp_path / "project")
