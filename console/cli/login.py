"""`login`: where Jenkins is and who you are there, checked before it is kept."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.asking import document
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import print_json
from console.feeds.jenkins_once import failed
from console.model.jenkins import ABOUT_ONE_THING, JenkinsError, Trouble
from console.model.state import StateClass
from console.settings.loading import user_file
from console.settings.secret import Secret

if TYPE_CHECKING:
    from console.sources.jenkins.source import JenkinsServer

_LONGEST = 4096


@command("login")
@click.argument("addresses", nargs=-1, metavar="[URL]")
@click.option("--user", metavar="USER", help="Your user at Jenkins.")
@click.option("--forget", is_flag=True, help="Delete what an earlier login has kept.")
@click.pass_obj
def login(context: Context, addresses: tuple[str, ...], user: str | None, forget: bool) -> int:
    """Tell the console where Jenkins is and who you are there. The token is typed, or comes on standard input.

    It is kept in a file that only you can read, and is sent to that Jenkins alone. Exit status: 0 kept, 3 Jenkins refused.
    """
    from console.sources.jenkins.login import login_file

    if len(addresses) > 1:
        # The second word may be a token: it is not said again.
        raise UsageError("login wants one address. A token is typed, or comes on standard input: others can read arguments.")
    url = addresses[0] if addresses else None
    path = login_file(user_file(os.environ).parent)
    if forget:
        return _forget(context, path)
    if context.backend.demo:
        raise UsageError("the demo's Jenkins needs no login.")
    return _login(context, path, url, user)


def _forget(context: Context, path: Path) -> int:
    there = path.exists()
    path.unlink(missing_ok=True)
    told = f"Forgotten: {path} is deleted. The token itself lives on: revoke it at Jenkins." if there else "There was no login."
    if context.json:
        print_json(document(context, "login", []))
    else:
        context.printer().line(told)
    return 0


def _login(context: Context, path: Path, url: str | None, user: str | None) -> int:
    from console.sources.jenkins.address import AddressError, parse, same_place, without_secret
    from console.sources.jenkins.client import Access
    from console.sources.jenkins.login import Stored, save, user_page
    from console.sources.jenkins.source import JenkinsServer

    wanted = context.backend.loaded.settings.jenkins
    typed = sys.stdin is not None and sys.stdin.isatty()
    url = url or wanted.url or (_ask("Address of Jenkins (https://...): ") if typed else "")
    if not url:
        raise UsageError("login wants the address of Jenkins: mlops-console login https://ci.example.org --user NAME")
    try:
        address = parse(url, insecure_http=wanted.insecure_http)
    except AddressError as wrong:
        raise UsageError(str(wrong)) from None
    user = user or wanted.user or (_ask("Your user at Jenkins: ") if typed else "")
    if not user:
        raise UsageError("login wants your user at Jenkins: --user NAME")
    if ":" in user or not user.isprintable():
        raise UsageError(f"{user} is no user of Jenkins.")
    if typed and not context.json:
        page = user_page(address, user)
        context.printer().line(f"Make an API token at {page}/security (older Jenkins: {page}/configure).")
    token = _token(typed)
    source = JenkinsServer(Access(address, user, token, wanted.timeout, wanted.ca_file))
    try:
        found = asyncio.run(_check(source, user))
    except JenkinsError as error:
        context.complain(error.reason)
        if context.json:
            print_json(document(context, "login", [], failed(error, datetime.now(UTC))))
        return UNREACHABLE
    try:
        save(path, Stored(address.root, user, token))
    except OSError as error:
        raise UsageError(f"the login cannot be kept in {path}: {error.strerror}") from None
    _tell(context, path, str(address.shown), found)
    if wanted.url and not same_place(wanted.url, address.root):
        context.complain(
            f"the settings name another Jenkins ({without_secret(wanted.url)}): they win. See: mlops-console config show"
        )
    return 0


def _ask(words: str) -> str:
    sys.stderr.write(words)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _token(typed: bool) -> Secret:
    """Never from an argument: those can be read by everybody on the machine."""
    try:
        if typed:
            text = getpass.getpass("API token (it stays hidden): ", sys.stderr)
        else:
            text = sys.stdin.read(_LONGEST + 1) if sys.stdin is not None else ""
    except (EOFError, UnicodeDecodeError):
        text = ""
    text = text.strip()
    if not text:
        raise UsageError("login wants the token on standard input: mlops-console login URL --user NAME < token-file")
    if len(text) > _LONGEST or not text.isprintable() or " " in text:
        raise UsageError("what came on standard input is no API token.")
    return Secret(text)


@dataclass(frozen=True, slots=True)
class _Found:
    """Who Jenkins takes us for, its version, what that user may not, and which permissions nothing tells."""

    who: str
    version: str
    lacks: list[str]
    unknown: list[str]


async def _check(source: JenkinsServer, user: str) -> _Found:
    """Raises JenkinsError."""
    try:
        who = await source.who()
        if who is None:
            raise JenkinsError(Trouble.NOT_AUTHENTICATED, f"Jenkins does not know the user {user}.")
        lacks = []
        await source.check_token()
        jobs = await source.jobs()
        if not jobs:
            lacks.append("Job/Read (or there are no jobs)")
        work = await source.work()
        away = next((node for node in work.nodes if not node.controller), None)
        if away is not None:
            try:
                await source.node_log(away.name)
            except JenkinsError as error:
                if error.trouble is Trouble.NOT_PERMITTED:
                    lacks.append("Agent/Connect: why a node is off line stays hidden")
                elif error.trouble not in ABOUT_ONE_THING:
                    raise
        # Nothing that is harmless tells of Job/Cancel: an item that is not there is 404 to everybody.
        unknown = ["Job/Cancel"]
        builds = await source.may_build(jobs)
        if builds is None:
            unknown.insert(0, "Job/Build")
        elif not builds:
            lacks.append("Job/Build: it may not start builds")
        return _Found(str(who), str(source.controller.version or "of unknown version"), lacks, unknown)
    finally:
        await source.aclose()


def _tell(context: Context, path: Path, url: str, found: _Found) -> None:
    who = found.who
    if context.json:
        item = {"url": url, "user": who, "version": found.version, "lacks": found.lacks, "file": str(path)}
        print_json(document(context, "login", [item | {"unknown": found.unknown}]))
        return
    printer = context.printer()
    printer.state_line(StateClass.GOOD, f"{url} is Jenkins {found.version}, and you are {who} there")
    for one in found.lacks:
        printer.state_line(StateClass.ATTENTION, f"{who} lacks {one}")
    acts = "start and stop builds" if "Job/Build" in found.unknown else "stop builds"
    names = ", ".join(found.unknown)
    printer.line(f"Whether {who} may {acts} shows when it is first done: Jenkins does not tell before ({names} not known).")
    printer.line(f"Kept in {path}, for {url} alone.")
