"""A workplace for each test, on the Engine of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.askedjenkins import Jenkins
from tests.pipeline.workplace import Workplace
from tests.support import skips
from tests.support.engine import Engine, NoEngineError
from tests.support.hub import Hub
from tests.support.pythonbase import PYTHON, import_python

WRITE, READ = "hf_secretwrite", "hf_secretread"


@pytest.fixture
def work(tmp_path: Path, engine: Engine) -> Iterator[Workplace]:
    """A repository, a folder for runs, and the Engine."""
    place = Workplace(tmp_path, engine)
    yield place
    place.close()


@pytest.fixture
def work_of_its_own(tmp_path: Path, own_engine: Engine) -> Iterator[Workplace]:
    """The same on an Engine that may be killed."""
    place = Workplace(tmp_path, own_engine)
    yield place
    place.close()


@pytest.fixture
def python(engine: Engine) -> None:
    """The image that projects are made from, in the Engine if it is not there already."""
    try:
        if not engine.docker("images", "--quiet", PYTHON):
            import_python(engine)
    except NoEngineError as error:
        pytest.skip(skips.NO_ENGINE.format(why=error))


@pytest.fixture
def hub(work: Workplace) -> Iterator[Hub]:
    """A Hub on this machine with a user `ann`; the steps know it and both of her tokens."""
    with Hub() as server:
        server.add_user("ann", write=WRITE, read=READ)
        work.environment |= {
            "HF_ENDPOINT": server.endpoint,
            # The stand-in knows no Xet.
            "HF_HUB_DISABLE_XET": "1",
            "HF_WRITE_TOKEN_FILE": str(work.secret("write", WRITE)),
            "HF_READ_TOKEN_FILE": str(work.secret("read", READ)),
        }
        yield server


@pytest.fixture
def jenkins(work: Workplace) -> Iterator[Jenkins]:
    server = Jenkins()
    work.environment |= {
        "JENKINS_URL": server.url,
        "JENKINS_USER": "operator",
        "JENKINS_TOKEN_FILE": str(work.secret("jenkins", "11deadbeef")),
        # What Jenkins calls itself in public is not how it is reached from here.
        "BUILD_URL": "https://jenkins.example.org/ci/job/train/4/",
    }
    yield server
    server.close()
