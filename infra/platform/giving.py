"""Secrets that a person gives: from a file, from standard input, or typed without echo. Refused by name, never by value."""

from __future__ import annotations

import getpass
import ssl
import sys
from pathlib import Path

from infra.jenkins.steps.problem import Exit, Problem, words_of

from .catalogue import NONE, Kind, Secret

_MOST = 1 << 16


def ask(secret: Secret, source: str) -> bytes:
    """What is to stand in the file. `source` is a path, `-` for standard input, or empty for the terminal. Raises Problem."""
    value = _from(secret, source).rstrip(b"\r\n")
    wrong = refusal(secret, value)
    if wrong:
        raise Problem(f"{secret.name} {wrong}. Nothing was changed.", Exit.USAGE)
    return value + b"\n" if secret.kind is Kind.CERTIFICATE and value != NONE else value


def refusal(secret: Secret, value: bytes) -> str:
    """What is wrong with a given value, to be read after the secret's name; empty when nothing is."""
    value = value.removesuffix(b"\n")
    if not value.strip():
        return "is empty"
    if value == NONE:
        return ""
    if len(value) >= _MOST:
        return "is larger than 64 KiB"
    if secret.kind is Kind.CERTIFICATE:
        return _no_certificate(value)
    if b"\n" in value or b"\r" in value:
        return "has several lines, and a token is one"
    if b" " in value or b"\t" in value:
        return "has a blank in it, and no token has one"
    return "" if secret.kind.fits(value) else "has characters that no token has"


def _no_certificate(value: bytes) -> str:
    if b"PRIVATE KEY" in value:
        return "holds a private key: give the certificate alone, the key stays with the CA"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=value.decode("ascii"))
    except (ssl.SSLError, ValueError):
        return "is no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    return ""


def _from(secret: Secret, source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(_MOST)
    if source:
        try:
            with Path(source).open("rb") as file:
                return file.read(_MOST)
        except OSError as error:
            raise Problem(f"{secret.name} cannot be read: {words_of(error)}.", Exit.USAGE) from error
    if not sys.stdin.isatty():
        raise Problem(f"Say where {secret.name} is: FILE=path, or FILE=- for standard input.", Exit.USAGE)
    if secret.kind is Kind.CERTIFICATE:
        raise Problem(f"{secret.name} has several lines: say in which file it is, FILE=path.", Exit.USAGE)
    try:
        return getpass.getpass(f"{secret.name} (is not shown): ").encode()
    except EOFError as error:
        raise Problem(f"{secret.name} was not given. Nothing was changed.", Exit.USAGE) from error
