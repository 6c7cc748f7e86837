"""`infra/bin/settings`: infra/.env set by a program."""

from __future__ import annotations

from tests.infra.platform.serving import Server


def test_it_writes_the_first_one_sets_what_it_is_told_and_then_changes_nothing(server: Server) -> None:
    done = server.run("infra/bin/settings", "MLOPS_GPUS=none", "RELEASE_BRANCH=release/1")
    assert done.returncode == 0, done.stderr
    env = server.place.env.read_text()
    assert f"\nDOCKER_GID={server.engine.socket.stat().st_gid}\n" in env
    assert "\nMLOPS_GPUS=none\n" in env
    assert "\nRELEASE_BRANCH=release/1\n" in env
    assert done.stderr.endswith("RELEASE_BRANCH=release/1\n")
    before = server.place.env.stat()
    done = server.run("infra/bin/settings", "MLOPS_GPUS=none", "RELEASE_BRANCH=release/1")
    assert done.stderr == "infra/.env: nothing was changed.\n"
    assert server.place.env.stat() == before


def test_what_it_is_not_told_stays(server: Server) -> None:
    server.run("infra/bin/settings").check_returncode()
    server.place.env.write_text(server.place.env.read_text() + "# mine\nMINE=1\n")
    server.run("infra/bin/settings", "MLOPS_GPUS=2").check_returncode()
    assert server.place.env.read_text().endswith("# mine\nMINE=1\n")
    assert "\nMLOPS_GPUS=2\n" in server.place.env.read_text()


def test_a_name_that_is_none_is_refused_with_the_nearest(server: Server) -> None:
    done = server.run("infra/bin/settings", "MLOPS_GPU=1")
    assert (done.returncode, done.stderr) == (2, "settings: There is no setting MLOPS_GPU. Did you mean MLOPS_GPUS?\n")
    assert not server.place.env.exists()
    done = server.run("infra/bin/settings", "hunter2")
    assert done.returncode == 2
    assert "hunter2" not in done.stderr
