"""A text as a page, as JSON that opens again, and as Markdown: whole, harmless, and readable without colours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Corpora, collect, only, train_job
from shared_records import FULL, RECIPE, RECORD, TOKENS

from tlora_gui.engine.projects.records import generation_data
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.colours import DARK, LIGHT, Theme, contrast
from tlora_gui.engine.protocol.config import BASELINE_MODE, EPOCH_COLOURS, SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import FileWritten, GenerationFinished, GenerationLoaded, WeightsHashed
from tlora_gui.engine.protocol.markdown import to_markdown
from tlora_gui.engine.protocol.texts import Generation, SlotInfo
from tlora_gui.engine.protocol.wording import NOBODY, mode_text, runs, shares, title, visible
from tlora_gui.engine.session import Session
from tlora_gui.engine.sharing import export_json
from tlora_gui.engine.sharing.export_html import to_html
from tlora_gui.engine.sharing.export_json import read_json, to_json
from tlora_gui.engine.sharing.page_colours import mix, theme_rules

NASTY = "<script>alert(\"x\")</script> & 'quotes' \u202eesrever\x00\r`*|"
VOID = {"meta", "input", "br", "path", "line"}


def nasty() -> Generation:
    """A record whose every text is out to break the page."""
    slots = tuple(replace(slot, slug=slot.slug, name=NASTY, colour="red}</style><script>") for slot in RECORD.slots)
    tokens = tuple(replace(token, text=NASTY) for token in TOKENS)
    return replace(RECORD, prompt=NASTY, mode=NASTY, name=NASTY, slots=slots, tokens=tokens)


class Page(HTMLParser):
    """What is on a page: tags, the tokens as they are seen, what is read aloud, what is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.seen: list[str] = []
        self.spoken = ""
        self.feed(page)
        self.close()
        assert self.open == []

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.found}

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.found if name in (attributes.get("class") or "").split()]

    @property
    def tokens(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == "label" and attributes.get("class")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if tag == "label":
            self.seen.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = [attributes.get("class") or "" for _, attributes in self.open]
        hidden = any(attributes.get("aria-hidden") for _, attributes in self.open)
        if "text" in classes and "tip" not in classes:
            self.seen[-1] += data
        if not hidden and "body" in [tag for tag, _ in self.open]:
            self.spoken += data


# -- HTML -------------------------------------------------------------------------------------------------------


def test_a_page_holds_every_token_in_order_with_its_slot_and_weight() -> None:
    page = Page(to_html(RECORD))
    shown = [token for token in RECORD.tokens if token.text]
    assert [text for text in page.seen if text][-len(shown) :] == [visible(token.text) for token in shown]
    assert [token["class"] for token in page.tokens] == ["t s1 p", "t s1 p", "t s0", "t s2", "t s2", "t s1"]
    assert [token["style"] for token in page.tokens] == [f"--w:{max(token.weights):.2f}" for token in shown]


def test_the_facts_of_a_token_are_in_its_card_and_in_what_is_heard_at_its_focus() -> None:
    html = to_html(RECORD)
    page = Page(html)
    radios = [attributes for tag, attributes in page.found if tag == "input" and attributes["name"] == "token"]
    assert len(radios) == len(page.tokens) == len(page.with_class("tip"))
    assert radios[2]["aria-label"] == "⏎: Eternity 0.80; probability 0.25 · rank 3 · surprise 2.0 bits"
    assert "Code 0.90 · Eternity 0.05 · Verse 0.05" in html
    assert "Most probable here: <bdi>␣a 0.50 · b 0.25</bdi>" in html
    assert ".t:focus-within .tip { display: block; }" in html and ".t:hover .tip { display: block;" in html


def test_without_eyes_the_text_is_heard_once_speaker_by_speaker() -> None:
    page = Page(to_html(RECORD))
    assert (
        page.spoken.index("Verse (prompt): To be") < page.spoken.index("Code: def 日␤") < page.spoken.index("Verse:  x")
    )
    assert page.spoken.count("def") == 1
    assert {"header", "main", "footer"} <= page.tags
    assert ("html", {"lang": "en"}) in page.found
    assert page.with_class("ribbon")[0]["aria-label"] == "The mix over the text: Verse 39%, Code 40%, Eternity 21%"


def test_a_page_escapes_whatever_a_person_or_a_project_put_in() -> None:
    html = to_html(nasty(), replace(RECIPE, backbone=replace(RECIPE.backbone, name=NASTY, fingerprint=NASTY)))
    page = Page(html)
    assert "<script" not in html and "script" not in page.tags and html.count("</style>") == 1
    assert not set(html) & {"\x00", "\r", "\u202e"}
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)


def test_a_page_stands_alone_and_has_both_themes() -> None:
    html = to_html(FULL, RECIPE)
    page = Page(html)
    assert "http" not in html and "@import" not in html and "url(" not in html
    assert not any({"src", "href"} & set(attributes) for _, attributes in page.found)
    assert "prefers-color-scheme: dark" in html
    assert {attributes.get("id") for tag, attributes in page.found if tag == "input"} >= {"system", "light", "dark"}
    assert html.count("{") == html.count("}") and "$" not in html


def test_a_page_tells_how_the_text_was_made() -> None:
    html = to_html(RECORD, RECIPE)
    for told in (
        "temperature 0.8 · top-k 50 · top-p 0.95 · repetition penalty 1.1 · seed 42",
        "length, 9.5 tokens per second",
        "model (owner/model)",
        *("f" * 64, "a" * 64, "b" * 64),
        "tlora-gui 0.1.0, torch 2.9, transformers 5.0",
    ):
        assert told in html
    assert "Backbone</dt>" not in to_html(RECORD)


def test_a_page_of_a_text_that_was_read_tells_how_well_it_is_known() -> None:
    html = to_html(FULL)
    assert "perplexity" in html and "<td>33.1</td><td>3.50</td>" in html
    assert "from token 0; the Time Mixer follows after" in html
    assert "Sampling</dt>" not in html and "(prompt)" not in html
    assert "Mixing desk from token 4" in html and "gain, Code × 1.50, Verse · Code alone, Eternity muted" in html


@pytest.mark.parametrize("count", [0, 1, 2, 499, 501, 3000])
def test_the_ribbon_stacks_to_the_top_at_any_length(count: int) -> None:
    tokens = tuple(replace(TOKENS[i % 7], index=i, is_prompt=False) for i in range(count))
    html = to_html(replace(RECORD, tokens=tokens))
    paths = re.findall(r'd="M([^"]+)Z"', html)
    assert len(paths) == (3 if count else 0)
    for path in paths:
        points = [tuple(map(float, point.split(","))) for point in path.split(" ")]
        assert all(0 <= x <= 1000 and 0 <= y <= 100 for x, y in points) and len(points) <= 1000
        assert points[0][0] == 0 and max(x for x, _ in points) == 1000
    if paths:
        top = [float(point.split(",")[1]) for point in paths[0].split(" ")[1:-1]]
        assert len(top) >= 2 and top == pytest.approx([0.0] * len(top), abs=0.11)


@pytest.mark.parametrize("prompt", ["", "   \n"])
def test_a_page_without_a_prompt_has_a_title(prompt: str) -> None:
    assert "<title>Generation</title>" in to_html(replace(RECORD, prompt=prompt, tokens=()))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("colour", [*EPOCH_COLOURS, "#000000", "#FFFFFF", "#FFFF00", "#0000FF", "#7F7F7F"])
def test_text_can_be_read_and_lines_be_told_on_every_colour_at_every_weight(theme: Theme, colour: str) -> None:
    rules = theme_rules(theme, (RECORD.slots[0], SlotInfo("a", "A", colour)))
    found = dict(pair.split(": ") for pair in rules.split("; "))
    strongest = int(found["--m1"].removesuffix("%")) / 100
    for weight in range(101):
        background = mix(colour, theme.panel, strongest * (0.2 + 0.8 * weight / 100))
        assert contrast(theme.text, background) >= 4.5
    for below in (theme.panel, mix(colour, theme.panel, strongest)):
        assert contrast(found["--u1"], below) >= 3
    assert strongest >= 0.2


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_pages_own_words_can_be_read(theme: Theme) -> None:
    for ink in (theme.text, theme.muted):
        for below in (theme.window, theme.panel):
            assert contrast(ink, below) >= 4.5
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_epoch_has_an_underline_of_its_own() -> None:
    slots = (RECORD.slots[0], *(SlotInfo(f"e{i}", f"E{i}", "#0072B2") for i in range(10)))
    drawn = re.findall(
        r"\.s\d+ \{.*underline (\w+) var\(--u\d+\) (\d)px", to_html(replace(RECORD, slots=slots, tokens=()))
    )
    assert len(set(drawn)) == 10


# -- words ------------------------------------------------------------------------------------------------------


def test_runs_join_one_speakers_tokens_and_leave_space_with_the_speaker_before() -> None:
    found = [(run.name, run.is_prompt, run.first, run.last, run.text) for run in runs(RECORD)]
    assert found == [
        ("Verse", True, 0, 1, "To be"),
        ("Eternity", False, 2, 2, "\n"),
        ("Code", False, 3, 5, "def 日\u2028"),
        ("Verse", False, 6, 6, " x"),
    ]
    spaced = replace(RECORD, tokens=(*TOKENS[3:6], replace(TOKENS[2], text="  "), TOKENS[3]))
    assert [(run.name, run.text) for run in runs(spaced)] == [("Code", "def 日\u2028  def")]


def test_where_several_weigh_the_same_nobody_in_particular_speaks() -> None:
    tokens = tuple(replace(token, weights=(0.0, 0.5, 0.5)) for token in TOKENS)
    alike = replace(RECORD, tokens=tokens)
    assert {run.name for run in runs(alike)} == {NOBODY}
    assert '<label class="t s' in to_html(RECORD) and '<label class="t s' not in to_html(alike)


def test_shares_are_those_of_the_whole_mix() -> None:
    assert sum(shares(RECORD)) == pytest.approx(1)
    assert shares(RECORD)[1] == pytest.approx(sum(token.weights[1] for token in TOKENS) / 7)
    assert shares(replace(RECORD, tokens=())) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("mixer", "Time Mixer"),
        ("", "Backbone alone"),
        ("code", "Code alone"),
        ("gone", "gone alone"),
        ("+sum", "Sum of all epochs"),
        ("@unprotected", "Time Mixer without Active Sleep"),
        ("@2", "Time Mixer number 2"),
    ],
)
def test_a_mode_has_words(mode: str, told: str) -> None:
    assert mode_text(mode, RECORD.slots) == told


def test_a_title_is_the_name_or_else_the_prompts_first_line() -> None:
    assert title(FULL) == 'a "name"'
    assert title(replace(FULL, name="", prompt="\n\n one\ntwo")) == "one"
    assert title(replace(FULL, name="", prompt="x" * 100)) == "x" * 79 + "…"


def test_markdown_keeps_the_text_and_names_who_speaks() -> None:
    text = to_markdown(RECORD)
    assert text.startswith("### To be\n\n| epoch | share of the mix |\n| :-- | --: |\n| Verse | 39% |\n")
    assert "**Verse** (prompt)\n\n```text\nTo be\n```\n\n**Eternity**\n\n```text\n\n\n```\n\n**Code**" in text
    assert "seed 42" in text.splitlines()[-1]


def test_markdown_takes_nothing_in_a_text_for_markdown() -> None:
    token = replace(TOKENS[3], text="```\n# no heading\n`````\n<b>")
    text = to_markdown(replace(nasty(), tokens=(token,)))
    assert "``````text\n```\n# no heading\n`````\n<b>\n``````" in text
    outside = re.sub(r"(?s)(`{3,})text\n.*?\n\1", "", text)
    assert not re.search(r"(?<!\\)[<`]", outside) and "\u202e" not in text


def test_markdown_of_a_text_that_was_read_tells_no_sampling() -> None:
    text = to_markdown(FULL)
    assert "read, not generated" in text and "seed" not in text and "(prompt)" not in text


# -- JSON -------------------------------------------------------------------------------------------------------


def test_a_json_file_opens_as_what_was_exported(tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text(to_json(FULL, RECIPE), encoding="utf-8")
    assert read_json(path) == (FULL, RECIPE)
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["format", "version", "recipe", "generation"]


def file_of(**changes: Any) -> bytes:
    return json.dumps(json.loads(to_json(FULL, RECIPE)) | changes).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"9" * 5000, "damaged"),
        (b"null", "no generation"),
        (b"[]", "no generation"),
        (b'{"a": 1}', "no generation"),
        (file_of(format="other"), "no generation"),
        (file_of(version=2), "newer tlora-gui"),
        (file_of(generation=None), "damaged"),
        (file_of(generation=[]), "damaged"),
        (file_of(generation={**generation_data(FULL), "slots": []}), "damaged"),
        (file_of(recipe=None), "damaged"),
        (file_of(recipe={"backbone": {}}), "damaged"),
        (to_json(FULL, RECIPE).encode()[:-40], "damaged"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "text.json"
    path.write_bytes(content)
    with pytest.raises(TloraError, match=told):
        read_json(path)


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "text.json"
    path.write_text(to_json(FULL, RECIPE), encoding="utf-8")
    monkeypatch.setattr(export_json, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(TloraError, match="larger than"):
        read_json(path)
    with path.open("wb") as file:
        file.truncate(2**30)
    monkeypatch.undo()
    with pytest.raises(TloraError, match="larger than"):
        read_json(path)


def test_what_is_no_file_is_refused_in_words(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.json", Path("/dev/zero"), tmp_path / "a\0b"):
        with pytest.raises(TloraError, match=r"no file|cannot be read"):
            read_json(path)


# -- as jobs ----------------------------------------------------------------------------------------------------


def generated(session: Session, mode: str = "mixer") -> Generation:
    asked = jobs.Generate("O night", mode, SamplingSettings(max_new_tokens=4))
    return only(collect(session.run(asked)), GenerationFinished)[0].record


def exported(session: Session, record: Generation, path: Path) -> Path:
    assert collect(session.run(jobs.ExportGeneration(record, str(path)))) == [FileWritten(str(path))]
    return path


def imported(session: Session, path: Path) -> Generation:
    (answer,) = collect(session.run(jobs.ImportGeneration(str(path))))
    assert isinstance(answer, GenerationLoaded)
    return answer.record


def test_the_ending_of_a_file_says_what_is_written(one_epoch: Session, tmp_path: Path) -> None:
    record = generated(one_epoch)
    for ending in (".html", ".HTM"):
        page = exported(one_epoch, record, tmp_path / f"page{ending}").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>") and "tiny-llama" in page
    assert exported(one_epoch, record, tmp_path / "text.md").read_text(encoding="utf-8") == to_markdown(record)
    for ending in ("", ".txt", ".pdf"):
        with pytest.raises(TloraError, match="not exported as"):
            collect(one_epoch.run(jobs.ExportGeneration(record, str(tmp_path / f"text{ending}"))))
    (tmp_path / "file").write_text("")
    with pytest.raises(TloraError, match="cannot be written"):
        collect(one_epoch.run(jobs.ExportGeneration(record, str(tmp_path / "file" / "page.html"))))


@pytest.mark.parametrize("name", ["project.json", "new.html", "epochs/01-verse/epoch.json"])
def test_an_export_never_replaces_a_file_of_a_project(one_epoch: Session, tmp_path: Path, name: str) -> None:
    assert one_epoch.project is not None
    record = generated(one_epoch)
    with pytest.raises(TloraError, match="it lies in the project"):
        collect(one_epoch.run(jobs.ExportGeneration(record, str(one_epoch.project.path / name))))
    (tmp_path / "project.json").write_text('{"name": "of another program"}')
    exported(one_epoch, record, tmp_path / "beside.html")


@pytest.mark.parametrize("ending", [".html", ".json", ".md"])
def test_without_a_project_nothing_is_exported(tmp_path: Path, ending: str) -> None:
    with pytest.raises(TloraError, match="No project is open"):
        collect(Session().run(jobs.ExportGeneration(RECORD, str(tmp_path / f"text{ending}"))))


def test_a_recipe_names_backbone_and_adapters_down_to_their_bits(two_epochs: Session, tmp_path: Path) -> None:
    record = generated(two_epochs)
    _, recipe = read_json(exported(two_epochs, record, tmp_path / "text.json"))
    (hashed,) = only(collect(two_epochs.run(jobs.HashWeights())), WeightsHashed)
    assert two_epochs.project is not None
    assert recipe.backbone.fingerprint == two_epochs.project.index.fingerprint
    assert tuple((epoch.slug, epoch.sha256) for epoch in recipe.epochs) == hashed.adapters
    assert recipe.mixer.strategy == "gating" and len(recipe.mixer.sha256) == 64
    assert (recipe.mode, recipe.sampling, recipe.desk) == (record.mode, record.sampling, record.desk)


def test_a_recipe_names_the_mixer_that_spoke(two_epochs: Session, one_epoch_record: Any, tmp_path: Path) -> None:
    def mixer(record: Generation) -> str:
        return read_json(exported(two_epochs, record, tmp_path / "text.json"))[1].mixer.sha256

    now, earlier, backbone = generated(two_epochs), generated(two_epochs, "@1"), generated(two_epochs, "")
    assert mixer(earlier) and mixer(earlier) != mixer(now)
    assert mixer(one_epoch_record) == mixer(earlier)
    assert mixer(backbone) == ""


def test_a_recipe_names_the_unprotected_mixer_of_that_time(
    two_epochs: Session, corpora: Corpora, tmp_path: Path
) -> None:
    record = generated(two_epochs, BASELINE_MODE)
    _, then = read_json(exported(two_epochs, record, tmp_path / "then.json"))
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    _, now = read_json(exported(two_epochs, record, tmp_path / "now.json"))
    assert then.mixer.sha256 and now.mixer == then.mixer


@pytest.fixture
def one_epoch_record() -> Generation:
    """As it was generated when Verse was the only epoch."""
    tokens = tuple(replace(token, weights=(0.5, 0.5)) for token in TOKENS)
    return replace(RECORD, slots=RECORD.slots[:2], tokens=tokens)


def test_an_imported_generation_is_kept_and_is_what_was_exported(one_epoch: Session, tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text(to_json(FULL, RECIPE), encoding="utf-8")
    assert imported(one_epoch, path) == FULL == one_epoch.info().generation
    second = imported(one_epoch, path)
    assert second.id != FULL.id and replace(second, id=FULL.id) == FULL
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(TloraError, match="no generation"):
        imported(one_epoch, path)
    assert one_epoch.info().generation == second


def test_an_epoch_that_is_gone_has_no_hash(two_epochs: Session, tmp_path: Path) -> None:
    record = generated(two_epochs)
    collect(two_epochs.run(jobs.DeleteEpoch("verse")))
    _, recipe = read_json(exported(two_epochs, record, tmp_path / "text.json"))
    assert [bool(epoch.sha256) for epoch in recipe.epochs] == [False, True]


def test_a_branch_keeps_a_parent_that_is_here_and_no_other(one_epoch: Session, tmp_path: Path) -> None:
    parent = generated(one_epoch)
    for given, kept in ((parent.id, parent.id), ("elsewhere", "")):
        path = tmp_path / "text.json"
        path.write_text(to_json(replace(FULL, id="", parent=given), RECIPE), encoding="utf-8")
        assert imported(one_epoch, path).parent == kept


def test_what_was_imported_is_exported_with_the_recipe_it_came_with(one_epoch: Session, tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text(to_json(FULL, RECIPE), encoding="utf-8")
    record = imported(one_epoch, path)
    assert read_json(exported(one_epoch, record, tmp_path / "again.json")) == (FULL, RECIPE)
    assert to_html(record, RECIPE) == exported(one_epoch, record, tmp_path / "page.html").read_text(encoding="utf-8")
