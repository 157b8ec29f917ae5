"""What every test may use: a database on a real PostgreSQL server."""

import os
from collections.abc import Iterator

import pytest

from tests import postgres

RUN = pytest.StashKey[postgres.Run]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that people start keeps what its workers share."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[RUN] = postgres.Run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also after an interrupt."""
    if RUN in config.stash:
        config.stash[RUN].end()


@pytest.fixture(scope="session")
def postgresql_url(worker_id: str) -> Iterator[str]:
    """An empty database of this worker's own. Without a server: fails where CI is set, else skips with the reason."""
    try:
        server = postgres.server()
    except postgres.NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with postgres.database(server, f"kawan_test_{worker_id}_{os.getpid()}") as url:
        yield url
