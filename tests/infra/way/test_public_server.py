"""The files of the public server: taken by the programs they are for, without a change."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from infra.platform.catalogue import SECRETS
from infra.platform.giving import refusal
from tests.support import gotools, skips
from tests.support.engine import compose_program
from tests.support.gotools import NoGoError
from tests.support.waiting import until_sync
from tests.support.way import DOMAIN, PATH, PUBLIC, ROOT, SERVER_NAME, Way, make_certificate, make_public_keys

UNITS = ("mlops-frps.service", "mlops-front.service")
FRONT = (PUBLIC / "front.conf").read_text()
GATE = (ROOT / "infra" / "gate" / "nginx.conf").read_text()


def _openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True, timeout=60).stdout


def test_frps_takes_its_file(tmp_path: Path) -> None:
    try:
        frps = gotools.programs() / "frps"
    except NoGoError as error:
        pytest.skip(skips.NO_GO.format(why=error))
    make_public_keys(tmp_path, SERVER_NAME)
    (tmp_path / "frp-token").write_text("t\n")
    file = shutil.copy(PUBLIC / "frps.example.toml", tmp_path / "frps.toml")
    command, env = [str(frps), "verify", "-c", str(file)], {"CREDENTIALS_DIRECTORY": str(tmp_path), "FRPS_INSIDE": "127.0.0.1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "syntax is ok" in done.stdout
    # It would say so of a word that it does not know.
    (tmp_path / "frps.toml").write_text((PUBLIC / "frps.example.toml").read_text() + "nonsense = 1\n")
    assert subprocess.run(command, env=env, capture_output=True, timeout=60, check=False).returncode == 1


def test_frps_has_no_dashboard_and_no_secret_in_its_file() -> None:
    text = (PUBLIC / "frps.example.toml").read_text()
    told = tomllib.loads(text)
    assert "webServer" not in told
    assert "subDomainHost" not in told
    assert "token" not in told["auth"]
    assert told["proxyBindAddr"] == "{{ .Envs.FRPS_INSIDE }}"
    assert "\nEnvironment=FRPS_INSIDE=127.0.0.1\n" in (PUBLIC / "mlops-frps.service").read_text()


def test_the_public_server_listens_on_these_ports_alone(way: Way) -> None:
    said = subprocess.run(way.public.command("ss", "-Hltun"), check=True, capture_output=True, text=True).stdout
    places = [line.split()[4].rpartition(":") for line in said.splitlines()]
    assert {port for address, _, port in places if address != "127.0.0.1"} == {"80", "443", "7000"}
    assert {port for address, _, port in places if address == "127.0.0.1"} == {"7080"}


def test_front_and_gate_have_the_same_path_and_the_same_limits() -> None:
    for text in (FRONT, GATE):
        assert f"location = {PATH} {{" in text
        for words in (
            "client_max_body_size 64k;",
            "client_body_timeout 5s;",
            "burst=60 nodelay;",
            "proxy_pass_request_headers off;",
        ):
            assert words in text
    # Each waits longer than what is behind it, so that the one who knows why answers.
    assert [int(found) for found in re.findall(r"proxy_read_timeout (\d+)s", GATE + FRONT)] == [30, 45]
    assert tomllib.loads((PUBLIC / "frps.example.toml").read_text())["vhostHTTPTimeout"] == 40


def test_the_challenge_of_a_certificate_is_served_and_nothing_beside_it(way: Way) -> None:
    folder = way.front.folder / "acme"
    (folder / ".well-known" / "acme-challenge").mkdir(parents=True)
    (folder / ".well-known" / "acme-challenge" / "abc").write_text("abc.def")
    (folder / "secret").write_text("secret")
    base = "/.well-known/acme-challenge/"
    asked = {
        f"{base}abc": 200,
        f"{base}none": 404,
        base: 403,
        f"{base}../../secret": 403,
        f"{base}%2e%2e/%2e%2e/secret": 403,
        "/secret": 403,
    }
    for target, status in asked.items():
        with way.world.connect(80, "203.0.113.10") as connection:
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: {DOMAIN}\r\n\r\n".encode())
            answer = b""
            while data := connection.recv(65536):
                answer += data
        assert answer.split()[1] == str(status).encode(), target
        assert (b"abc.def" in answer) is (status == 200)
        assert b"secret" not in answer


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("", "front: WAY_DOMAIN is ''"),
        ("Hook.example.test", "which is no host name in small letters"),
        ("a;b", "which is no host name"),
        ("https://hook.example.test", "which is no host name"),
    ],
)
def test_the_front_says_what_its_domain_lacks(tmp_path: Path, domain: str, words: str) -> None:
    env = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(tmp_path), "WAY_DOMAIN": domain}
    done = subprocess.run([str(PUBLIC / "front")], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert words in done.stderr


def test_the_front_says_that_it_has_no_certificate(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(tmp_path), "WAY_DOMAIN": DOMAIN}
    done = subprocess.run([str(PUBLIC / "front")], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.partition(":")[2].split()[0]) == (2, "front.pem")


def test_the_keys_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    said = make_public_keys(folder, SERVER_NAME)
    assert [line.split()[0] for line in said.splitlines()] == ["frp-ca.pem", "frps.pem", "front.pem"]
    made = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert sorted(made) == ["front-key.pem", "front.pem", "frp-ca-key.pem", "frp-ca.pem", "frps-key.pem", "frps.pem"]
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == (0o400 if file.name.endswith("-key.pem") else 0o444)
    assert make_public_keys(folder, SERVER_NAME) == ""
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == made
    _openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(folder / "frp-ca.pem"), str(folder / "frps.pem"))
    # For another name the server's alone is new: no client has to be told.
    assert make_public_keys(folder, "other.example.test").startswith("frps.pem is new, for other.example.test")
    assert (folder / "frp-ca.pem").read_bytes() == made["frp-ca.pem"]
    assert "DNS:other.example.test" in _openssl("x509", "-in", str(folder / "frps.pem"), "-noout", "-ext", "subjectAltName")


@pytest.mark.parametrize("name", ["203.0.113.10", "2001:db8::1"])
def test_a_server_without_a_name_has_its_address_in_its_certificate(tmp_path: Path, name: str) -> None:
    make_public_keys(tmp_path, name)
    assert "IP Address:" in _openssl("x509", "-in", str(tmp_path / "frps.pem"), "-noout", "-ext", "subjectAltName")


@pytest.mark.parametrize("name", ["a/b", "a b", "a,DNS:b", "$(id)"])
def test_no_keys_are_made_for_what_is_no_name(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [str(PUBLIC / "make-keys"), name, str(tmp_path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_the_authority_that_was_put_elsewhere_is_asked_for(tmp_path: Path) -> None:
    make_public_keys(tmp_path, SERVER_NAME)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "frp-ca-key.pem"}
    (tmp_path / "frp-ca-key.pem").unlink()
    # As long as nothing is to be made it is not wanted.
    assert make_public_keys(tmp_path, SERVER_NAME) == ""
    command = [str(PUBLIC / "make-keys"), "other.example.test", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"frp-ca-key.pem is not in {tmp_path}" in done.stderr
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_authority_is_one_that_the_platform_takes(tmp_path: Path) -> None:
    make_public_keys(tmp_path, SERVER_NAME)
    (wanted,) = (secret for secret in SECRETS if secret.name == "frp-ca")
    assert refusal(wanted, (tmp_path / "frp-ca.pem").read_bytes()) == ""
    assert "private key" in refusal(wanted, (tmp_path / "frp-ca-key.pem").read_bytes())


def test_a_renewed_certificate_is_taken_and_read(way: Way, tmp_path: Path) -> None:
    """What certbot calls after a renewal."""
    folder, lineage = tmp_path / "way", tmp_path / "live"
    folder.mkdir()
    lineage.mkdir()
    make_public_keys(folder, SERVER_NAME)
    make_certificate(lineage, DOMAIN)
    (lineage / "front.pem").rename(lineage / "fullchain.pem")
    (lineage / "front-key.pem").rename(lineage / "privkey.pem")
    told = tmp_path / "restarted"
    env = {
        "PATH": os.environ["PATH"],
        "WAY_FOLDER": str(folder),
        "WAY_RESTART": f"touch {told}",
        "RENEWED_LINEAGE": str(lineage),
    }
    subprocess.run([str(PUBLIC / "take-certificate")], env=env, check=True, timeout=20)
    assert told.exists()
    assert (folder / "front.pem").read_bytes() == (lineage / "fullchain.pem").read_bytes()
    assert (folder / "front-key.pem").stat().st_mode & 0o777 == 0o400
    # The front with these.
    before = {name: (way.folder / name).read_text() for name in ("front.pem", "front-key.pem")}
    try:
        for name in before:
            way.front.secret(name, (folder / name).read_text())
        way.front.restart()
        fresh = ssl.create_default_context(cafile=str(folder / "front.pem"))
        until_sync(lambda: _trusted(way, fresh), "the new certificate to be shown")
        assert not _trusted(way, way.context)
    finally:
        for name, text in before.items():
            way.front.secret(name, text)
        way.front.restart()
        until_sync(lambda: _trusted(way, way.context), "the front to be as it was")


@pytest.mark.parametrize(
    ("authority", "name", "words"),
    [
        ("frp-ca.pem", SERVER_NAME, "Verification: OK"),
        ("front.pem", SERVER_NAME, "unable to get local issuer certificate"),
        ("frp-ca.pem", "other.example.test", "hostname mismatch"),
    ],
)
def test_openssl_says_what_frpc_does_not(way: Way, authority: str, name: str, words: str) -> None:
    """The command of docs/way-in.md."""
    command = ["openssl", "s_client", "-connect", "198.51.100.2:7000", "-CAfile", str(way.folder / authority)]
    command += ["-verify_hostname", name, "-verify_return_error", "-brief"]
    inside = way.home.command(*command)
    done = subprocess.run(inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert words in done.stderr + done.stdout


def test_halves_of_two_certificates_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "way"
    make_public_keys(folder, SERVER_NAME)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    shutil.copy(folder / "frps.pem", tmp_path / "fullchain.pem")
    shutil.copy(folder / "frp-ca-key.pem", tmp_path / "privkey.pem")
    env = {"PATH": os.environ["PATH"], "WAY_FOLDER": str(folder), "WAY_RESTART": "false", "RENEWED_LINEAGE": str(tmp_path)}
    done = subprocess.run([str(PUBLIC / "take-certificate")], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "do not belong together" in done.stderr
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def _trusted(way: Way, context: ssl.SSLContext) -> bool:
    try:
        with way.world.connect(443, "203.0.113.10") as plain, context.wrap_socket(plain, server_hostname=DOMAIN):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units_and_finds_little_to_lose(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip(skips.NO_JOURNALD)
    text = (PUBLIC / name).read_text()
    # Programs that this machine has, since it looks for them.
    unit = tmp_path / name
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-400:]


def test_units_and_compose_give_the_same_files() -> None:
    compose = yaml.safe_load((PUBLIC / "docker-compose.yml").read_text())
    for service, unit in zip(("frps", "front"), UNITS, strict=True):
        text = (PUBLIC / unit).read_text()
        loaded = dict(re.findall(r"^LoadCredential=([\w.-]+):(\S+)$", text, re.MULTILINE))
        given = {name: compose["secrets"][name]["file"] for name in compose["services"][service]["secrets"]}
        assert {name: path for name, path in loaded.items() if name != "frps.toml"} == given
    for config in compose["configs"].values():
        assert (PUBLIC / config["file"]).is_file()


def test_compose_takes_its_file() -> None:
    program = compose_program()
    if program is None:
        pytest.skip(skips.NO_COMPOSE)
    env = {**os.environ, "WAY_DOMAIN": DOMAIN, "FRPS_DIGEST": "@sha256:" + "0" * 64}
    command = [str(program), "-f", str(PUBLIC / "docker-compose.yml"), "config", "--format", "json"]
    told = json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=60).stdout)
    assert told["services"]["frps"]["image"] == "ghcr.io/fatedier/frps:v0.70.1@sha256:" + "0" * 64
    # One stack for both would be gone for the front as soon as frps is started again.
    assert "network_mode" not in told["services"]["front"]
    published = {name: sorted(port["published"] for port in told["services"][name]["ports"]) for name in ("front", "frps")}
    assert published == {"front": ["443", "80"], "frps": ["7000"]}
