"""OpenAPI 3.1, put together from the routes and what their operations say of themselves.

`python -m jupyter_ra_jobs.handlers.openapi > docs/openapi.json` writes the document down.
"""

import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.handlers.base import Handler, Nothing, Operation
from jupyter_ra_jobs.models import ErrorBody
from jupyter_ra_jobs.states import RunStatus

_METHODS = ("get", "put", "post")
_PARAMETER = re.compile(r"\(\?P<(\w+)>([^)]*)\)")
_REF = "#/components/schemas/{name}"
_ALWAYS = (403, 503)
_BYTES = "application/octet-stream"
_EVENTS = "text/event-stream"
_DESCRIBED = {
    400: "Bad input; the message names the field",
    403: "Not logged in, or not allowed",
    404: "There is no such thing",
    409: "The state of the thing forbids it",
    413: "The body is too large",
    416: "No such range",
    500: "The launch failed",
    503: "The machine lacks something, tmux for one; too many streams; or the extension could not start",
    507: "The disk takes nothing",
}

Route = tuple[str, type[Handler], dict[str, Any]]


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document; paths are relative to `{base_url}ra-jobs`."""
    found = [
        (pattern, method, getattr(handler, method), options)
        for pattern, handler, options in routes
        for method in _METHODS
        if hasattr(getattr(handler, method, None), "operation")
    ]
    operations = [function.operation for _, _, function, _ in found]
    types = [ErrorBody, *(kind for what in operations for kind in (what.answer, what.body) if kind)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    for schema in components.values():  # docstrings, which only Python 3.13 dedents by itself
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    schema_of = {repr(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for pattern, method, function, options in found:
        described = _operation(pattern, method, function, options, schema_of)
        paths.setdefault(_path(pattern), {})[method] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter_ra_jobs",
            "version": __version__,
            "description": "Runs: commands in tmux windows, seen to their end. Times are seconds since the "
            f"epoch. A run's status is one of {', '.join(RunStatus)}.",
        },
        "servers": [{"url": "/ra-jobs", "description": "Below the Jupyter server's base URL"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "ui_token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "run_token": {"type": "apiKey", "in": "header", "name": "X-RA-Run-Token"},
            },
        },
        "security": [{"token": []}, {"ui_token": []}],
    }


def _path(pattern: str) -> str:
    return _PARAMETER.sub(r"{\1}", pattern)


def _operation(
    pattern: str, method: str, function: Any, options: dict[str, Any], schema_of: dict[str, Any]
) -> dict[str, Any]:
    what: Operation = function.operation
    errors = {*_ALWAYS, *what.errors}
    if what.body is not None:  # also where it has no fields: what is sent must be JSON all the same
        errors |= {400, 413}
    if what.upload:
        errors |= {400, 413}
    if what.action != "read":
        errors.add(507)
    words = re.findall(r"\w+", re.sub(r"s/{\w+}", "", _path(pattern)))  # /runs/{run_id}/stop: post_run_stop
    described: dict[str, Any] = {
        "operationId": "_".join([method, *words]),
        "summary": what.summary,
        "description": inspect.cleandoc(function.__doc__ or ""),
        "parameters": [*_path_parameters(pattern), *(_query_parameters(what.query) if what.query else [])],
        "responses": {
            "200": {"description": "Done", "content": _content(what, schema_of[repr(what.answer)])},
            **({"206": _part(what.media_type)} if 416 in what.errors else {}),
            **{str(status): _error(status, schema_of) for status in sorted(errors)},
        },
    }
    if what.body is not None and what.body is not Nothing:
        described["requestBody"] = {
            "required": any(field.required for field in msgspec.structs.fields(what.body)),
            "content": {"application/json": {"schema": schema_of[repr(what.body)]}},
        }
    if what.upload:
        described["requestBody"] = {
            "required": True,
            "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    if what.run_token:
        described["security"] = [{"run_token": []}, {"token": []}, {"ui_token": []}]
    if what.public:
        described["security"] = [{}, {"token": []}, {"ui_token": []}]
        del described["responses"]["403"]
    return described


def _content(what: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    if what.media_type == _EVENTS:  # the schema is that of one event, and JSON is what its data holds
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
        schema = {"type": "object", "properties": {"data": data}, "required": ["data"]}
    return {
        what.media_type: {"schema": schema},
        **{other: {"schema": {"type": "string"}} for other in what.also},
    }


def _part(media_type: str) -> dict[str, Any]:
    return {"description": "The range that was asked for", "content": {media_type: {}}}


def _path_parameters(pattern: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{form}$"}}
        for name, form in _PARAMETER.findall(pattern)
    ]


def _query_parameters(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(query)["$defs"][query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": {key: value for key, value in field.items() if key != "description"},
            "description": field.get("description", ""),
        }
        for name, field in schema["properties"].items()
    ]


def _error(status: int, schema_of: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": _DESCRIBED[status],
        "content": {"application/json": {"schema": schema_of[repr(ErrorBody)]}},
    }


if __name__ == "__main__":
    from jupyter_ra_jobs.handlers import ROUTES

    print(json.dumps(document(ROUTES), indent=1))
