"""What Compose says while it acts, made into short sentences: `jenkins stopping`, `pulling jenkins 41%`.

`--progress json` (2.40) writes one object a line: `id` (`Container mlops-jenkins-1`, or a service while it pulls), `status`,
`text`, `parent_id` of a layer, `current` and `total` bytes. Its last one has `error` and `message`. An older Compose writes
` Container mlops-jenkins-1  Started`, and what is wrong without a blank in front.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from console.model.causes import start_cause
from console.text import Clean, clean

_SENTENCE = 200
_COMPLAINT = 400
_MOST_COMPLAINTS = 20
_KINDS = ("container", "network", "volume", "image")
_PLAIN = re.compile(r" (?P<kind>Container|Network|Volume|Image) (?P<name>\S+) +(?P<word>\S.*)")
_PLAIN_PULL = re.compile(r" (?P<name>\S+) (?P<word>Pulling|Pulled|Skipped\b.*|Interrupted|Error\b.*|Warning\b.*) *")
_LAYER = re.compile(r" [0-9a-f]{12} ")
_LOGGED = re.compile(r"\blevel=\w+ msg=")
_MADE_ANEW = re.compile(r"^[0-9a-f]{12}_")
_DAEMON = re.compile(r"^(?:Error response from daemon|Error): ")
_QUESTION = re.compile(r"\s*(?:Recreate|Continue)[^?]*\?.*$")
# The word before what it is about, where the other way round would be read as something else.
_BEFORE = {"pulling": "pulling", "waiting": "waiting for", "building": "building"}
_WORDS = {"recreate": "recreating", "error": "failed"}
# Newer ones tell so how far it is, and the word itself beside it.
_HOW_FAR = ("Working", "Done", "Warning", "Error")


class Progress:
    """Takes Compose's lines; `tell` gets each new sentence. `services` are names of services by names of containers.

    `begun` is whether something was under way, `raw` are the complaints that it ended with, as they came.
    """

    def __init__(self, project: str, services: Mapping[str, str], tell: Callable[[Clean], None]) -> None:
        self._services = services
        self._numbered = re.compile(rf"{re.escape(project)}[-_](?P<service>.+)[-_](?P<number>\d+)")
        self._tell = tell
        self._newest = clean("")
        self._layers: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._percent: dict[tuple[str, str], int] = {}
        self._blamed: dict[Clean, None] = {}
        self._said: dict[Clean, None] = {}
        self.begun = False
        self.raw: list[Clean] = []
        self._explains = False

    @property
    def complaint(self) -> Clean:
        """Why it failed, shortly; empty when it gave no reason."""
        # What it ends with mostly repeats what it said of one of them, there without a name.
        ends = [one for one in self._said if not any(one in other for other in self._blamed)]
        return clean("; ".join([*self._blamed, *ends]), limit=_COMPLAINT)

    def hear(self, line: bytes) -> None:
        """One line of either output."""
        text = line.decode(errors="replace")
        if text.startswith("{"):
            try:
                event = json.loads(text)
            except (ValueError, RecursionError):
                event = None
            if isinstance(event, dict):
                self._event(event)
                return
        self._plain(text)

    def _event(self, event: Mapping[str, Any]) -> None:
        name, parent = _text(event, "id"), _text(event, "parent_id")
        status, text = _text(event, "status"), _text(event, "text")
        if event.get("error"):
            self._complain(_text(event, "message"))
        elif parent:
            self._layer(parent, name, text, event)
        elif name:
            detail = _text(event, "details") or (status if text and status not in _HOW_FAR else "")
            self._about(name, text or status, detail)

    def _plain(self, text: str) -> None:
        if not text.strip() or _LAYER.match(text) or _LOGGED.search(text) or text.startswith("WARNING: "):
            return
        if (found := _PLAIN.fullmatch(text)) is not None:
            self._about(f"{found['kind']} {clean(found['name'])}", clean(found["word"].strip()), "")
        elif (pull := _PLAIN_PULL.fullmatch(text)) is not None:
            word, _, detail = pull["word"].strip().partition(" ")
            self._about(pull["name"], *((word, detail) if word in ("Error", "Warning") else (pull["word"].strip(), "")))
        elif _QUESTION.search(text):
            # Nobody answers, so it goes on without what it asks for.
            self._say(_QUESTION.sub("", text))
        elif text.startswith("Usage: "):
            # All its options follow where it does not know one.
            self._explains = True
        elif not text.startswith(" ") and not self._explains:
            self._complain(text)

    def _about(self, name: str, word: str, detail: str) -> None:
        subject = self._subject(name)
        self.begun = True
        if word.startswith("Error response") or (word == "Error" and detail):
            self._blame(subject, word if word.startswith("Error response") else detail)
            return
        word = word[:1].lower() + word[1:]
        word = _WORDS.get(word, word)
        if word.startswith("skipped - "):
            self._say(f"{subject} skipped: {word.removeprefix('skipped - ').lower()}")
        elif word in _BEFORE:
            self._say(f"{_BEFORE[word]} {subject}")
        elif word:
            self._say(f"{subject} {word}{f': {detail}' if word == 'warning' else ''}")

    def _layer(self, service: str, layer: str, text: str, event: Mapping[str, Any]) -> None:
        """A service's image comes in layers, each of which is loaded and then unpacked."""
        doing = {"Downloading": "pulling", "Download complete": "pulling", "Extracting": "unpacking"}.get(text)
        if doing is None:
            return
        current, total = event.get("current"), event.get("total")
        key = (doing, service, layer)
        if isinstance(current, int) and isinstance(total, int) and 0 <= current <= total and total > 0:
            self._layers[key] = (current, total)
        elif text == "Download complete" and key in self._layers:
            self._layers[key] = (self._layers[key][1], self._layers[key][1])
        else:
            return
        mine = [size for (what, whose, _), size in self._layers.items() if (what, whose) == (doing, service)]
        percent = 100 * sum(current for current, _ in mine) // sum(total for _, total in mine)
        # Another layer begins: what there is to do grows, and a number that falls would look like a mistake.
        if percent > self._percent.get((doing, service), -1):
            self._percent[doing, service] = percent
            self._say(f"{doing} {service} {percent}%")

    def _subject(self, name: str) -> str:
        """A service in place of its container; a second one by its number."""
        kind, _, rest = name.partition(" ")
        if kind.lower() not in _KINDS or not rest:
            return name
        if kind != "Container":
            return f"{kind.lower()} {rest}"
        rest = _MADE_ANEW.sub("", rest)
        if rest in self._services:
            return self._services[rest]
        numbered = self._numbered.fullmatch(rest)
        if numbered is None:
            return rest
        return numbered["service"] if numbered["number"] == "1" else f"{numbered['service']}-{numbered['number']}"

    def _say(self, sentence: str) -> None:
        said = clean(sentence, limit=_SENTENCE)
        if said and said != self._newest:
            self._newest = said
            self._tell(said)

    def _blame(self, subject: str, why: str) -> None:
        if len(self._blamed) < _MOST_COMPLAINTS:
            self._blamed[clean(f"{subject}: {_cause(why)}", limit=_COMPLAINT)] = None

    def _complain(self, why: str) -> None:
        if len(self.raw) < _MOST_COMPLAINTS and why:
            self.raw.append(clean(why, limit=_COMPLAINT))
            self._said[_cause(why)] = None


def _cause(why: str) -> Clean:
    return start_cause(_DAEMON.sub("", clean(why, limit=_COMPLAINT)))


def _text(event: Mapping[str, Any], key: str) -> str:
    """Clean before it is looked into: what does not show would hide a word."""
    value = event.get(key)
    return clean(value) if isinstance(value, str) else ""
