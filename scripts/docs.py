"""Makes the tables in docs/, and the list of variables in infra/ansible, anew from the code that they describe."""

from __future__ import annotations

import re
from pathlib import Path

from console.cli.group import manual
from console.doctor.page import markdown as hops
from console.doctor.page import overview
from console.settings.manual import markdown as settings
from console.ui.keymap import markdown as keys
from infra.platform.catalogue import NONE, SECRETS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PLAYBOOKS = ROOT / "infra" / "ansible"
VARIABLES = PLAYBOOKS / "group_vars" / "all" / "main.yml"
BEGIN, END = "<!-- made by `make docs` -->\n", "<!-- end -->\n"


def replace_tables(page: Path, *tables: str) -> None:
    """Put each of `tables` between two marks of a page, in their order."""
    first, *parts = page.read_text(encoding="utf-8").split(BEGIN)
    text = first
    for table, part in zip(tables, parts, strict=True):
        _, _, after = part.partition(END)
        text += f"{BEGIN}{table}{END}{after}"
    page.write_text(text, encoding="utf-8")


VARIABLES_BEGIN = """\
# Every variable, with what it is when you say nothing. Made by `make docs`: do not write here. Copy what you want to be
# otherwise to site.yml beside this file, without the mark in front of it (git leaves that file alone), or to
# host_vars/NAME.yml for one server of several.
---
"""


def variables() -> str:
    """The defaults of the roles, in the order of the playbook, as remarks: what is set here would win over an inventory."""
    parts = [VARIABLES_BEGIN]
    for role in re.findall(r"^ +- \{role: (\w+)", (PLAYBOOKS / "playbook.yml").read_text(encoding="utf-8"), re.MULTILINE):
        defaults = (PLAYBOOKS / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8")
        parts.append(f"\n### {role}\n\n")
        parts += [_as_remark(line) for line in defaults.splitlines(keepends=True)]
    return "".join(parts)


def _as_remark(line: str) -> str:
    if not line.strip():
        return line
    return f"#{line}" if line.startswith("#") else f"# {line}"


def secrets() -> str:
    """What follows from a new value of each secret."""
    lines = ["| secret | is made by | is read anew by | besides |", "|---|---|---|---|"]
    for one in SECRETS:
        if one.name.endswith(".pub"):
            continue
        besides = one.also or (f"while it is `{NONE.decode()}`: {one.without}" if one.without else "")
        readers = ", ".join(f"`{service}`" for service in one.services) or "nobody"
        lines.append(f"| `{one.name}` | {'`GIVE`' if one.given else '`ROTATE`'} | {readers} | {besides} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    VARIABLES.write_text(variables(), encoding="utf-8")
    replace_tables(DOCS / "settings.md", settings())
    replace_tables(DOCS / "keys.md", keys())
    replace_tables(DOCS / "cli.md", manual())
    replace_tables(DOCS / "troubleshooting.md", hops())
    replace_tables(DOCS / "operations.md", secrets(), overview())
