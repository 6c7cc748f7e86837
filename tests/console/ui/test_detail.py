"""The page of one service or container."""

from __future__ import annotations

from tests.console.ui.pressing import pressed, selected
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.worlds import world
from tests.support.waiting import until


async def test_the_detail_hides_every_value_until_asked() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        text = await pressed(pilot, "j", "j", "enter")
        assert text.split("\n")[0].startswith(" train-01 › portainer   ✗ unhealthy  for about 11m")
        assert "Environment  1 set, hidden: v shows them" in text
        assert "s3cret-value" not in text
        assert "s3cret-value" in await pressed(pilot, "v")
        assert "s3cret-value" not in await pressed(pilot, "v")
        await pressed(pilot, "v", "right_square_bracket", "left_square_bracket")
        assert "s3cret-value" not in screen_text(app), "another row hides them again"


async def test_the_detail_tells_ports_mounts_labels_and_use() -> None:
    app = app_of(world())
    async with app.run_test(size=(100, 50)) as pilot:
        await pressed(pilot, "slash")
        await until(lambda: app.focused is not None)
        text = await pressed(pilot, "g", "a", "t", "e", "enter", "enter")
    assert "127.0.0.1:18080 -> 8080/tcp, 9000/udp" in text
    assert "volume mlops_gate on /data (read only)" in text
    assert "com.docker.compose.service" in text
    assert "41 of 512 MiB" in text
    assert "differs    no: what runs is what the file says" in text
    assert "7.5%" in text


async def test_the_detail_walks_through_the_list_and_comes_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot, "enter", "right_square_bracket")
        assert "› flaky" in text
        text = await pressed(pilot, "q")
        assert selected(text.split("\n")).startswith("▐flaky")
        assert app.is_running


async def test_what_happened_to_a_container_is_told() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        text = await pressed(pilot, "G", "k", "enter")
    assert "14:03:46  ended with exit code 3" in text
