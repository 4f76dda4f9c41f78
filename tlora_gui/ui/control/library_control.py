"""The project's kept texts: listed, opened, named, pinned, deleted, saved to files and opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EndEvent, Event, GenerationLoaded, ProjectInfo
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary
from tlora_gui.ui.control.undo import Undo
from tlora_gui.ui.formats import short
from tlora_gui.ui.generation.library.generation_row import title_of
from tlora_gui.ui.generation.library.generations_panel import GenerationsPanel
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.generation.token_view.picture import render, save
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.theme import ThemeManager
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.questions import choose_file, choose_target
from tlora_gui.worker.engine_client import EngineClient


class LibraryControl(QObject):
    """Keeps the list of texts up to date.

    Signals:
        stop_requested: a text is opened in place of one that may be coming.
        shown: a text that was opened is shown.
    """

    stop_requested = Signal()
    shown = Signal()

    def __init__(
        self,
        client: EngineClient,
        panel: GenerationsPanel,
        pane: GenerationPane,
        menus: Menus,
        banner: Banner,
        themes: ThemeManager,
        undo: Undo,
    ) -> None:
        super().__init__(panel)
        self._client = client
        self._panel = panel
        self._pane = pane
        self._banner = banner
        self._themes = themes
        self.known: dict[str, GenerationSummary] = {}
        self._backbone = ""
        self._wanted: int | None = None
        self._undo = undo
        panel.open_requested.connect(self.open)
        panel.rename_requested.connect(self._rename)
        panel.pin_requested.connect(self._pin)
        panel.delete_requested.connect(self._delete)
        menus.open_text.triggered.connect(self._choose_to_open)
        menus.save_text.triggered.connect(self._choose_to_save)
        menus.save_ribbon.triggered.connect(self._choose_picture_of_ribbon)
        pane.save_requested.connect(self._choose_to_save)
        pane.text_page.ribbon.save_requested.connect(self._choose_picture_of_ribbon)

    def begin(self, project: ProjectInfo) -> None:
        """A project has been opened, and its last text is shown."""
        self._backbone = project.backbone.name
        self._panel.set_current(project.generation.id if project.generation is not None else "")
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Ask for the list."""
        self._client.submit(jobs.ListGenerations(), self)

    # -- what the engine answers --------------------------------------------------------------------------------

    def listed(self, generations: tuple[GenerationSummary, ...]) -> None:
        """The list, whole."""
        self.known = {each.id: each for each in generations}
        self._panel.set_names(self._pane.mode_names)
        self._panel.set_generations(generations)
        whole = [each.prompt for each in generations if each.prompt and not each.prompt.endswith("…")]
        self._pane.prompt_bar.set_history(whole)

    def kept(self, record: Generation) -> None:
        """A text has been completed and kept; a branch can be undone."""
        if record.parent:
            again, before = partial(self._load, record.id), partial(self._load, record.parent)
            self._undo.done(self.tr("branch"), (again, before))
        self._panel.set_current(record.id)
        self.refresh()

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case GenerationLoaded(record) if job_id == self._wanted:
                self._pane.show_record(record)
                self.shown.emit()
                self._panel.set_current(record.id)
                if record.id not in self.known:
                    self.refresh()
                return True
            case _:
                return False

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """Nothing waits for it."""

    # -- the list -----------------------------------------------------------------------------------------------

    @Slot(str)
    def open(self, id: str) -> None:
        """Show a kept text, in place of one that is coming."""
        self._load(id)

    def _load(self, id: str) -> int:
        self.stop_requested.emit()
        self._wanted = self._client.submit(jobs.LoadGeneration(id), self)
        return self._wanted

    @Slot(str, str)
    def _rename(self, id: str, name: str) -> None:
        pinned = self.known[id].pinned
        self._edit(self.tr("rename {name}"), id, jobs.EditGeneration(id, name, pinned))

    @Slot(str, bool)
    def _pin(self, id: str, pinned: bool) -> None:
        name = self.tr("pin {name}") if pinned else self.tr("unpin {name}")
        self._edit(name, id, jobs.EditGeneration(id, self.known[id].name, pinned))

    def _edit(self, name: str, id: str, job: jobs.EditGeneration) -> None:
        before = self.known[id]
        opposite = jobs.EditGeneration(id, before.name, before.pinned)
        self._undo.do(name.format(name=short(title_of(before))), self._undo.part(job, opposite, self))

    @Slot(list)
    def _delete(self, ids: list[str]) -> None:
        name = self.tr("delete {name}").format(name=short(title_of(self.known[ids[0]])))
        notice = self.tr("The text and what branches off it are deleted.")
        if len(ids) > 1:
            name = filled(self.tr("delete {count} texts"), count=len(ids))
            notice = filled(self.tr("{count} texts and what branches off them are deleted."), count=len(ids))
        opposites = ((jobs.DeleteGeneration(id), jobs.DeleteGeneration(id, restore=True)) for id in ids)
        self._undo.do(name, *(self._undo.part(*both, self) for both in opposites), notice=notice)

    # -- files --------------------------------------------------------------------------------------------------

    def _ask_for_file(self, title: str, filters: dict[str, str], then: Callable[[str], None]) -> None:
        """Ask where to save; ``filters`` give the endings by what people read."""
        suffixes = {f"{name} (*.{ending})": ending for name, ending in filters.items()}
        choose_target(self._panel.window(), title, "text", suffixes, then)

    @Slot()
    def _choose_to_save(self) -> None:
        filters = {
            self.tr("Web page"): "html",
            self.tr("Picture"): "png",
            self.tr("Markdown"): "md",
            self.tr("Text with its recipe, to open again"): "json",
        }
        record = self._pane.record_in_front
        if record is not None:
            self._ask_for_file(self.tr("Save the text"), filters, partial(self.save, record))

    def save(self, record: Generation, path: str) -> None:
        """Write a text; the ending says as what."""
        if Path(path).suffix.lower() != ".png":
            self._client.submit(jobs.ExportGeneration(record, path), self)
            return
        (mode, slot), theme, backbone = self._pane.colour, self._themes.current, self._backbone
        self._write_picture(lambda: save(render(record, theme, mode=mode, slot=slot, backbone=backbone), path), path)

    @Slot()
    def _choose_picture_of_ribbon(self) -> None:
        ribbon = self._pane.text_page.ribbon
        filters = {self.tr("Picture"): "png", self.tr("Drawing"): "svg"}
        self._ask_for_file(
            self.tr("Save the mix ribbon"),
            filters,
            lambda path: self._write_picture(partial(ribbon.save_picture, path), path),
        )

    def _write_picture(self, write: Callable[[], object], path: str) -> None:
        try:
            write()
        except TloraError as error:
            self._banner.show_error(error.message, error.hint)
        else:
            self._banner.show_notice(self.tr("Written: {path}").format(path=path))

    @Slot()
    def _choose_to_open(self) -> None:
        saved = self.tr("Saved texts") + " (*.json)"
        choose_file(self._panel.window(), self.tr("Open a saved text"), "", self.open_file, saved)

    @Slot(str)
    def open_file(self, path: str) -> None:
        """Open a text that was saved with its recipe, and keep it in this project."""
        self._wanted = self._client.submit(jobs.ImportGeneration(path), self)
