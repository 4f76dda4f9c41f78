"""Real small things: random two-to-four-layer models, a byte-level tokenizer, one QApplication; no network."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a process of its own already

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from tiny_models import make_gpt2, make_llama

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

settings.register_profile("tests", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("tests")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

FONTS = Path(__file__).parent / "data" / "fonts"
os.environ["FONTCONFIG_FILE"] = str(FONTS / "fonts.conf")  # no font of this machine decides how wide a word is

WaitUntil = Callable[..., None]


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test writes goes to its own folder; the download cache is shared, so it is fetched once."""
    _live_in(tmp_path_factory.mktemp("home"), monkeypatch)


@pytest.fixture(scope="module")
def module_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for what all tests of a module look at."""
    with pytest.MonkeyPatch.context() as patch:
        _live_in(tmp_path_factory.mktemp("home"), patch)
        yield


def _live_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLORA_TOKENS", str(home / "tokens"))
    monkeypatch.setenv("TLORA_PROJECTS", str(home / "projects"))
    monkeypatch.setenv("TLORA_SETTINGS", str(home / "window.ini"))
    monkeypatch.setenv("TLORA_LOG", str(home / "tlora-gui.log"))


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Any:
    """Every byte is a token (256), plus an end-of-text token; it reads and writes any Unicode text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: index for index, symbol in enumerate(alphabet)} | {"<eos>": len(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", bos_token="<eos>")


@pytest.fixture(params=[make_llama, make_gpt2], ids=["llama", "gpt2"])
def tiny_backbone(request: pytest.FixtureRequest) -> Any:
    """A fresh random model of each family."""
    return request.param()


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    """A saved random Llama with its tokenizer: a local backbone to open."""
    folder = tmp_path_factory.mktemp("backbone") / "tiny-llama"
    make_llama().save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two folders of text that even a random model's bytes tell apart."""
    root = tmp_path_factory.mktemp("corpora")
    lines = {
        "verse": "O gentle night, that hides the weeping moon,\nthou art more fair than all the songs of June.\n",
        "code": "def f_{i}(x, y={i}):\n    return [x ** y for _ in range({i})]\n\n",
    }
    for name, line in lines.items():
        (root / name).mkdir()
        for file in range(6):
            text = "".join(line.replace("{i}", str(file * 40 + i)) for i in range(40)) + f"# {file}\n"
            (root / name / f"{file}.txt").write_text(text, encoding="utf-8")
    return {name: root / name for name in lines}


@pytest.fixture
def capped_threads() -> Iterator[None]:
    """Two tiny models need no thread pool."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application, in the light theme and with the fonts of the tests, for the whole run.

    ``TLORA_TEST_FONT`` names another of these fonts than DejaVu Sans.
    """
    from PySide6.QtGui import QFont, QFontDatabase
    from PySide6.QtWidgets import QApplication

    from tlora_gui.app import Application
    from tlora_gui.ui.theme import ThemeManager

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else Application([])
    app.setQuitOnLastWindowClosed(False)
    for font in FONTS.glob("*.ttf"):
        QFontDatabase.addApplicationFont(str(font))
    app.setFont(QFont(os.environ.get("TLORA_TEST_FONT", "DejaVu Sans"), 10))
    ThemeManager(app, "light")
    return app


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    """Everything made in the test speaks German."""
    from PySide6.QtCore import QLocale

    from tlora_gui.ui.translation import install

    before = QLocale()
    install(qapp, "de")
    yield
    install(qapp, "en")
    QLocale.setDefault(before)


@pytest.fixture
def wait_until(qapp: QApplication) -> WaitUntil:
    """:func:`turn_until`, for an application that is there."""
    return turn_until


def turn_until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Turn the event loop until the condition holds; fails if it never does."""
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + timeout_s
    loop = QEventLoop()  # other threads run Python meanwhile; QTest.qWait would hold them off
    while not condition():
        assert time.monotonic() < end, f"still not true after {timeout_s} s"
        QTimer.singleShot(10, loop.quit)
        loop.exec()


@pytest.fixture
def no_widget_survives(qapp: QApplication) -> Iterator[None]:
    """Closes and deletes every top-level widget of a test after it, and fails the test if one is still there.

    What was there before, for all tests of a module, stays.
    """
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    there = QApplication.topLevelWidgets()
    yield
    for widget in QApplication.topLevelWidgets():
        if isValid(widget) and widget not in there:  # closing one may have deleted the next
            widget.close()
    for widget in QApplication.topLevelWidgets():
        if isValid(widget) and widget not in there and widget.parent() is None:
            widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    left = [widget for widget in QApplication.topLevelWidgets() if widget not in there]
    survivors = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in left]
    assert survivors == [], f"top-level widgets survived the test: {survivors}"
