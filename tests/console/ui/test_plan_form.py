"""The fields of a plan: what is typed into them, how they look, and what is sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from console.actions.plan import Entry, Plan
from console.model.asking import FieldKind
from console.model.cells import width
from console.text import clean
from console.ui.form import Form
from console.ui.typed import Typed
from tests.console.ui.doing import Person, Shown, person
from tests.console.ui.pressing import line_with
from tests.support.waiting import until


def entry(name: str, kind: FieldKind = FieldKind.TEXT, value: str = "", *choices: str, note: str = "") -> Entry:
    told = clean(value, lines=True)
    return Entry(clean(name), kind, told, told, clean(note), tuple(clean(one) for one in choices))


FIELDS = (
    entry("PROJECT", value="project-b"),
    entry("FORCE", FieldKind.BOOLEAN, "false"),
    entry("SIZE", FieldKind.CHOICE, "small", "small", "middle", "large"),
    entry("TOKEN", FieldKind.PASSWORD, "********"),
    entry("OVERRIDES", FieldKind.LINES),
    entry("MODEL", FieldKind.FILE),
)


def act(*fields: Entry) -> Shown:
    return Shown({"hall"}, ("hall",), entries=fields or FIELDS)


async def editing(one: Person, shown: Shown) -> list[str]:
    await one.plan(shown)
    return await one.press("e")


async def test_fields_as_they_stand_in_a_plan_and_while_they_are_changed() -> None:
    async with person() as one:
        lines = await one.plan(act())
        assert "e edit" in lines[-1]
        assert line_with(lines, "PROJECT") == "   PROJECT    project-b"
        assert line_with(lines, "FORCE") == "   FORCE      [ ] no"
        assert line_with(lines, "SIZE") == "   SIZE       small"
        assert line_with(lines, "TOKEN") == "   TOKEN      ********"
        lines = await one.press("e")
        assert line_with(lines, "PROJECT") == "▐  PROJECT    project-b_"
        assert line_with(lines, "SIZE") == "   SIZE       < small >"
        assert lines[-1].startswith(" enter darken  tab next field")


async def test_each_kind_is_changed_in_its_own_way() -> None:
    shown = act()
    async with person() as one:
        await editing(one, shown)
        await one.press("x", "tab", "space", "tab", "left", "tab", *"secret", "tab")
        await one.press(*"a=1", "enter", *"b=2")
        await one.sees("was project-b")
        await one.sees("b=2_")
        lines = await one.sees(" enter new line  tab enter darken  tab next field")
        assert line_with(lines, "PROJECT").split()[:3] == ["*", "PROJECT", "project-bx"]
        assert line_with(lines, "FORCE").startswith(" * FORCE      [x] yes")
        assert line_with(lines, "SIZE").startswith(" * SIZE       < large >")
        assert line_with(lines, "TOKEN").startswith(" * TOKEN      ********")
        assert line_with(lines, "OVERRIDES").startswith("▐* OVERRIDES  a=1")
        assert any(line.strip() == "b=2_" for line in lines)
        assert "secret" not in "\n".join(lines)
        # Behind the last field that can be changed enter agrees; the file is passed over.
        await one.press("tab")
        await one.sees("▐enter darken")
        await one.press("enter")
        await one.sees("✓ dark")
    assert shown.performed == [
        {"PROJECT": "project-bx", "FORCE": "true", "SIZE": "large", "TOKEN": "secret", "OVERRIDES": "a=1\nb=2"}
    ]


async def test_what_is_typed_fast_is_what_is_sent() -> None:
    """Enter comes before any plan of what was typed: the newest text counts, and a plan of it is made before the act."""
    shown = act(entry("PROJECT"))
    async with person() as one:
        await editing(one, shown)
        text = "resources.memory=24g"
        await one.press(*text, "enter")
        await one.sees("✓ dark")
    assert shown.performed == [{"PROJECT": text}]
    assert {"PROJECT": text} in shown.planned


async def test_letters_that_come_while_a_plan_is_made_stay() -> None:
    shown = replace(act(entry("PROJECT")), gate=asyncio.Event())
    assert shown.gate is not None
    shown.gate.set()
    async with person() as one:
        await editing(one, shown)
        shown.gate.clear()
        await one.type("one")
        await until(lambda: {"PROJECT": "one"} in shown.planned)
        lines = await one.type("two")
        assert line_with(lines, "PROJECT").endswith("onetwo_")
        shown.gate.set()
        lines = await one.sees("was empty")
        assert line_with(lines, "PROJECT").split()[2] == "onetwo_"
        await one.press("enter")
        await one.sees("✓ dark")
    assert shown.performed == [{"PROJECT": "onetwo"}]


async def test_letters_after_enter_call_it_back() -> None:
    shown = replace(act(entry("PROJECT")), gate=asyncio.Event())
    assert shown.gate is not None
    shown.gate.set()
    async with person() as one:
        await editing(one, shown)
        shown.gate.clear()
        await one.press(*"one", "enter", *"two")
        shown.gate.set()
        await until(lambda: {"PROJECT": "onetwo"} in shown.planned)
        await one.sees("was empty")
        assert not shown.performed


async def test_a_value_that_cannot_be_sent_says_so_and_is_not() -> None:
    def check(plan: Plan) -> Plan:
        (field,) = plan.entries
        bad = clean("PROJECT cannot be nope.") if field.value == "nope" else None
        return replace(plan, entries=(replace(field, problem=bad),))

    shown = replace(act(entry("PROJECT")), change=check)
    async with person() as one:
        await editing(one, shown)
        await one.press(*"nope", "enter")
        lines = await one.sees("✗ PROJECT cannot be nope.")
        assert "darken" not in lines[-1]
        await one.press("enter")
        assert not shown.performed
        await one.press("backspace", "enter")
        await one.sees("✓ dark")
    assert shown.performed == [{"PROJECT": "nop"}]


async def test_a_plan_that_weighs_more_than_the_one_that_was_read_is_not_agreed_to() -> None:
    from console.actions.plan import Weight

    shown = act(entry("PROJECT"))
    heavier = replace(shown, change=lambda plan: replace(plan, weight=Weight.YES if plan.entries[0].changed else Weight.ENTER))
    async with person() as one:
        await editing(one, heavier)
        await one.press("x", "enter")
        await one.sees("was empty")
        assert not heavier.performed


async def test_what_the_act_has_set_can_be_taken_back() -> None:
    """An offer sets RESUME_FROM, a commit that was trained sets FORCE: as they were before is not as they would be sent."""
    fields = (
        replace(entry("RESUME_FROM"), value=clean("4")),
        replace(entry("FORCE", FieldKind.BOOLEAN, "false"), value=clean("true")),
    )
    shown = act(*fields)
    async with person() as one:
        await editing(one, shown)
        await one.press("backspace", "tab", "space")
        lines = one.lines
        assert line_with(lines, "RESUME_FROM").split()[-1] != "4"
        await one.press("enter")
        await one.sees("✓ dark")
    assert shown.performed == [{"RESUME_FROM": "", "FORCE": "false"}]


async def test_a_warning_that_nobody_has_read_is_not_agreed_to() -> None:
    from console.actions.plan import Say

    trained = (Say("but", clean("1d44b02 was trained in #7. FORCE is set.")),)
    shown = act(entry("COMMIT"))
    warns = replace(shown, change=lambda plan: replace(plan, says=trained if plan.entries[0].changed else plan.says))
    async with person() as one:
        await editing(one, warns)
        await one.press("x", "enter")
        await one.sees("FORCE is set.")
        assert not warns.performed
        one.wait()
        await one.press("enter")
        await one.sees("✓ dark")
    assert warns.performed == [{"COMMIT": "x"}]


async def test_a_click_beside_a_form_loses_nothing_that_was_typed() -> None:
    shown = act(entry("PROJECT"))
    async with person() as one:
        await editing(one, shown)
        await one.type("abc")
        await one.pilot.click(offset=(5, 1))
        assert "abc_" in line_with(one.lines, "PROJECT")


async def test_several_lines_are_pasted_where_several_lines_belong() -> None:
    shown = act(entry("PROJECT"), entry("OVERRIDES", FieldKind.LINES), entry("FORCE", FieldKind.BOOLEAN, "false"))
    pasted = "a=1\r\nb=2\r\n\x1b]52;c;eA==\x07c=3"
    async with person() as one:
        await editing(one, shown)
        for keys in (["tab"], ["tab"], []):
            one.app.post_message(events.Paste(pasted))
            await one.press(*keys)
        await one.press("tab")
        assert "\x1b" not in "\n".join(one.lines)
        await one.press("enter")
        await one.sees("✓ dark")
    (sent,) = shown.performed
    assert sent == {"PROJECT": "a=1 b=2 c=3", "OVERRIDES": "a=1\nb=2\nc=3"}


async def test_a_secret_is_never_shown_and_can_be_left_as_it_was() -> None:
    shown = act(entry("TOKEN", FieldKind.PASSWORD, "********"), entry("PROJECT"))
    async with person() as one:
        await editing(one, shown)
        lines = await one.type("h")
        assert line_with(lines, "TOKEN").startswith("▐  TOKEN    ********_")
        assert len({line_with(await one.type("unter2"), "TOKEN") for _ in range(3)}) == 1
        await one.press("ctrl+u", "tab", "x", "enter")
        await one.sees("✓ dark")
    assert shown.performed == [{"PROJECT": "x"}]


async def test_escape_leaves_and_sends_nothing() -> None:
    shown = act()
    async with person() as one:
        await editing(one, shown)
        await one.press("q", "j", "escape")
        assert len(one.app.screen_stack) == 1
        assert not shown.performed


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (120, 36)], ids=str)
async def test_the_field_that_is_typed_into_is_seen(size: tuple[int, int]) -> None:
    fields = [entry(f"FIELD{number}", value="v" * 300, note="a note that is long enough to be cut") for number in range(14)]
    async with person(size) as one:
        await one.plan(act(*fields), "leave it")
        await one.press("e")
        for number in range(14):
            lines = await one.press("Y")
            here = line_with(lines, "▐", "FIELD" if size[0] > 30 else "F")
            assert "Y_" in here
            assert lines[-1].endswith("leave it")
            if size[0] > 30:
                assert f"FIELD{number}" in here or "⋯" in here
            await one.press("tab")


# Without a screen


def pressed(form: Form, *keys: str) -> Form:
    for key in keys:
        form.press(key, key if len(key) == 1 else " " if key == "space" else None)
    return form


def test_arrows_go_through_fields_and_through_the_lines_of_one() -> None:
    form = Form((entry("A"), entry("B", FieldKind.LINES, "one\ntwo"), entry("C")))
    pressed(form, "down")
    assert form.entry.name == "B"
    pressed(form, "up", "up")
    assert form.entry.name == "A"
    pressed(form, "down", "down", "down")
    assert form.entry.name == "C"
    pressed(form, "down")
    assert form.on_start
    pressed(form, "shift+tab")
    assert form.entry.name == "C"


def test_a_choice_that_is_none_of_them_is_kept_until_another_is_chosen() -> None:
    form = Form((entry("SIZE", FieldKind.CHOICE, "gone", "small", "large"),))
    assert form.value(form.entry) == "gone"
    pressed(form, "right")
    assert form.value(form.entry) == "small"
    pressed(form, "left")
    assert form.value(form.entry) == "large"


KEYS = st.sampled_from(["a", "é", "日", "enter", "left", "right", "home", "end", "up", "down", "backspace", "delete", "ctrl+u"])


@given(st.lists(KEYS, max_size=60), st.booleans(), st.integers(4, 30))
def test_whatever_is_typed_the_cursor_is_seen_and_no_row_is_too_wide(keys: list[str], lines: bool, cells: int) -> None:
    typed = Typed(lines=lines)
    for key in keys:
        typed.press(key, key if len(key) == 1 else None)
    assert 0 <= typed.at <= len(typed.text)
    rows = typed.shown(cells, "⋯")
    assert len(rows) == typed.text.count("\n") + 1
    assert all(width(row) <= cells for row in rows)
    assert "_" in rows[typed.place[0]]
    assert lines or "\n" not in typed.text
