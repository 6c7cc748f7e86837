"""A signed repository of packages that are made here, in place of one that cannot be reached."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.support import scratch

# GnuPG's agent makes a socket in its home, whose path has a limit.
_NAME = "tests <tests@example.test>"


def as_control(fields: dict[str, str]) -> str:
    """What dpkg knows of a package, in its form."""
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


class Repository:
    """Packages at `top`, an address without its host, as `files`: what a mirror answers, by path."""

    def __init__(self, top: str, suite: str = "", component: str = "") -> None:
        """Without a suite all is in one folder (`Suites: /`). Raises OSError where GnuPG or dpkg is missing."""
        self.key = f"{top}/key.asc"
        self.files: dict[str, bytes] = {}
        self._top, self._suite, self._component = top, suite, component
        self._folder = scratch.new_folder("r")
        self._entries: list[str] = []

    def add(self, control: dict[str, str], files: dict[str, tuple[str, int]]) -> None:
        """A package with these files, each with its mode."""
        root = self._folder / control["Package"]
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(as_control(control))
        for name, (content, mode) in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(mode)
        self.add_tree(root)

    def add_tree(self, root: Path) -> None:
        """A package of a folder as dpkg-deb unpacks one."""
        made = root.with_suffix(".deb")
        command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(made)]
        subprocess.run(command, check=True, capture_output=True)
        content = made.read_bytes()
        name = f"pool/{made.name}" if self._suite else made.name
        self.files[f"{self._top}/{name}"] = content
        control = (root / "DEBIAN" / "control").read_text().rstrip("\n")
        about = f"Filename: {name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        self._entries.append(f"{control}\n{about}")

    def publish(self) -> None:
        """Sign what was added, and let go of all but `files`."""
        listing = "\n".join(self._entries).encode()
        below = f"{self._component}/binary-amd64/Packages" if self._suite else "Packages"
        place = f"{self._top}/dists/{self._suite}" if self._suite else self._top
        lists = {below: listing, f"{below}.gz": gzip.compress(listing)}
        release = "Date: Sun, 01 Nov 2026 00:00:00 UTC\nArchitectures: amd64\n"
        release += f"Suite: {self._suite}\nCodename: {self._suite}\nComponents: {self._component}\n" if self._suite else ""
        release += "SHA256:\n"
        for name, content in lists.items():
            self.files[f"{place}/{name}"] = content
            release += f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n"
        self.files[f"{place}/InRelease"] = self._gpg("--clearsign", release)
        self.files[self.key] = self._gpg("--armor", "--export")
        subprocess.run(["gpgconf", "--homedir", str(self._home()), "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(self._folder)

    def _gpg(self, action: str, *more: str) -> bytes:
        home = self._home()
        base = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        if not home.exists():
            home.mkdir(mode=0o700)
            subprocess.run([*base, "--quick-generate-key", _NAME, "ed25519"], check=True, capture_output=True)
        options, text = ([action, *more], None) if action == "--armor" else ([action], more[0].encode())
        return subprocess.run([*base, *options], input=text, check=True, capture_output=True).stdout

    def _home(self) -> Path:
        return self._folder / "gpg"
