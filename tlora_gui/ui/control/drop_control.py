"""What is dropped on the window goes where it is for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.ui.control.notices import followed
from tlora_gui.ui.control.project_control import ProjectControl
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.drops import Dropped, recognise
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.ui.widgets.welcome import Welcome


class DropControl(QObject):
    """Projects open, models become the backbone; text waits for a project if none is open.

    Signals:
        epoch_wanted: list of files and folders to train on; empty if the person is yet to choose them.
        text_wanted: path of a text to be read.
        saved_text_wanted: path of a text that was saved to be opened again.
        adapter_wanted: path of an adapter that is to become an epoch, empty if the person is yet to choose it; and list
            of files and folders of its kind of text.
    """

    epoch_wanted = Signal(list)
    text_wanted = Signal(str)
    saved_text_wanted = Signal(str)
    adapter_wanted = Signal(str, list)

    def __init__(self, projects: ProjectControl, welcome: Welcome, pane: GenerationPane, banner: Banner) -> None:
        super().__init__(pane)
        self._projects = projects
        self._welcome = welcome
        self._pane = pane
        self._banner = banner
        self._kept: list[str] = []
        projects.ready.connect(self._take_kept)

    @Slot(list)
    def take(self, paths: Sequence[str]) -> None:
        """Do with dropped files and folders what they are for: projects open, packed ones too, models become the
        backbone, saved texts are shown, and all other text is read or trained on.
        """
        things = [recognise(path) for path in paths]
        large = [thing for thing in things if thing.kind in ("project", "packed project", "backbone", "adapter")]
        rest = [thing.path for thing in things if thing not in large]
        if len(large) > 1:
            names = ", ".join(thing.name for thing in large[:3])
            self._banner.show_error(
                self.tr("Projects and models are dropped one at a time: {names}").format(names=names),
                self.tr("Nothing was opened."),
            )
        elif not large:
            self._take_texts(things)
        elif large[0].kind == "project":
            self._take_project(large[0], rest)
        elif large[0].kind == "packed project":
            self._projects.unpack(large[0].path, partial(self._keep, rest) if rest else lambda: None)
        elif large[0].kind == "adapter":
            self._want_adapter(large[0].path, [thing.path for thing in things if thing.kind == "other"])
        else:
            self._take_texts([thing for thing in things if thing not in large])
            self._take_model(large[0])

    @Slot()
    def add_epoch(self) -> None:
        """The person wants a new epoch, and has named no text."""
        self._want_epoch([])

    @Slot()
    def import_adapter(self) -> None:
        """The person wants an adapter to become an epoch, and has named none."""
        self._want_adapter("", [])

    def _is_followed(self) -> bool:
        """Whether the project that is shown can only be looked at; says so if it is."""
        only_followed = self._projects.project is not None and self._projects.following and not self._projects.opening
        if only_followed:
            self._banner.show_error(*followed())
        return only_followed

    def _want_adapter(self, path: str, texts: Sequence[str]) -> None:
        if self._is_followed():
            return
        if self._projects.project is None or self._projects.opening:
            self._banner.show_error(
                self.tr("An adapter becomes an epoch of a project around its model."),
                self.tr("Open or make that project first."),
            )
        else:
            self.adapter_wanted.emit(path, texts)

    def _want_epoch(self, paths: Sequence[str]) -> None:
        if self._projects.project is None or self._projects.opening:
            self._keep(paths)
        elif not self._is_followed():
            self.epoch_wanted.emit(paths)

    def _keep(self, paths: Sequence[str]) -> None:
        self._kept = list(dict.fromkeys([*self._kept, *paths]))
        if self._projects.opening:
            self._banner.show_notice(self.tr("The text is taken up once the project is open."))
        else:
            self._banner.show_notice(self.tr("Choose a backbone first; the dropped text is kept for then."))

    @Slot()
    def _take_kept(self) -> None:
        kept, self._kept = self._kept, []
        self.take(kept)

    def _take_texts(self, things: Sequence[Dropped]) -> None:
        texts = [thing.path for thing in things if thing.kind == "other"]
        if self._projects.project is None or self._projects.opening:
            if things:
                self._keep([thing.path for thing in things])
            return
        if things and self._is_followed():
            return
        for thing in things:
            if thing.kind == "saved text":
                self.saved_text_wanted.emit(thing.path)
        if len(texts) == 1 and self._pane.page == "read" and os.path.isfile(texts[0]):
            self.text_wanted.emit(texts[0])
        elif texts:
            self._want_epoch(texts)

    def _take_project(self, thing: Dropped, rest: Sequence[str]) -> None:
        def open_it(_answer: str = "") -> None:
            self._projects.open(thing.path)
            if rest and self._projects.opening:
                self._keep(rest)

        if self._projects.project is None:
            open_it()
        elif self._projects.may_leave():
            ask(
                self._pane.window(),
                self.tr("Open {name}?").format(name=thing.name),
                self.tr("The project that is open here is closed for it; nothing of it is lost."),
                [Choice("open", self.tr("Open it"))],
                self.tr("Stay here"),
                open_it,
            )

    def _take_model(self, thing: Dropped) -> None:
        if self._projects.project is None:
            self._welcome.choose_backbone(thing.path)
            self._banner.show_notice(self.tr("{name} is the backbone of the next project.").format(name=thing.name))
        else:
            self._banner.show_error(
                self.tr("{name} is a model, not a text; a project keeps the backbone it was made with.").format(
                    name=thing.name
                ),
                action_text=self.tr("New project with it"),
                action=partial(self._begin_with, thing.path),
            )

    def _begin_with(self, backbone: str) -> None:
        self._projects.close()
        if self._projects.project is None:
            self._welcome.choose_backbone(backbone)
