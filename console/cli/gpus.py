"""`gpus`: the cards, and who holds them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from console.cli import forms, gpu_forms
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE, Asked, look
from console.cli.output import Cell, Column, Printer, print_json
from console.model import gpu_words
from console.model.gpu import Gpu, GpuWorld
from console.model.gpu_use import Holder, holders, used_by
from console.model.source import SourceState
from console.model.words import age, memory
from console.model.world import World

_GIB = 1 << 30
_CARDS = (
    Column("GPU"),
    Column("STATE"),
    Column("UTIL"),
    Column("MEMORY"),
    Column("TEMP", drop=3),
    Column("POWER", drop=4),
    Column("USED BY", least=14),
    Column("CARD", least=8, drop=5),
)
_PROCESSES = (
    Column("GPU"),
    Column("RUN", least=12, middle=True),
    Column("UTIL"),
    Column("MEM"),
    Column("IDLE", drop=1),
    Column("PID", drop=2),
    Column("USER", drop=3),
    Column("COMMAND", least=10, drop=4),
)
UNKNOWN = "n/a"
_ERRORS = 3
"""Of errors that want nobody any more, so many are told."""


@command("gpus")
@click.option("--watch", is_flag=True, help="Show them again whenever something changed.")
@click.pass_obj
def gpus(context: Context, watch: bool) -> int:
    """List the GPUs of this machine, and the processes that hold their memory.

    Exit status: 0 all are fine, 1 one of them wants a look, 3 the driver cannot be asked, or there is none.
    """
    return look(context.backend, _Gpus(context), Asked(compose=False, gpus=True), watch=watch)


@dataclass(frozen=True, slots=True)
class _Gpus:
    context: Context

    def seen(self, world: World) -> Hashable:
        status = world.sources["gpu"]
        if world.gpu is None:
            return status.state, status.reason
        # What moves from second to second, and is shown no finer than this.
        held = tuple((one.place, one.name, one.process.pid) for one in holders(world.gpu, world.containers))
        cards = tuple(map(_shown, world.gpu.reading.cards))
        return status.state, status.reason, cards, held, world.gpu.xids, world.gpu.reading.blind

    def show(self, world: World, *, again: bool) -> int:
        found = world.gpu
        held = holders(found, world.containers) if found is not None else ()
        if self.context.json:
            print_json(_document(world, found, held))
        else:
            self._print(world, found, held, again=again)
        if found is None or world.sources["gpu"].state is not SourceState.OK:
            return UNREACHABLE
        return 1 if any(gpu_words.card_state(found, card, world.taken_at).bad for card in found.reading.cards) else 0

    def _print(self, world: World, found: GpuWorld | None, held: Sequence[Holder], *, again: bool) -> None:
        printer = self.context.printer()
        if again:
            printer.time(world.taken_at)
        if (reason := world.sources["gpu"].reason) is not None:
            self.context.complain(reason)
        if found is None:
            return
        if (docker := world.sources["docker"].reason) is not None:
            self.context.complain(f"{docker} So nobody knows whose the containers are.")
        now = world.taken_at
        printer.table(_CARDS, [_card(card, world, found, held, now) for card in found.reading.cards])
        for card in found.reading.cards:
            for sentence in (*gpu_words.sentences(found, card, now), *gpu_words.fault_sentences(found, card, now)[:_ERRORS]):
                printer.line(f"GPU {card.index}: {sentence}")
        if found.reading.blind is not None:
            printer.line(found.reading.blind)
        if held:
            printer.line()
            printer.table(_PROCESSES, [_process(one, now) for one in held])
        _print_instances(found, printer)


def _shown(card: Gpu) -> Hashable:
    power = round(card.power, -1) if card.power is not None else None
    memory_used = card.memory_used // _GIB if card.memory_used is not None else None
    return card.uuid, card.utilisation, memory_used, card.temperature, power, card.lost, card.slowdown, card.instances


def _document(world: World, found: GpuWorld | None, held: Sequence[Holder]) -> dict[str, object]:
    if found is None:
        return forms.of_world("gpus", world, [], driver=None, cuda=None, blind=None, xids=[])
    reading = found.reading
    items = [gpu_forms.gpu(card, world, found, held, world.taken_at) for card in reading.cards]
    more = {"driver": reading.driver, "cuda": reading.cuda, "blind": reading.blind}
    return forms.of_world("gpus", world, items, **more, xids=[gpu_forms.xid(one) for one in found.xids])


def _card(card: Gpu, world: World, found: GpuWorld, held: Sequence[Holder], now: datetime) -> list[Cell]:
    told = gpu_words.card_state(found, card, now)
    use = used_by(card, found, held, world.containers)
    named = f"{use.name} (by its label)" if use is not None and use.by_label else str(use.name) if use is not None else ""
    since = found.idle_since.get(card.index)
    idle = f", idle {age((now - since).total_seconds())}" if since is not None and named else ""
    limit = f"/{card.power_limit:.0f}W" if card.power_limit is not None else "W"
    return [
        Cell(str(card.index)),
        Cell(told.word, told),
        Cell(f"{card.utilisation}%" if card.utilisation is not None else UNKNOWN),
        Cell(gpu_words.memory_pair(card.memory_used, card.memory_total)),
        Cell(f"{card.temperature}C" if card.temperature is not None else UNKNOWN),
        Cell(f"{card.power:.0f}{limit}" if card.power is not None else UNKNOWN),
        Cell(named + idle),
        Cell(gpu_words.card_name(card.name)),
    ]


def _process(holder: Holder, now: datetime) -> list[Cell]:
    process, since = holder.process, holder.idle_since
    return [
        Cell(holder.place),
        Cell(holder.name),
        Cell(f"{process.utilisation}%" if process.utilisation is not None else UNKNOWN),
        Cell(memory(process.memory)),
        Cell(age((now - since).total_seconds()) if since is not None else ""),
        Cell(str(process.pid)),
        Cell(process.user or ""),
        Cell(process.command or ""),
    ]


def _print_instances(found: GpuWorld, printer: Printer) -> None:
    """What MIG has cut cards into."""
    rows = [
        [Cell(f"{card.index}/{one.index}"), Cell(one.name), Cell(f"{memory(one.memory_used)} of {memory(one.memory_total)}")]
        for card in found.reading.cards
        for one in card.instances
    ]
    if rows:
        printer.line()
        printer.table((Column("MIG"), Column("INSTANCE"), Column("MEMORY")), rows)
