"""A Jenkins that is up and whose start failed: 401 to the token, to nobody 500 with a page that quotes the exception."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from console.model.jenkins import JenkinsError, Trouble
from console.model.source import SourceState
from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer
from tests.support.jenkins.answers import BROKEN_CONFIGURATION
from tests.support.recorded import Exchange, Replayer, replaying, series

TOKEN = "11d7f846950f4edeb9031148fb5ed9d203"
# What was cut off when the page was stored.
TRIMMED = "[... trimmed for storage"
TOLD = (
    "Jenkins is up, but its configuration failed: jenkins: Invalid configuration elements for type: class "
    "jenkins.model.Jenkins : nonsense (UnknownAttributesException)."
)


@pytest.fixture
def replayer() -> Iterator[Replayer]:
    """It refuses the token, as recorded."""
    with replaying() as found:
        found.put("/api/json", next(one for one in series("startup-casc-failure") if one.status == 401))
        yield found


@pytest.fixture
async def jenkins(replayer: Replayer) -> AsyncIterator[JenkinsServer]:
    server = JenkinsServer(Access(parse(replayer.url), "operator", Secret(TOKEN), 5.0))
    yield server
    await server.aclose()


def recorded_page() -> Exchange:
    return next(one for one in series("startup-casc-failure") if one.status == 500)


def page_with(exception: str) -> Exchange:
    """The recorded page with what its storing cut off: a stack trace in a `pre`, escaped as html."""
    recorded = recorded_page()
    kept = recorded.body[: recorded.body.index(TRIMMED)]
    assert "Exception" not in kept
    return replace(recorded, body=f'{kept}pt"></head><body><h1>Error</h1><pre>{html.escape(exception)}</pre></body></html>')


async def refused(jenkins: JenkinsServer) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.jobs()
    return raised.value


async def test_the_real_start_as_far_as_it_was_stored(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("anonymous /api/json", recorded_page())
    error = await refused(jenkins)
    assert (error.trouble, error.state, error.word) == (Trouble.BROKEN, SourceState.UNREACHABLE, "config failed")
    assert error.reason == "Jenkins is up, but its configuration failed."


async def test_the_first_sentence_of_the_exception_is_told(replayer: Replayer, jenkins: JenkinsServer) -> None:
    """The cause stands first in what Jenkins prints; whoever called it comes after."""
    replayer.put("anonymous /api/json", page_with(BROKEN_CONFIGURATION))
    error = await refused(jenkins)
    assert (error.trouble, error.reason) == (Trouble.BROKEN, TOLD)


@pytest.mark.parametrize(
    ("exception", "told"),
    [
        (
            "java.lang.IllegalArgumentException: No hudson.security.SecurityRealm implementation found for locl. Did you "
            "forget a plugin?\n\tat io.jenkins.plugins.casc.Configurator.x(Y.java:1)\nCaused: java.lang.Error\n",
            "Jenkins is up, but its configuration failed: No hudson.security.SecurityRealm implementation found for locl "
            "(IllegalArgumentException).",
        ),
        (
            "java.lang.NullPointerException\n\tat io.jenkins.plugins.casc.Configurator.x(Y.java:1)\n",
            "Jenkins is up, but its configuration failed: NullPointerException.",
        ),
        (
            "java.io.IOException: Failed to load: Git plugin (git 5.8)\n\tat hudson.PluginWrapper.resolve(P.java:1)\n",
            "Jenkins is up, but its start failed: Failed to load: Git plugin (git 5.8) (IOException).",
        ),
        (
            "io.jenkins.plugins.casc.ConfiguratorException: a \x1b]0;owned\x07<b>\u202ename\n",
            "Jenkins is up, but its configuration failed: a (ConfiguratorException).",
        ),
    ],
)
async def test_what_is_told_of_an_exception(replayer: Replayer, jenkins: JenkinsServer, exception: str, told: str) -> None:
    replayer.put("anonymous /api/json", page_with(exception))
    assert (await refused(jenkins)).reason == told


async def test_a_start_that_failed_elsewhere_is_not_blamed_on_the_configuration(
    replayer: Replayer, jenkins: JenkinsServer
) -> None:
    replayer.put("anonymous /api/json", page_with("java.io.IOException: Failed to load: Git plugin\n"))
    assert (await refused(jenkins)).word == "start failed"


async def test_the_configuration_is_mended(replayer: Replayer, jenkins: JenkinsServer) -> None:
    """Nothing of the trouble is remembered: the next answer counts."""
    replayer.put("anonymous /api/json", page_with(BROKEN_CONFIGURATION))
    assert (await refused(jenkins)).trouble is Trouble.BROKEN
    replayer.put("anonymous /api/json", next(one for one in series("startup-casc-failure") if one.status == 401))
    assert (await refused(jenkins)).trouble is Trouble.NOT_AUTHENTICATED
