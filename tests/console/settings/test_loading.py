"""Settings: who wins, who may set what, and what a mistake is told like."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from console.settings import (
    Loaded,
    Overrides,
    Secret,
    Settings,
    SettingsError,
    check_keys,
    check_secret_file,
    describe,
    load,
    read_secret_file,
)
from console.settings.manual import as_data, example_config, markdown, shown, value_of

ROOT = Path(__file__).parents[3]


class Places:
    """Folders for each place where settings may stand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc = root / "etc.toml"
        self.user = root / "home" / ".config" / "mlops-console" / "config.toml"
        self.repository = root / "clone" / ".mlops-console.toml"
        self.user.parent.mkdir(parents=True)
        (root / "clone" / ".git").mkdir(parents=True)
        (root / "clone" / "deep").mkdir()
        self.env = {"HOME": str(root / "home")}

    def load(self, argv: Overrides | None = None, cwd: str = "clone/deep", **env: str) -> Loaded:
        return load(argv=argv or Overrides(), env={**self.env, **env}, cwd=self.root / cwd, etc=self.etc)

    def problems(self, argv: Overrides | None = None, **env: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            self.load(argv, **env)
        return list(caught.value.problems)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_without_anything_it_is_the_defaults(places: Places) -> None:
    loaded = places.load()
    assert loaded.settings == Settings()
    assert {origin.kind for origin in loaded.origins.values()} == {"default"}
    assert [one.role for one in loaded.files] == ["administrator", "user", "repository"]


def test_a_later_place_wins_and_is_named(places: Places) -> None:
    places.etc.write_text('[compose]\nproject = "etc"\n[docker]\ntimeout = 1\n')
    assert places.load().settings.compose.project == "etc"
    places.user.write_text('[compose]\nproject = "user"\n')
    assert places.load().settings.compose.project == "user"
    places.repository.write_text('\n\n[compose]\nproject = "repository"\n')
    loaded = places.load()
    assert loaded.settings.compose.project == "repository"
    assert loaded.origins["compose.project"].where == f"{places.repository}:4"
    assert loaded.settings.docker.timeout == 1.0
    loaded = places.load(MLOPS_COMPOSE_PROJECT="environment")
    assert loaded.settings.compose.project == "environment"
    assert loaded.origins["compose.project"].where == "MLOPS_COMPOSE_PROJECT"


def test_the_command_line_wins_over_all(places: Places) -> None:
    loaded = places.load(Overrides(read_only=True, no_color=True), MLOPS_READ_ONLY="0")
    assert loaded.settings.read_only
    assert loaded.settings.screen.color == "never"
    assert loaded.origins["read_only"].kind == "command line"


def test_a_file_given_by_name_takes_the_place_of_ones_own(places: Places) -> None:
    places.user.write_text('[compose]\nproject = "user"\n')
    given = places.root / "given.toml"
    given.write_text("[docker]\ntimeout = 2.5\n")
    for loaded in (places.load(Overrides(config=given)), places.load(MLOPS_CONFIG=str(given))):
        assert loaded.settings.compose.project == ""
        assert loaded.settings.docker.timeout == 2.5
    missing = places.root / "none.toml"
    assert places.problems(Overrides(config=missing)) == [f"{missing}: cannot be read: No such file or directory"]


def test_paths_belong_to_the_file_they_stand_in(places: Places) -> None:
    places.repository.write_text('[compose]\nfile = "infra/x.yml"\n')
    assert places.load().settings.compose.file == places.root / "clone" / "infra" / "x.yml"
    assert places.load(MLOPS_COMPOSE_FILE="y.yml").settings.compose.file == places.root / "clone" / "deep" / "y.yml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[docker]\ntiemout = 3", "line 2: there is no setting docker.tiemout. Did you mean docker.timeout?"),
        ("# a\n\n[docker]\nhost = 5", "line 4: docker.host wants a text, found 5"),
        ('docker.timeout = "5"', "line 1: docker.timeout wants a number of seconds above 0, found '5'"),
        ("[docker]\ntimeout = -1", "line 2: docker.timeout wants a number of seconds above 0, found -1"),
        ("read_only = 1", "line 1: read_only wants true or false, found 1"),
        (
            '[screen]\ntheme = "blue"',
            "line 2: screen.theme wants one of auto, ansi, dark, light, contrast, found 'blue'",
        ),
        ('[compose]\nprofiles = "a"', "line 2: compose.profiles wants a list of texts, found 'a'"),
        ("[compose]\nfile = 1979-05-27", "line 2: compose.file wants a path, found "),
        ("docker = 1", "line 1: docker is a table: write [docker] and its settings below"),
        ("[zzz]\na = 1", "line 1: there is no setting zzz. All settings: docs/settings.md"),
        ('[sceen]\ntheme = "dark"', "line 2: there is no setting sceen.theme. Did you mean screen.theme?"),
        ("[sceen]", "line 1: there is no setting sceen."),
        ("\nread_only = yes", "line 2: is no TOML: Invalid value, in column 13"),
        ("\nread_only = [1,", "line 2: is no TOML: "),
        ('[keys]\nfilter = ""', "line 2: keys.filter wants the name of a key as a text, found ''"),
        ('[jenkins]\ntoken = "abc"', "line 2: jenkins.token is a secret and does not belong into a file like this."),
        ('text = """\n[docker]\ntimeout = 1\n"""\n[docker]\nhots = 1', "line 6: there is no setting docker.hots."),
        ("docker = { timeout = 3, hots = 1 }", "line 1: there is no setting docker.hots."),
    ],
)
def test_a_mistake_is_told_with_file_line_and_what_was_expected(places: Places, text: str, says: str) -> None:
    places.user.write_text(text)
    problems = places.problems()
    assert any(problem.startswith(f"{places.user} {says}") for problem in problems), problems


def test_all_mistakes_of_all_places_are_told_at_once(places: Places) -> None:
    places.etc.write_text("a = 1")
    places.user.write_text("b = 1\nc = 2")
    assert len(places.problems(MLOPS_READ_ONLY="maybe")) == 4
    assert "MLOPS_READ_ONLY wants 1 or 0, true or false, found 'maybe'" in places.problems(MLOPS_READ_ONLY="maybe")


@pytest.mark.parametrize(("raw", "says"), [(b"a = [", "is no TOML"), (b"\xff\xfe", "is not UTF-8 text")])
def test_a_file_that_cannot_be_understood(places: Places, raw: bytes, says: str) -> None:
    places.user.write_bytes(raw)
    assert says in places.problems()[0]


def test_a_user_that_nobody_knows_is_a_file_that_is_not_there(places: Places) -> None:
    problem = places.problems(MLOPS_CONFIG="~nobody-knows/x.toml")[0]
    assert problem.endswith("~nobody-knows/x.toml: cannot be read: No such file or directory")


def test_a_folder_that_may_not_be_looked_into_is_a_sentence(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def refuse(path: Path, **options: bool) -> object:
        if path == places.user:
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    def refuse_to_read(path: Path, limit: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr("console.settings.loading.read_plain", refuse_to_read)
    assert places.problems() == [f"{places.user}: cannot be read: Permission denied"]


def test_a_folder_in_the_place_of_a_file(places: Places) -> None:
    places.user.mkdir()
    assert "cannot be read" in places.problems()[0]


@pytest.mark.parametrize(
    "text",
    [
        '[docker]\nhost = "tcp://evil:2375"',
        '[docker]\ncontext = "evil"',
        '[docker]\ncert_path = "x"',
        '[jenkins]\nurl = "http://evil"',
        '[jenkins]\ntoken_file = "x"',
        "[jenkins]\ninsecure_http = true",
        "read_only = false",
        '[keys]\nquit = "x"',
    ],
)
def test_a_clone_can_neither_run_commands_nor_redirect_a_token(places: Places, text: str) -> None:
    places.repository.write_text(text)
    problem = places.problems()[0]
    assert problem.startswith(f"{places.repository} line ")
    assert "cannot be set by a repository" in problem


@pytest.mark.parametrize("path", ["../outside.yml", "/etc/passwd", "link/x.yml"])
@pytest.mark.parametrize("key", ["compose.file", "projects.dir"])
def test_a_clone_cannot_point_outside_of_itself(places: Places, key: str, path: str) -> None:
    (places.root / "clone" / "link").symlink_to(places.root)
    places.repository.write_text(f'{key} = "{path}"')
    assert "must stay inside" in places.problems()[0]


def test_a_clone_may_set_what_is_only_looks(places: Places) -> None:
    places.repository.write_text('[screen]\ntheme = "light"\nglyphs = "ascii"\n[projects]\ndir = "jobs"\n')
    loaded = places.load()
    assert (loaded.settings.screen.theme, loaded.settings.screen.glyphs) == ("light", "ascii")
    assert loaded.projects == places.repository.with_name("jobs")


def test_the_projects_are_those_of_the_repository_one_is_in(places: Places) -> None:
    assert places.load().projects == places.root / "clone" / "projects"
    places.user.write_text('[projects]\ndir = "/srv/jobs"\n')
    assert places.load().projects == Path("/srv/jobs")


def test_nothing_above_the_repository_is_read(places: Places) -> None:
    (places.root / ".mlops-console.toml").write_text('[screen]\ntheme = "light"\n')
    assert places.load().settings.screen.theme == "auto"


@pytest.mark.parametrize(("word", "value"), [("1", True), ("YES", True), ("off", False), ("0", False)])
def test_switches_in_the_environment(places: Places, word: str, value: bool) -> None:
    assert places.load(MLOPS_READ_ONLY=word).settings.read_only is value


def test_no_color_counts_when_it_is_not_empty(places: Places) -> None:
    assert places.load(NO_COLOR="").settings.screen.color == "auto"
    assert places.load(NO_COLOR="1").settings.screen.color == "never"


def test_a_key_that_names_nothing_is_told_with_its_line(places: Places) -> None:
    places.user.write_text('[keys]\nfilter = "f"\nflter = "g"\n')
    loaded = places.load()
    assert loaded.settings.keys == {"filter": "f", "flter": "g"}
    with pytest.raises(SettingsError) as caught:
        check_keys(loaded, {"filter", "quit"}, {})
    assert caught.value.problems == (f"{places.user}:3: keys.flter names nothing there is to do. Did you mean filter?",)


def test_a_secret_shows_itself_to_nobody(places: Places) -> None:
    loaded = places.load(MLOPS_JENKINS_TOKEN="t0ken-value")
    token = loaded.settings.jenkins.token
    assert token is not None
    assert token.reveal() == "t0ken-value"
    for text in (repr(loaded), str(token), f"{token}", repr(shown(loaded)), repr(as_data(loaded))):
        assert "t0ken-value" not in text


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o602])
def test_a_secret_file_that_others_can_use_is_refused_with_the_remedy(places: Places, mode: int) -> None:
    path = places.root / "token"
    path.write_text("abc\n")
    path.chmod(mode)
    problem = places.problems(MLOPS_JENKINS_TOKEN_FILE=str(path))[0]
    assert problem == (
        f"MLOPS_JENKINS_TOKEN_FILE: the secret {path} is open to others (mode {mode:04o}). Run: chmod 600 {path}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_secret_file_of_ones_own_is_read_without_its_last_line_end(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("abc \n")
    path.chmod(mode)
    assert read_secret_file(path) == Secret("abc ")


@pytest.mark.parametrize(
    ("raw", "says"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is no text"), (b"x" * 70_000, "larger than")],
)
def test_a_secret_that_cannot_be_one(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(raw)
    path.chmod(0o600)
    with pytest.raises(OSError, match=says):
        read_secret_file(path)


def test_a_secret_that_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is not a file"):
        check_secret_file(tmp_path)
    with pytest.raises(OSError, match="cannot be read"):
        check_secret_file(tmp_path / "none")


def test_the_example_holds_every_setting_and_changes_nothing(places: Places) -> None:
    text = example_config()
    places.user.write_text(text)
    assert places.load().settings == Settings()
    on = "\n".join(
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line for line in text.split("\n")
    )
    tomllib.loads(on)
    token = places.root / "token"
    token.write_text("abc")
    token.chmod(0o600)
    places.user.write_text(on.replace("/path/to/it", str(token)))
    origins = places.load().origins
    for info in describe():
        assert origins[info.key].kind == ("default" if info.secret else "file"), info.key


def test_the_manual_is_up_to_date() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert markdown() in page, "run: make docs"


def test_every_setting_says_what_it_is() -> None:
    for info in describe():
        assert info.words.endswith("."), info.key
        assert info.expected
        assert not (info.secret and info.repository)


def test_values_are_found_by_their_dotted_key(places: Places) -> None:
    loaded = places.load()
    assert value_of(loaded, "docker.timeout") == 5.0
    assert value_of(loaded, "read_only") is False


def test_nothing_is_loaded_to_read_nothing() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom console.settings import Overrides, load\n"
        "load(argv=Overrides(), env={'HOME': '/nonexistent'}, cwd=Path('/'), etc=Path('/nonexistent'))\n"
        "print('msgspec' in sys.modules, 'tomllib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]


def test_what_has_switched_acts_off_is_named(places: Places) -> None:
    assert places.load().read_only is None
    assert places.load(Overrides(read_only=True)).read_only == "--read-only"
    assert places.load(MLOPS_READ_ONLY="1").read_only == "MLOPS_READ_ONLY"
    places.user.write_text("\n\nread_only = true\n")
    assert places.load().read_only == f"{places.user}:3"
    assert places.load(MLOPS_READ_ONLY="0").read_only is None


def test_what_the_administrator_has_switched_off_stays_off(places: Places) -> None:
    places.etc.write_text("# for operators\n\nread_only = true\n")
    places.user.write_text("read_only = false\n")
    given = places.root / "given.toml"
    given.write_text("read_only = false\n")
    for loaded in (
        places.load(),
        places.load(MLOPS_READ_ONLY="0"),
        places.load(MLOPS_READ_ONLY="1"),
        places.load(Overrides(config=given, read_only=False), MLOPS_READ_ONLY="no"),
        places.load(Overrides(read_only=True)),
    ):
        assert loaded.settings.read_only
        assert loaded.read_only == f"{places.etc}:3"
        (row,) = [row for row in shown(loaded) if row[0] == "read_only"]
        assert row == ("read_only", "true", f"{places.etc}:3")


def test_what_the_administrator_leaves_on_is_a_default(places: Places) -> None:
    places.etc.write_text("read_only = false\n")
    assert places.load().read_only is None
    assert places.load(MLOPS_READ_ONLY="1").read_only == "MLOPS_READ_ONLY"
    assert [info.key for info in describe() if info.forced] == ["read_only"]


def test_a_secret_that_others_can_read_is_none_of_who_mends_it(places: Places) -> None:
    token = places.root / "token"
    token.write_text("abc\n")
    token.chmod(0o644)
    places.user.write_text(f'[jenkins]\ntoken_file = "{token}"\n[notify]\nsecret_file = "/n"\n[docker]\ncert_path = "/c"\n')
    loaded = load(argv=Overrides(), env=places.env, cwd=places.root, etc=places.etc, open_secrets=True)
    assert loaded.secret_files == (token, Path("/n"), Path("/c/key.pem"))
    with pytest.raises(OSError, match="open to others"):
        read_secret_file(token)
    with pytest.raises(SettingsError) as caught:
        places.load()
    assert caught.value.secret_files == loaded.secret_files
    token.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(argv=Overrides(), env=places.env, cwd=places.root, etc=places.etc, open_secrets=True)
