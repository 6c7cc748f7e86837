"""What all screens do: keys and the mouse, and the ways from one to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events

from console.actions.readonly import acts_are_off
from console.model.glyphs import SOURCE_CLASS
from console.model.source import SourceState
from console.model.state import StateClass
from console.text import clean
from console.ui import frame
from console.ui.canvas import Canvas
from console.ui.screens.drawn import DrawnScreen

if TYPE_CHECKING:
    from console.model.build import BuildRef, Stage
    from console.model.container import Container
    from console.model.run import Run
    from console.ui.logtargets import LogOwner

WHEEL_ROWS = 3


class ConsoleScreen(DrawnScreen, inherit_bindings=False):
    """A screen with the keys that work everywhere."""

    @property
    def _log_keys(self) -> Sequence[str]:
        return self.look.keys.of("log")

    def take_key(self, key: str, _character: str | None) -> bool:
        """A key comes here before the bindings; True when it was meant for a short message that stands there."""
        ref = self._toast_log
        if ref is None or key not in self._log_keys:
            return False
        self.hush()
        self.open_build_log(ref, at_error=False)
        return True

    def on_key(self, event: events.Key) -> None:
        meant = self._toast_log is not None and event.key in self._log_keys
        if self._toast_lines and self._toast_timer is None and not meant:
            self.hush()

    def on_click(self, event: events.Click) -> None:
        self.console.rest.click()
        x, y = event.screen_x, event.screen_y
        if y == self.size.height - 1:
            for spot in self.foot_spots:
                if spot.start <= x < spot.end:
                    self.console.simulate_key(self.look.keys.of(spot.key.id)[0])
            return
        key = self._key_at(x, y)
        if key is None:
            self.clicked(x, y, event.chain)
        elif (system := frame.system_of(key)) is not None:
            self.to_system(system)
        else:
            self.console.simulate_key(key)

    def _key_at(self, x: int, y: int) -> str | None:
        """The key that stands in a cell; a short message hides what it covers."""
        if self.toast.display and self.toast.region_wanted.contains(x, y):
            return self.toast.key_at(x, y)
        return next((key for canvas in self.query(Canvas) if (key := canvas.key_at(x, y)) is not None), None)

    def to_system(self, name: str) -> None:
        """A system of line 1 was clicked: to its problem, or else to where it is told about; it says itself what is wrong."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if name == "jenkins":
            self.action_builds()
        elif name == "disk":
            self.action_disk()
        elif isinstance(main, MainScreen):
            self.console.close_all()
            main.select_system(name)
        status = self.world.sources.get(name) if self.world is not None else None
        if status is not None and status.reason is not None and status.state is not SourceState.OK:
            self.console.say(SOURCE_CLASS[status.state], str(status.reason))

    def clicked(self, x: int, y: int, times: int) -> None:
        """The mouse was pressed at this cell, `times` in a row."""

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self.wheel(WHEEL_ROWS)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.wheel(-WHEEL_ROWS)

    def wheel(self, by: int) -> None:
        """The wheel was turned. (Textual calls the handlers of all base classes: what is overridden is no handler.)"""
        self.action_move(by)

    def action_move(self, by: int) -> None:
        """Subclasses with something to move through do."""

    def action_refresh(self) -> None:
        self.console.live.refresh()
        self.say(StateClass.ACTIVE, "reading everything again")

    def action_redraw(self) -> None:
        self.app.refresh(repaint=True, layout=True)
        self.console.clear_terminal()

    def action_suspend_process(self) -> None:
        # A screen's keys reach the screen's own actions only.
        self.app.action_suspend_process()

    def action_help(self) -> None:
        from console.ui.screens.help import HelpSheet

        self.app.push_screen(HelpSheet(self.where, acts=self.console.read_only is None))

    def action_palette(self) -> None:
        from console.ui.screens.commands import CommandSheet

        sheet = CommandSheet(self.where, acts=self.console.read_only is None, demo=self.console.demo)
        self.app.push_screen(sheet, self._chosen)

    def _chosen(self, action: str | None) -> None:
        if action:
            self.call_next(self.run_action, action)

    async def action_acts(self, action: str) -> None:
        """What a key that acts is bound to: the action itself, unless acts are off."""
        if (where := self.console.read_only) is not None:
            self.say(StateClass.ATTENTION, acts_are_off(where))
        else:
            await self.run_action(action)

    def action_audit(self) -> None:
        """What was done with this console."""
        from console.ui.screens.audit import AuditScreen

        recorder = self.console.recorder
        if recorder is None:
            self.say(StateClass.ENDED, "nothing is written down here")
            return
        self.console.close_all()
        self.app.push_screen(AuditScreen(recorder))

    def show_row(self, key: str, container: str) -> None:
        """Go to a row of the main screen: the one of this key, or else of the service that the container is a replica of."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if isinstance(main, MainScreen):
            self.console.close_all()
            main.go_to_row(key, container)

    def open_container_log(self, container: Container, *, at_error: bool) -> None:
        """The log of one container."""
        from console.ui.logtargets import container_target_of
        from console.ui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self.log_owner(), [container_target_of(container)], at_error=at_error))

    def action_gpus(self, card: int = -1) -> None:
        """The cards with their past and their processes, one of them selected."""
        from console.ui.screens.gpus import GpusScreen

        self.console.close_all()
        self.app.push_screen(GpusScreen(card if card >= 0 else None))

    def action_theme(self, name: str) -> None:
        """Other colours, from now on and until the console ends."""
        if not self.console.wishes.color:
            self.say(StateClass.ENDED, "colours are off (NO_COLOR, --no-color or screen.color)")
            return
        self.console.use_theme(name)
        self.say(
            StateClass.ENDED, f"theme {self.look.palette.name.removesuffix('-256')}; for good: screen.theme in the settings"
        )

    shows_disk = False
    """Whether what fills the disk is on it."""

    def action_disk(self) -> None:
        """What fills the Engine's disk."""
        from console.ui.screens.disk import DiskScreen

        self.console.close_all()
        self.app.push_screen(DiskScreen())

    def action_doctor(self) -> None:
        """The whole chain, hop by hop."""
        from console.ui.screens.doctor import DoctorScreen

        self.console.close_all()
        self.app.push_screen(DoctorScreen())

    def action_prune_by(self, words: str) -> None:
        """Show what can go by this rule, as the palette has it, and ask before it does."""
        from console.ui.prunewords import rule_of
        from console.ui.screens.disk import DiskScreen

        if (where := self.console.read_only) is not None:
            self.say(StateClass.ATTENTION, acts_are_off(where))
            return
        rule = rule_of(words.split(), self.console.usual.rule)
        if rule is None:
            self.say(StateClass.BROKEN, f"prune {words} is no rule: prune images --keep 3")
            return
        self.console.close_all()
        screen = DiskScreen()
        self.app.push_screen(screen)
        screen.begin_prune(rule)

    def action_show_pane(self, name: str) -> None:
        """One of the lists of the main screen: `runs`, `queue`, `services`."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if isinstance(main, MainScreen):
            self.console.close_all()
            main.show_pane(name)

    # Jenkins

    def action_builds(self, job: str = "") -> None:
        """The list of builds, of all jobs or of one (by its full name)."""
        if not self.has_jenkins:
            self.say_no_jenkins()
            return
        from console.ui.screens.builds import BuildsScreen

        self.console.close_all()
        self.app.push_screen(BuildsScreen(clean(job) if job else None))

    def action_nodes(self, name: str = "") -> None:
        """The machines that builds run on, one of them selected."""
        if not self.has_jenkins:
            self.say_no_jenkins()
            return
        from console.ui.screens.nodes import NodesScreen

        self.console.close_all()
        self.app.push_screen(NodesScreen(name))

    def open_build(self, ref: BuildRef, step: Callable[[int], BuildRef | None] | None = None) -> None:
        """All about one build. `step` gives its neighbours in the list it was opened from."""
        from console.ui.screens.build import BuildScreen

        self.app.push_screen(BuildScreen(ref, step))

    def open_run(self, key: str, step: Callable[[int], str | None] | None = None) -> None:
        """All about one training run, by its key. `step` gives the keys of its neighbours in the list it was opened from."""
        from console.ui.screens.run import RunScreen

        self.app.push_screen(RunScreen(key, step))

    def open_log_of(self, run: Run | None, *, at_error: bool) -> None:
        """The log of the container that trains; where it is gone, of the build. None: no run is selected."""
        if run is None:
            self.say(StateClass.ENDED, "nothing is selected")
        elif run.container is not None:
            self.open_container_log(run.container, at_error=at_error)
        elif run.ref is not None and self.has_jenkins:
            self.open_build_log(run.ref, at_error=at_error)
        else:
            self.say(StateClass.ENDED, "its log is gone with its container")

    @property
    def known_runs(self) -> Sequence[Run]:
        """Every run that is known, those of the history behind the others."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        return main.known_runs if isinstance(main, MainScreen) else self.world.runs if self.world is not None else ()

    def action_run_of(self, name: str) -> None:
        """All about the run that is called so."""
        from console.ui.runcalling import open_called

        open_called(self, name)

    def action_compare_of(self, names: list[str]) -> None:
        """The runs that are called so, beside each other; one alone beside the last good one of its project."""
        from console.ui.runcalling import compare_called

        compare_called(self, names)

    def compare(self, keys: Sequence[str]) -> None:
        """These runs beside each other; one alone beside the last good one of its project."""
        from console.ui.runcalling import compare

        compare(self, keys)

    def open_build_log(self, ref: BuildRef, *, at_error: bool, stage: Stage | None = None) -> None:
        """The log of a build, or of one of its stages."""
        from console.ui.logtargets import build_target_of
        from console.ui.screens.log import LogScreen

        target = build_target_of(self.world.jenkins if self.world is not None else None, ref, stage)
        self.app.push_screen(LogScreen(self.log_owner(), [target], at_error=at_error))

    def log_owner(self) -> LogOwner:
        """The screen that knows what comes before and after what a log is opened of here."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        assert isinstance(main, MainScreen)  # noqa: S101 - the app begins with it
        return main

    def action_act_on(self, what: str, job: str, number: int) -> None:
        """An act on something by its name, as the palette has it: a build, or with an empty `job` an item of the queue."""
        from console.ui.acting import act_on

        act_on(self, what, clean(job), number)

    def action_serve(self, verb: str, names: list[str]) -> None:
        """An act on services by their names, as the palette has it; no names are all of the Compose file."""
        from console.ui.acting import begin
        from console.ui.makings import on_services

        if (where := self.console.read_only) is not None:
            self.say(StateClass.ATTENTION, acts_are_off(where))
        else:
            begin(self, on_services(verb, names))

    @property
    def has_jenkins(self) -> bool:
        status = self.world.sources.get("jenkins") if self.world is not None else None
        return status is not None and status.state is not SourceState.OFF

    def say_no_jenkins(self) -> None:
        status = self.world.sources.get("jenkins") if self.world is not None else None
        from console.model.jenkins import NOT_CONFIGURED

        self.say(StateClass.ENDED, (status.reason if status is not None else None) or NOT_CONFIGURED)

    def action_problem(self) -> None:
        """The next problem, wherever it is: the main screen knows all of them."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if isinstance(main, MainScreen):
            self.console.close_all()
            main.action_problem()

    def action_logs_of(self, names: list[str]) -> None:
        """Open the logs of these, by time."""
        from console.runs.meant import ManyMeantError
        from console.ui.logtargets import called
        from console.ui.screens.log import LogScreen
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        try:
            found, unknown = called(self.world, names, self.known_runs) if self.world is not None else ([], names)
        except ManyMeantError as error:
            self.say(StateClass.BROKEN, str(error))
            return
        if unknown or not isinstance(main, MainScreen):
            self.say(StateClass.BROKEN, f"nothing here is called {unknown[0] if unknown else ''}")
            return
        self.console.close_all()
        self.app.push_screen(LogScreen(main, found))

    def action_tour(self) -> None:
        """The tour of the demo, from its beginning."""
        self.console.close_all()
        self.console.begin_tour()

    def action_demo(self) -> None:
        world = self.world
        state = world.sources["docker"].state if world is not None else SourceState.STARTING
        if state is SourceState.OK or not self.console.enter_demo():
            self.say(StateClass.ENDED, "the demo is for when no Engine answers: mlops-console --demo opens it any time")

    def action_interrupt(self) -> None:
        if self.console.interrupted():
            self.app.exit(130)
        else:
            self.say(StateClass.ATTENTION, f"Press {self.own('interrupt')} again to quit")

    def action_quit(self) -> None:
        self.app.exit(0)

    def action_back(self) -> None:
        self.dismiss_or_stay()

    def action_leave(self) -> None:
        self.dismiss_or_stay()

    def action_dashboard(self) -> None:
        self.console.close_all()

    def dismiss_or_stay(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
