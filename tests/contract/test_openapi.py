"""Whatever is sent, the answer is one that our OpenAPI document tells of."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.conftest import PATIENCE, TOKEN, Server, World
from tests.contract.ui import DOCUMENT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
# What one answer teaches is no part of the next request, so that each time the same is sent.
ALONE = {"extra-data-sources": {"responses": False}}
CONFIG = {
    "seed": 1,
    "phases": {"coverage": ALONE, "fuzzing": {**ALONE, "error-feedback": {"enabled": False}}},
}
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))
ENDLESS = "/events"
POSSIBLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Target:
    """A server on which commands do nothing, and a run, a sweep and an alert on it that there are."""

    def __init__(self, world: World) -> None:
        # `true -c -- COMMAND`: nothing that is made up here is ever run.
        options = ["--RaJobsApp.shell=true", "--RaJobsApp.max_running=2", "--RaJobsApp.max_sweep_runs=20"]
        self.server = Server(world).start(*options)
        self.url = f"http://127.0.0.1:{self.server.port}/ra-jobs"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"token {TOKEN}"
        run = self.server.ended(self.server.launch("echo"))  # ended, so that its streams end
        sweep = self.server.post("/sweeps", name="s", base_command="echo", parameters={"a": [1, 2]}).json
        alert = self.server.post(f"/runs/{run['id']}/alerts", message="well?", choices=["Yes"]).json
        self.ids = {"run_id": run["id"], "sweep_id": sweep["id"], "alert_id": alert["alert_id"]}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One for all operations; what one does to the run and the sweep, the next one finds."""
    world = World(tmp_path_factory.mktemp("openapi"))
    try:
        made = Target(world)
        yield made
        made.session.close()
    finally:
        world.end()


@SCHEMA.exclude(path=ENDLESS).parametrize()
@settings(max_examples=10, derandomize=True, database=None, deadline=None)
def test_answer(case: Any, target: Target) -> None:
    """No 500; a status, a media type and a body that are documented; 400 for what the document forbids."""
    for name, value in case.path_parameters.items():
        if POSSIBLE_ID.fullmatch(str(value)):  # what can be no id is sent as it is
            case.path_parameters[name] = target.ids.get(name, value)
    answer = case.call(base_url=target.url, session=target.session, timeout=PATIENCE, allow_redirects=False)
    case.validate_response(answer, checks=CHECKS)
