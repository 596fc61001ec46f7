"""What OpenAPI is told about routes that read and write their JSON themselves.

Routes name schemas by reference; the schemas are built when somebody first asks for
`/openapi.json`, not at every start: pydantic takes longer over them than a restart may (80 ms).
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from . import schemas

_SHOWN: tuple[Any, ...] = (
    schemas.CartAdd,
    schemas.Place,
    schemas.Cancel,
    schemas.CreateStep,
    schemas.ConfirmStep,
    schemas.StepReply,
    schemas.CartDoc,
    schemas.OrderDoc,
    schemas.OrderReply,
    schemas.OrdersReply,
    schemas.ErrorReply,
)
_REFERENCE = "#/components/schemas/{model}"

CLIENT_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
    "description": "The same key and body get the same order; naive ignores it.",
}
STEP_KEY: dict[str, Any] = {
    **CLIENT_KEY,
    "required": True,
    "description": "`{order}:{step}`: the same key and body get the same answer.",
}

Replies = dict[int | str, dict[str, Any]]


def replies(name: str, *failures: int, unresolved: bool = False) -> Replies:
    """Return the documentation of 200 with the schema `name`, of 202, and of the failures."""
    documented: Replies = {200: _reply(name, "Done")}
    if unresolved:
        documented[202] = _reply(name, "Not resolved yet: look again at Location")
    for status in failures:
        documented[status] = _reply("ErrorReply", "Not done")
    return documented


def body(name: str) -> dict[str, Any]:
    """Return the documentation of a required JSON body with the schema `name`."""
    return {"required": True, "content": _content(name)}


def document(app: FastAPI) -> None:
    """Let `app` build its OpenAPI document, schemas included, on first demand."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = found.setdefault("components", {}).setdefault("schemas", {})
            components |= _schemas()
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _schemas() -> dict[str, Any]:
    _, found = TypeAdapter.json_schemas(
        [(shown.__name__, "validation", TypeAdapter(shown)) for shown in _SHOWN],
        ref_template=_REFERENCE,
    )
    definitions: dict[str, Any] = found["$defs"]
    return definitions


def _reply(name: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": _content(name)}


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=name)}}}
