"""`/_control`: arming, showing and lifting fault controls, key expiry, rolling secrets.

Called on the gateway's own port, never through a proxy (services/README.md, "Gateway").
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..chassis.errors import JsonResponse, ServiceError, read_body
from . import controls, endpoints, idempotency, signing
from .api import Parts
from .controls import KINDS, Fault
from .errors import Refused
from .store import driver

_MAX_MS = 600_000
_MAX_ADVANCE_MS = 366 * 24 * 60 * 60 * 1000


class FaultShape(BaseModel):
    """The body of `POST /_control/faults`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    label: str = Field(min_length=1, max_length=200)
    operation: str | None = None
    order_id: str | None = None
    user: str | None = None
    nth: int = Field(default=1, ge=1, le=1_000_000)
    times: int = Field(default=1, ge=1, le=1_000_000)
    parameters: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        kind = KINDS.get(self.name)
        if kind is None:
            raise ValueError(f'name: found "{self.name}", expected one of: {", ".join(KINDS)}')
        if self.operation is not None and self.operation not in kind.operations:
            expected = ", ".join(kind.operations)
            raise ValueError(f'operation: found "{self.operation}", expected one of: {expected}')
        missing = [name for name in kind.required if name not in self.parameters]
        if missing:
            raise ValueError(f"parameters: {self.name} needs {', '.join(missing)}")
        known = (*kind.required, *kind.optional)
        for name, ms in self.parameters.items():
            if name not in known:
                expected = ", ".join(known) or "none"
                raise ValueError(f'parameters: found "{name}", {self.name} takes: {expected}')
            if not 0 <= ms <= _MAX_MS:
                raise ValueError(f"parameters.{name}: found {ms}, expected 0 to {_MAX_MS} ms")
        return self


class AdvanceShape(BaseModel):
    """The body of `POST /_control/clock`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    advance_ms: int = Field(ge=0, le=_MAX_ADVANCE_MS)


class RollShape(BaseModel):
    """The body of `POST /_control/webhook_endpoints/{id}/roll`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    secret: str | None = Field(default=None, min_length=1, max_length=200)
    expires_after_ms: int = Field(default=0, ge=0, le=endpoints.ROLL_MAX_MS)


class ControlRoutes:
    """The routes over one set of controls."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._outbox = parts.outbox
        self._database = parts.database

    def routes(self) -> list[Route]:
        """Return the routes for the app."""
        return [
            Route("/_control/faults", self.arm, methods=["POST"]),
            Route("/_control/faults", self.show, methods=["GET"]),
            Route("/_control/faults", self.lift, methods=["DELETE"]),
            Route("/_control/faults/{label:path}", self.lift, methods=["DELETE"]),
            Route("/_control/clock", self.advance, methods=["POST"]),
            Route("/_control/webhook_endpoints/{id}/roll", self.roll, methods=["POST"]),
        ]

    async def arm(self, request: Request) -> Response:
        """Arm one control: 201, or 409 when its label is armed already."""
        shape = await read_body(request, FaultShape)
        fault = Fault(**shape.model_dump())
        if not await self._database.run(self._arm, fault):
            raise ServiceError(
                409,
                "label_taken",
                f'A control labelled "{fault.label}" is armed; lift it first or choose another.',
            )
        return JsonResponse({**shape.model_dump(), "used": 0}, status_code=201)

    async def show(self, _: Request) -> Response:
        """Show every armed control and how often it was used."""
        return JsonResponse({"faults": await self._database.read(_show)})

    async def lift(self, request: Request) -> Response:
        """Lift one control by its label, or all; lifting what is not there is no error."""
        await self._database.run(self._lift, request.path_params.get("label"))
        return Response(status_code=204)

    async def advance(self, request: Request) -> Response:
        """Let every idempotency key grow older."""
        shape = await read_body(request, AdvanceShape)
        await self._database.run(_advance, shape.advance_ms)
        return JsonResponse({"advance_ms": shape.advance_ms})

    async def roll(self, request: Request) -> Response:
        """Give an endpoint a new secret; the old one signs beside it for `expires_after_ms`."""
        shape = await read_body(request, RollShape)
        signing.prepare()
        endpoint = request.path_params["id"]
        try:
            secret = await self._database.run(self._roll, endpoint, shape)
        except Refused as unknown:
            raise ServiceError(404, "endpoint_not_found", unknown.message) from None
        return JsonResponse({"id": endpoint, "secret": secret})

    def _roll(self, connection: Connection, endpoint: str, shape: RollShape) -> str:
        sql = driver(connection)
        secret = endpoints.roll(
            sql,
            endpoint,
            secret=shape.secret or self._parts.ids.new("whsec"),
            expires_after_ms=shape.expires_after_ms,
            now_ms=self._parts.clock.now_ms(),
        )
        self._outbox.endpoints = endpoints.load(sql)
        return secret

    def _arm(self, connection: Connection, fault: Fault) -> bool:
        sql = driver(connection)
        armed = controls.arm(sql, fault)
        self._outbox.controls.load(sql)
        return armed

    def _lift(self, connection: Connection, label: str | None) -> None:
        sql = driver(connection)
        controls.lift(sql, label)
        self._outbox.controls.load(sql)


def _show(connection: Connection) -> list[dict[str, object]]:
    return controls.armed(driver(connection))


def _advance(connection: Connection, advance_ms: int) -> None:
    idempotency.advance(driver(connection), advance_ms=advance_ms)
