"""The way to a Jenkins: private authorities, proxies, time-outs, the same for what is watched and what administrators ask."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.demo.controller import ADMIN
from console.model.jenkins import JenkinsError, Trouble
from console.sources.jenkins.address import parse
from console.sources.jenkins.admin import JenkinsAdmin
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer as Source
from tests.support.jenkins.reaching import TOKEN, access, allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World
from tests.support.tunnels import make_keys, proxy_before, silence, tls_before

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
CREDENTIALS = base64.b64encode(f"operator:{TOKEN}".encode())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder, "DNS:localhost", "IP:127.0.0.1", "DNS:jenkins.test")
    return folder


@pytest.fixture
def server() -> Iterator[JenkinsServer]:
    world = World()
    allow(world.controller, ADMIN)
    with JenkinsServer(world.controller, prefix="/ci") as server:
        yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=["watched", "administered"])
def by(request: pytest.FixtureRequest) -> str:
    """Both ways of asking: httpx and python-jenkins."""
    return str(request.param)


async def ask(by: str, wanted: Access) -> str:
    """The version, or the reason why it is not to be had."""
    source = Source(wanted) if by == "watched" else JenkinsAdmin(wanted)
    try:
        if isinstance(source, JenkinsAdmin):
            return str(await source.version())
        await source.jobs()
        return str(source.controller.version)
    except JenkinsError as error:
        return str(error.reason) if error.trouble is Trouble.UNREACHABLE else error.trouble.value
    finally:
        await source.aclose()


def port_of(server: JenkinsServer) -> int:
    return parse(server.url).port


async def test_a_private_authority(by: str, server: JenkinsServer, keys: Path) -> None:
    async with tls_before(port_of(server), keys) as port:
        wanted = access(f"https://localhost:{port}/ci")
        assert await ask(by, replace(wanted, ca_file=keys / "ca.pem")) == "2.421"
        refused = await ask(by, wanted)
        other = await ask(by, replace(wanted, ca_file=keys / "other.pem"))
    told = f"Jenkins does not answer at https://localhost:{port}/ci: its certificate is not trusted."
    assert refused == f"{told} Name the authority's file with jenkins.ca_file."
    assert other == refused


async def test_a_certificate_for_another_name(by: str, server: JenkinsServer, tmp_path: Path) -> None:
    make_keys(tmp_path, "DNS:elsewhere.test")
    async with tls_before(port_of(server), tmp_path) as port:
        for host in ("localhost", "127.0.0.1"):
            told = await ask(by, replace(access(f"https://{host}:{port}/ci"), ca_file=tmp_path / "ca.pem"))
            assert told.endswith(": its certificate is for another name."), told


async def test_what_the_environment_trusts_or_forgoes(
    server: JenkinsServer, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These are for requests, and would make the one way trust what the other does not."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(keys / "ca.pem"))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    async with tls_before(port_of(server), keys) as port, proxy_before(port) as (_, proxy):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert "is not trusted" in await ask("administered", access("https://jenkins.test/ci"))


async def test_a_file_of_an_authority_that_is_none(by: str, tmp_path: Path) -> None:
    wanted = access("https://localhost:1/")
    (tmp_path / "empty.pem").write_text("nothing")
    for name, told in (("none.pem", "No such file or directory"), ("empty.pem", "cannot be used")):
        reason = await ask(by, replace(wanted, ca_file=tmp_path / name))
        assert reason.startswith(f"jenkins.ca_file {tmp_path / name} cannot be used: ")
        assert told in reason


async def test_a_proxy_sees_no_token(by: str, server: JenkinsServer, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(access("https://jenkins.test/ci"), ca_file=keys / "ca.pem")
    async with tls_before(port_of(server), keys) as port, proxy_before(port) as (proxy, url):
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert await ask(by, wanted) == "2.421"
        assert [line.rpartition(" ")[0] for line in proxy.asked] == ["CONNECT jenkins.test:443"]
        assert CREDENTIALS not in proxy.seen
        assert b"Proxy-Authorization" not in proxy.seen


async def test_a_name_that_needs_no_proxy(by: str, server: JenkinsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy_before(port_of(server)) as (proxy, url):
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("NO_PROXY", "jenkins.test")
        assert "Jenkins does not answer at https://jenkins.test" in await ask(by, access("https://jenkins.test/ci"))
        assert proxy.asked == []


async def test_without_tls_where_that_is_allowed(by: str, server: JenkinsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(access(server.url), address=parse("http://jenkins.test/ci", insecure_http=True))
    async with proxy_before(port_of(server)) as (proxy, url):
        monkeypatch.setenv("HTTP_PROXY", url)
        assert await ask(by, wanted) == "2.421"
        assert proxy.asked[0].startswith("GET http://jenkins.test/ci/")


async def test_this_machine_is_reached_without_a_proxy(by: str, server: JenkinsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy_before(port_of(server)) as (proxy, url):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
        assert await ask(by, access(server.url)) == "2.421"
        assert proxy.asked == []


async def test_a_proxy_that_is_away(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with silence() as port:
        pass
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:pass-word@127.0.0.1:{port}")
    told = await ask(by, access("https://jenkins.test/ci"))
    assert "connection refused" in told
    assert "pass-word" not in told


@pytest.mark.parametrize("url", ["socks5://somebody:pass-word@127.0.0.1:1", "gopher://somebody:pass-word@127.0.0.1:1"])
async def test_a_proxy_of_a_kind_that_is_not_spoken_here(by: str, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    told = await ask(by, access("https://jenkins.test/ci"))
    assert told.startswith("Jenkins does not answer at https://jenkins.test/ci: "), told
    assert "pass-word" not in told


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_one_that_never_answers(by: str, scheme: str) -> None:
    async with silence() as port:
        told = await ask(by, access(f"{scheme}://127.0.0.1:{port}", patience=0.3))
    assert told == f"Jenkins does not answer at {scheme}://127.0.0.1:{port} (timed out after 0.3s)."


async def test_no_credentials_of_a_netrc_file(
    by: str, server: JenkinsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine jenkins.test login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    nobody = Access(parse("http://jenkins.test/ci", insecure_http=True), "", None)
    async with proxy_before(port_of(server)) as (proxy, url):
        monkeypatch.setenv("HTTP_PROXY", url)
        source = Source(nobody) if by == "watched" else JenkinsAdmin(nobody)
        with pytest.raises(JenkinsError) as raised:
            await (source.version() if isinstance(source, JenkinsAdmin) else source.jobs())
        await source.aclose()
    assert raised.value.trouble is Trouble.NOT_AUTHENTICATED
    assert b"authorization" not in bytes(proxy.seen).lower()
