"""The entry point. It decides between the screen and a command, and loads only the one that is wanted."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.options import GlobalOptions, UsageError, remote_command, split
from console.model.source import SourceStatus
from console.settings import Loaded, Overrides, SettingsError, check_keys, load
from console.settings.loading import user_file
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.actions.audit import AuditRecorder
    from console.feeds.watch import Watch
    from console.sources.docker_engine.endpoint import Endpoint
    from console.sources.protocols import ActingJenkins, Compose, ContainerEngine

NO_ENGINE = "no Docker Engine here: an invented server, nothing of it is real"


class Backend:
    """Settings and sources for this call, made when they are first needed."""

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options
        self.demo = options.demo

    @cached_property
    def loaded(self) -> Loaded:
        """Raises SettingsError with every problem in every file."""
        overrides = Overrides(
            config=self._options.config,
            read_only=True if self._options.read_only else None,
            no_color=self._options.no_color,
        )
        return load(argv=overrides, env=os.environ, cwd=Path.cwd())

    @property
    def host(self) -> Clean:
        if self.demo:
            return Clean("demo-01")
        return clean(os.uname().nodename.partition(".")[0])

    @cached_property
    def endpoint(self) -> Endpoint:
        """Raises SourceError when the address in the settings makes no sense."""
        from console.sources.docker_engine.endpoint import find_endpoint

        docker = self.loaded.settings.docker
        return find_endpoint(
            docker.host,
            docker.context,
            os.environ,
            tls_verify=docker.tls_verify,
            cert_path=docker.cert_path,
        )

    def sources(self) -> tuple[ContainerEngine, Compose]:
        if self.demo:
            from console.demo import demo_sources

            return demo_sources()
        from console.sources.compose import ComposeCli
        from console.sources.docker_engine.source import DockerEngine

        settings = self.loaded.settings
        engine = DockerEngine(self.endpoint, settings.docker.timeout)
        compose = ComposeCli(
            file=settings.compose.file,
            project=settings.compose.project or None,
            profiles=settings.compose.profiles,
            engine=engine,
            env=os.environ,
            root=Path.cwd(),
        )
        return engine, compose

    def jenkins(self) -> ActingJenkins | SourceStatus:
        """Jenkins, or why there is none to ask."""
        if self.demo:
            from console.demo import demo_jenkins

            return demo_jenkins()
        from console.sources.jenkins.login import find_access, login_file

        found = find_access(self.loaded.settings.jenkins, login_file(user_file(os.environ).parent))
        if isinstance(found, SourceStatus):
            return found
        from console.sources.jenkins.source import JenkinsServer

        return JenkinsServer(found)

    @cached_property
    def _recorders(self) -> dict[bool, AuditRecorder]:
        return {}

    def recorder(self) -> AuditRecorder:
        """Where acts are written down; those of the demo nowhere but in memory."""
        if self.demo not in self._recorders:
            self._recorders[self.demo] = self._new_recorder()
        return self._recorders[self.demo]

    def _new_recorder(self) -> AuditRecorder:
        from console.actions.audit import AuditRecorder, InMemory

        if self.demo:
            from console.model.person import Person

            return AuditRecorder(InMemory(Person(Clean("you"), os.getuid())), self.host)
        from console.sources.trail import Trail

        return AuditRecorder(Trail(os.environ, jenkins=self._jenkins_user), self.host)

    def _jenkins_user(self) -> str | None:
        from console.sources.jenkins.login import find_access, login_file

        found = find_access(self.loaded.settings.jenkins, login_file(user_file(os.environ).parent))
        return None if isinstance(found, SourceStatus) else found.user

    def watch(self) -> Watch:
        from console.feeds.watch import Watch

        return Watch(self.sources, host=self.host, demo=self.demo, make_jenkins=self.jenkins, tunnel=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlops-console` with these arguments (default: the program's own) and give the exit status."""
    try:
        options, rest = split(sys.argv[1:] if argv is None else argv)
        if options.host is not None:
            options = _as_permitted(options)
            command = remote_command(options, rest, tty=sys.stdin.isatty() and sys.stdout.isatty())
            return _become(command)
    except (UsageError, SettingsError) as error:
        return _complain(str(error))
    backend = Backend(options)
    if rest or options.json or options.help or options.version or "_MLOPS_CONSOLE_COMPLETE" in os.environ:
        from console.cli import run

        return run(rest, options, backend)
    return _screen(backend)


def _as_permitted(options: GlobalOptions) -> GlobalOptions:
    """Who may only look here looks only from here: the other machine is told so. Raises SettingsError.

    A file named with --config is the other machine's.
    """
    here = load(argv=Overrides(read_only=options.read_only or None), env=os.environ, cwd=Path.cwd())
    return replace(options, read_only=here.read_only is not None)


def _screen(backend: Backend) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain("the screen needs a terminal. Without one: mlops-console status [--json]")
    if os.environ.get("TERM", "") in ("", "dumb"):
        return _complain('a terminal of type "dumb" cannot show the screen. Try: mlops-console status --watch')
    try:
        settings = backend.loaded.settings
    except SettingsError as error:
        return _complain(str(error))
    reason = ""
    if not backend.demo:
        from console.model.source import SourceError

        try:
            if _no_engine_at(backend.endpoint):
                backend.demo, reason = True, NO_ENGINE
        except SourceError as error:
            return _complain(error.reason)
    # To collect garbage is to look at every object there is, and the libraries are most of them: at 80 ms a time.
    # They stay for good, so nobody looks while they are loaded, nor ever after.
    gc.disable()
    watch = backend.watch()
    # The first request is on its way while the screen's libraries are still being loaded.
    watch.start()
    from console.ui.app import ConsoleApp, Wishes
    from console.ui.keymap import IDS

    try:
        check_keys(backend.loaded, IDS)
    except SettingsError as error:
        watch.stop()
        return _complain(str(error))
    app = ConsoleApp(
        watch,
        host=backend.host,
        demo=backend.demo,
        demo_reason=reason,
        demo_watch=_demo_watch(backend),
        wishes=Wishes(
            theme=settings.screen.theme,
            glyphs=settings.screen.glyphs,
            color=settings.screen.color != "never",
            keys=settings.keys,
        ),
        read_only=backend.loaded.read_only,
        make_recorder=backend.recorder,
    )
    gc.freeze()
    gc.enable()
    status = app.run(mouse=settings.screen.mouse)
    app.live.stop()
    if app.live.failure is not None:
        return _complain(f"a defect ended the console: {app.live.failure!r}", status=70)
    return app.return_code or 0 if status is None else status


def _demo_watch(backend: Backend) -> Callable[[], Watch]:
    def make() -> Watch:
        backend.demo = True
        return backend.watch()

    return make


def _no_engine_at(endpoint: Endpoint) -> bool:
    """True when nobody asked for a certain Engine and the usual place has none. What was asked for never turns into a demo."""
    from console.sources.docker_engine.source import local_socket_answers

    return endpoint.automatic and endpoint.path is not None and not local_socket_answers(endpoint.path)


def _become(command: Sequence[str]) -> int:
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - the words are ours, the host was checked, no shell is involved
    except FileNotFoundError:
        return _complain("--host needs ssh, which is not installed here.", status=3)


def _complain(message: str, status: int = 2) -> int:
    text = clean(message, lines=True)
    sys.stderr.write(f"mlops-console: {text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
