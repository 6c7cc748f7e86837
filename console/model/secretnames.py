"""Secrets in texts that people see: stars for what is plainly one, by its name or its form. Pure.

It knows a secret by what it is called, so it finds what means no harm, not what hides: a password that stands alone, behind an
option of one letter (but `-pSECRET` of mysql) or in a text of its own language (JSON, YAML) is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from console.text import Clean, clean

MASK = Clean("*" * 8)
"""What stands for a secret, whatever its length."""

# A tokenizer is no token, and PWD by itself is a folder, unlike MYSQL_PWD. `pass` counts as the last word of a name, or
# between two others, and not as the end of `bypass`.
_SECRET = re.compile(
    r"token(?!i[sz])|passw(?:or)?d|passphrase|secret|key|credential"
    r"|(?<!by)(?<!com)(?<!sur)(?<!tres)(?<!over)(?<!under)pass(?:[-_.]?\d+)?(?![\w.-])|(?<=_)pass(?=_)"
    r"|(?<=[a-z\d]_)pwd(?![\w.-])",
    re.IGNORECASE,
)
# Counts and measures of trainings are called so, too: `max_tokens`, `num_keys`, `ms_per_token`. Where a number is a secret the
# name ends in one of these.
_EXACTLY = re.compile(
    r"(?:passw(?:or)?ds?|passphrases?|secrets?|credentials?|pass|pwd|(?<!per[-_.])token"
    r"|(?:(?:api|auth|access|secret|private|signing|encryption|master|hmac|ssh)[-_.]?|(?<![a-z]))key)(?:[-_.]?\d++)?\Z",
    re.IGNORECASE,
)
_NUMERAL = r"""["']?+[-+]?+\d[\d_.]*+(?:e[-+]?+\d++)?+[kMGTB%]?+"""
_CLOSING = r"""[)\]};,"']*+"""
_NUMBER = re.compile(rf"""{_NUMERAL}(?={_CLOSING}(?:\s|\Z)|[,&;]["']?+[\w.-]{{1,64}}+["']?+[=:])""", re.IGNORECASE)
_NOTHING_ELSE = re.compile(_NUMERAL + _CLOSING, re.IGNORECASE)
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*+")
_PASSWORD = re.compile(r"(?<=//)([^/\s:@]*+):([^/\s@]++)@")

# Every name is read once: with a pattern that looks for the secret in it, a long text would take for ever.
_NAMED = re.compile(r"""(?:(?P<quote>['"])|(?<![\w.-]))(?P<name>[\w.-]++)=""")
_INSIDE = {"'": re.compile(r"[^']*+'?"), '"': re.compile(r'(?:\\.|[^"\\])*+"?'), "": re.compile("")}
_PIECES = re.compile(r"""(?:'[^']*+'?|"(?:\\.|[^"\\])*+"?|\\.|[^\s&'"\\])*+""")

_QUOTED = r"""(?:'[^']*+'?|"(?:\\.|[^"\\])*+"?)"""
_INNER_OPTION = re.compile(rf"(?<![\w.-]){_OPTION.pattern}(?!=)")
_VALUE = re.compile(
    rf"""(?P<comma>["']?,\s*+)(?P<listed>{_QUOTED})"""
    # A quote before a blank, or at the end, is that of the text which the option stands in.
    rf"""|(?P<blank>["']?(?:[ \t]|\\\r?\n)++)(?P<word>{_QUOTED}?+(?:\\.|[^\s'"\\]|(?=["'][^\s"'),;|&]){_QUOTED})*+)""",
    re.DOTALL,
)

_HEADER = re.compile(
    r"""(?P<head>authorization["']?\s*+[:=]\s*+["']?)(?:(?P<scheme>(?:bearer|basic|token)\s++)[^\s"']++|digest[^\r\n]*+|[^"'\r\n]++)""",
    re.IGNORECASE,
)
# Without its header it has to look like one: `Bearer token` and `Basic usage` do not.
_SCHEME = re.compile(r"\b(?P<scheme>(?i:bearer|basic)[ \t]++)(?=[^\s\"']*?(?:[\d=_]|[a-z][A-Z]))[\w.~+/=-]{6,}+")

# `mysql -pSECRET`, and its relatives such as mysqldump and mariadb: no blank stands between. The rest of the line is read once.
_MYSQL = re.compile(
    r"""(?<![\w-])(?:mysql|mariadb)[\w-]*+["']?(?=[\s,])"""
    r"""(?:'[^'\r\n]*+'?|"(?:\\.|[^"\\\r\n])*+"?|\\\r?\n|[^\r\n|;&'"])*+""",
    re.IGNORECASE,
)
_MYSQL_PASSWORD = re.compile(
    # The whole option quoted, as `shlex` does it and as lists have it; or its value, or none of it.
    r"""(?<=[\s,\[])(?P<quote>['"])-p(?:\\.|(?!(?P=quote))[^\r\n\\])++(?P=quote)?(?:"'"'[^'\r\n]*+'?)*+"""
    rf"""|(?<=\s)-p(?=\S){_QUOTED}?+(?:\\.|[^\s'"\\]|(?=["'][^\s"'),;|&\]]){_QUOTED})*+""",
)
_MYSQL_PROGRAM = re.compile(r"(?:.*/)?(?:mysql|mariadb)[\w-]*+", re.IGNORECASE | re.DOTALL)


def secret(name: str) -> bool:
    """Whether a parameter, variable, option or label is called like a secret; case does not matter."""
    return _SECRET.search(name) is not None


def is_count(name: str, text: str, at: int = 0) -> bool:
    """Whether a number stands at this place of `text` that is no secret, though `name` is called like one: `max_tokens`."""
    return _EXACTLY.search(name) is None and _NUMBER.match(text, at) is not None


def hides(name: str, value: str) -> bool:
    """Whether what is called so is a secret."""
    return bool(value) and secret(name) and (_NOTHING_ELSE.fullmatch(value) is None or _EXACTLY.search(name) is not None)


def masked(text: str, *, lines: bool = False) -> Clean:
    """A text with stars for the values in `NAME=value` and `--name value` where the name is that of a secret, however a shell
    would have them quoted, for passwords in addresses and behind `-p` of mysql, and for what follows `Authorization:`, `Bearer`
    and `Basic`.

    `lines` as for `clean`.
    """
    text = _PASSWORD.sub(rf"\1:{MASK}@", text)
    text = _HEADER.sub(lambda found: f"{found['head']}{found['scheme'] or ''}{MASK}", text)
    text = _SCHEME.sub(rf"\g<scheme>{MASK}", text)
    text = _MYSQL.sub(lambda found: _MYSQL_PASSWORD.sub(_mysql_password, found[0]), text)
    return clean("".join(_options("".join(_assignments(text)))), lines=lines)


def _mysql_password(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return f"{quote}-p{MASK}{quote}"


def _assignments(text: str) -> Iterator[str]:
    at = 0
    start = 0
    while (found := _NAMED.search(text, at)) is not None:
        at = found.end()
        if not secret(found["name"]) or is_count(found["name"], text, at):
            continue
        quote = found["quote"] or ""
        inside = _INSIDE[quote].match(text, at)
        end = inside.end() if inside is not None else at
        rest = _PIECES.match(text, end)
        yield f"{text[start:at]}{MASK}{quote}"
        at = start = rest.end() if rest is not None else end
    yield text[start:]


def _options(text: str) -> Iterator[str]:
    at = 0
    start = 0
    while (found := _INNER_OPTION.search(text, at)) is not None:
        at = found.end()
        name = found[0]
        # `--password --token x`: whichever of them is the value, none of the two is seen.
        while secret(name) and (value := _VALUE.match(text, at)) is not None and (word := value["listed"] or value["word"]):
            if not hides(name, word):
                break
            quote = word[0] if value["comma"] else ""
            yield f"{text[start:at]}{value['comma'] or value['blank']}{quote}{MASK}{quote}"
            at = start = value.end()
            name = option[0] if (option := _OPTION.fullmatch(word.strip("'\""))) is not None else ""
    yield text[start:]


def arguments(words: Sequence[str]) -> tuple[Clean, ...]:
    """The words of a command line, each masked; what follows an option that is called like a secret is one, whatever it is."""
    made: list[Clean] = []
    named = ""
    mysql = False
    for word in words:
        if mysql and len(word) > 2 and word.startswith("-p"):
            made.append(Clean(f"-p{MASK}"))
        else:
            made.append(MASK if hides(named, word) else masked(word))
        mysql = mysql or _MYSQL_PROGRAM.fullmatch(word) is not None
        named = word if _OPTION.fullmatch(word) is not None else ""
    return tuple(made)


def label_value(name: str, value: str) -> Clean:
    """What is shown of a label, or of whatever else people give names of their own: stars where its name is a secret's."""
    return MASK if hides(name, value) else masked(value)
