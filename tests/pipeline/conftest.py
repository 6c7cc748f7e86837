"""A workplace for each test, on the Engine of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.workplace import Workplace
from tests.support import skips
from tests.support.engine import Engine, NoEngineError
from tests.support.hub import Hub
from tests.support.pythonbase import import_python

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


@pytest.fixture(scope="session")
def python_or_reason(engine_or_reason: Engine | str) -> str | None:
    """Imported once for each Engine; why it cannot be."""
    if isinstance(engine_or_reason, str):
        return engine_or_reason
    try:
        import_python(engine_or_reason)
    except NoEngineError as error:
        return skips.NO_ENGINE.format(why=error)
    return None


@pytest.fixture
def python(python_or_reason: str | None) -> None:
    """The image that projects are made from."""
    if python_or_reason is not None:
        pytest.skip(python_or_reason)


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
