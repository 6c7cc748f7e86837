"""Where a Jenkins is, how its jobs are named in URLs, and where a token may be sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from console.model.build import BuildRef
from console.text import Clean, clean

_PORTS = {"http": 80, "https": 443}


class AddressError(ValueError):
    """The address of Jenkins cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """`root` is the controller's URL without a slash at its end, `path` its base path (`/jenkins`, or empty)."""

    root: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown(self) -> Clean:
        return clean(self.root)

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    def inside(self, url: str) -> str | None:
        """The path below the root of a URL that Jenkins wrote; None when it cannot be one.

        Jenkins writes the URL it believes to have, which behind a proxy or a tunnel is another host than ours: only the path
        counts.
        """
        try:
            path = urlsplit(url).path
        except ValueError:
            return None
        at = path.find("/job/")
        return path[at + 1 :].rstrip("/") if at >= 0 else None


def parse(url: str, *, insecure_http: bool = False) -> Address:
    """Raises AddressError for what is no URL of a web server, for one with a name and password in it, and for plain http to
    another machine unless `insecure_http` allows it: the token would cross the network readable."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as wrong:
        # The library quotes what it takes for a port, which may be the half of a password.
        told = "its port is no number" if "port" in str(wrong).lower() and "range" not in str(wrong) else str(wrong)
        raise AddressError(f"{without_secret(text)} is no address of a Jenkins: {told}.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        told = without_secret(text)
        hint = f" Write https://{text}" if "://" not in text and text and told == text else ""
        raise AddressError(f"{told or 'Nothing'} is no address of a Jenkins: it begins with https://.{hint}")
    if parts.username is not None or parts.password is not None:
        raise AddressError("The address of Jenkins must not hold a name or a token. Set jenkins.user and jenkins.token_file.")
    if parts.query or parts.fragment:
        raise AddressError(
            f"{without_secret(text)} is no address of a Jenkins: it ends before the {'?' if parts.query else '#'}."
        )
    if parts.scheme == "http" and not insecure_http and not is_loopback(parts.hostname):
        raise AddressError(
            f"{text} would send the token readable over the network. Use https://, or set jenkins.insecure_http = true."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    number = port or _PORTS[parts.scheme]
    shown = "" if number == _PORTS[parts.scheme] else f":{number}"
    return Address(f"{parts.scheme}://{host}{shown}{path}", parts.scheme, parts.hostname, number, path)


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_place(first: str, second: str) -> bool:
    """True when both name one controller: a token stored for the one may be sent to the other."""
    try:
        return parse(first, insecure_http=True).root == parse(second, insecure_http=True).root
    except AddressError:
        return False


def job_path(full_name: str) -> str:
    """`job/my-repo/job/feature%252Fx` for `my-repo/feature%2Fx`: each part is percent-encoded once more than in the name."""
    return "/".join(f"job/{quote(part, safe='')}" for part in full_name.split("/"))


def build_path(ref: BuildRef) -> str:
    return f"{job_path(ref.job)}/{ref.number}"


def node_path(node: str) -> str:
    """`computer/(built-in)` for the controller's own node: its brackets stay as they are."""
    return f"computer/{quote(node, safe='()')}"


def full_name(path: str) -> str:
    """The job's name from its path (`job/my-repo/job/feature%252Fx`)."""
    return "/".join(unquote(part) for part in path.strip("/").split("/")[1::2])


def build_of(path: str) -> tuple[str, int] | None:
    """The job's name and the number from the path of a build; None when it is not one."""
    head, _, number = path.rstrip("/").rpartition("/")
    if not (number.isascii() and number.isdigit()) or head.count("/") % 2 == 0:
        return None
    return full_name(head), int(number)


def without_secret(text: str) -> str:
    """A mistyped address may hold a password or a token: what stands before an @ or behind a ? or # is never repeated."""
    told = re.split("[?#]", text, maxsplit=1)[0]
    start = told[: told.find("//") + 2] if "//" in told else ""
    _, at, tail = told.rpartition("@")
    if at:
        return f"{start}...@{tail}"
    # Where the @ comes later, what stands before the sign may be the beginning of a password.
    return f"{start}..." if "@" in text else told
