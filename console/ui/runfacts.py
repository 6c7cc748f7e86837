"""All that is known of a run beside its curves: who, what, with what, how much, until when. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from console.model.cells import pad
from console.model.run import Phase
from console.model.run_words import asked
from console.model.words import age, binary, commit_id, decimal
from console.ui.canvas import Line
from console.ui.details import long_fact
from console.ui.look import Look
from console.ui.runmatters import changed_words, link_of, memory_words
from console.ui.runview import RunView, given, good_took

_LABEL = 12
TODAY = timedelta(hours=20)
"""What is done before that has a clock alone."""


def facts(view: RunView, look: Look, width: int, but: Collection[str] = ()) -> list[Line]:
    """A line for each, more for what is long; what nobody told is left out, and those named in `but`."""
    found: list[Line] = []
    for name, words in pairs(view):
        if words and name not in but:
            found += long_fact(name, words, look, width, label=_LABEL)
    return found


def text(view: RunView) -> str:
    """The same for a clipboard."""
    return "\n".join(f"{pad(name, _LABEL)}{words}" for name, words in pairs(view) if words)


def pairs(view: RunView) -> list[tuple[str, str]]:
    run, past = view.run, view.past.run
    title = f"  {run.build.name}" if run.build is not None and run.build.name != run.known_as else ""
    return [
        ("started by", _started_by(view)),
        ("commit", f"{commit_id(run.commit, wide=True)}{title}" if run.commit else ""),
        ("parameters", " ".join(f"{name}={value}" for name, value in (given(view) or {}).items())),
        ("changed", changed_words(view)),
        ("image", str(run.image or (past.image if past is not None else None) or "")),
        ("container", _container(view)),
        ("memory", memory_words(view)),
        ("may use", asked(view.asked, gpus=False)),
        ("gpus", _cards(view)),
        ("checkpoint", _checkpoint(view)),
        ("left", _left(view)),
        ("expected", _expected(view)),
        ("resumes", str(past.resumed_from) if past is not None and past.resumed_from is not None else ""),
        ("hub", f"{past.published.repo} {past.published.tag}" if past is not None and past.published is not None else ""),
        ("link", link_of(view) or ""),
        ("note", str(view.figures.note or "") if view.figures is not None else ""),
    ]


def _started_by(view: RunView) -> str:
    run = view.run
    if run.by_hand:
        return "by hand, without Jenkins"
    words = [str(one.text) for one in run.causes]
    if not words and view.past.run is not None:
        words = [str(one) for one in view.past.run.causes]
    return ", ".join(dict.fromkeys(words))


def _container(view: RunView) -> str:
    one = view.run.container
    if one is None:
        past = view.past.run
        return f"{past.container}, gone" if past is not None and past.container is not None else ""
    words = str(one.name)
    if one.alive and not view.gone:
        begun = one.details.started_at if one.details is not None else None
        words += f" up {age((view.now - (begun or one.created)).total_seconds())}"
    elif one.exit_code is not None:
        words += f", exit {one.exit_code}"
    more = len(view.run.containers) - 1
    return words + (f", {more} before it" if more else "")


def _cards(view: RunView) -> str:
    cards = ", ".join(map(str, sorted(view.run.cards)))
    if not cards:
        return "none: it trains on the CPU" if view.run.container is not None and view.phase is Phase.TRAINING else ""
    if not view.run.holders:
        return f"{cards}, given and not used yet" if view.phase is Phase.TRAINING else cards
    held = sum(one.process.memory or 0 for one in view.run.holders)
    return f"{cards}, {binary(held)} held" if held else cards


def _checkpoint(view: RunView) -> str:
    saved = view.past.run.checkpoint if view.past.run is not None else None
    return f"epoch {saved.epoch}, {decimal(saved.bytes)}" if saved is not None else ""


def _left(view: RunView) -> str:
    known = view.figures
    if known is None or known.finish is None or view.phase is not Phase.TRAINING:
        return ""
    left = age(max(0.0, (known.finish - view.now).total_seconds()))
    return f"{left} by {known.basis}" if known.basis else f"about {left}"


def _expected(view: RunView) -> str:
    """`done 14:22, #127 took 38m`."""
    known, words = view.figures, []
    if known is not None and known.finish is not None and view.phase is Phase.TRAINING:
        shape = "%H:%M" if known.finish - view.now < TODAY else "%b %d %H:%M"
        words.append(f"done {known.finish.astimezone().strftime(shape)}")
    if not view.run.ended:
        words.append(good_took(view))
    return ", ".join(one for one in words if one)
