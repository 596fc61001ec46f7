"""Every failure is answered in one form, and claims no more than is known."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Route

from services.chassis.errors import (
    BODY_LIMIT_BYTES,
    JsonResponse,
    ServiceError,
    install_error_handlers,
    read_body,
)


class Parcel(BaseModel):
    weight: int


async def send_parcel(request: Request) -> JsonResponse:
    parcel = await read_body(request, Parcel)
    return JsonResponse({"weight": parcel.weight})


async def explode(_: Request) -> JsonResponse:
    raise RuntimeError("nobody foresaw this")


async def refuse(_: Request) -> JsonResponse:
    raise ServiceError(409, "taken", "It is taken.", definite=False, extra={"order": 7})


def fastapi_app() -> Starlette:
    app = FastAPI()
    app.add_route("/parcel", send_parcel, methods=["POST"])
    app.add_route("/explode", explode)
    app.add_route("/refuse", refuse)
    return app


def starlette_app() -> Starlette:
    return Starlette(
        routes=[
            Route("/parcel", send_parcel, methods=["POST"]),
            Route("/explode", explode),
            Route("/refuse", refuse),
        ]
    )


@pytest.fixture(params=[fastapi_app, starlette_app])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    app = request.param()
    install_error_handlers(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as opened:
        yield opened


async def test_malformed_json_is_400(client: httpx.AsyncClient) -> None:
    answer = await client.post("/parcel", content=b'{"weight": ')
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert answer.json()["definite"] is True


@pytest.mark.parametrize("body", [b"[]", b'{"weight": "heavy"}', b"{}", b"null", b"NaN"])
async def test_a_wrong_shape_is_422_and_names_the_field(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post("/parcel", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [set(detail) for detail in answer.json()["details"]] == [{"field", "message"}]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"[" * 20_000])
async def test_bytes_that_are_no_json_are_400(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/parcel", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


async def test_a_body_over_the_limit_is_413(client: httpx.AsyncClient) -> None:
    answer = await client.post("/parcel", content=b" " * (BODY_LIMIT_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_over_the_limit_is_413_even_when_it_hides_its_length(
    client: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT_BYTES // 1024 + 1):
            yield b" " * 1024

    answer = await client.post("/parcel", content=chunks())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    body = json.dumps({"weight": 1}).encode().ljust(BODY_LIMIT_BYTES)
    assert (await client.post("/parcel", content=body)).json() == {"weight": 1}


async def test_unknown_paths_and_methods_keep_the_form(client: httpx.AsyncClient) -> None:
    nowhere, wrong = await client.get("/nowhere"), await client.get("/parcel")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


async def test_what_nobody_foresaw_is_500_promises_nothing_and_is_recorded(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await client.get("/explode")
    assert (answer.status_code, answer.json()["definite"]) == (500, False)
    assert "nobody foresaw this" in capsys.readouterr().err
    assert "nobody foresaw this" not in answer.text


async def test_a_service_error_carries_its_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refuse")
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "It is taken.",
        "code": "taken",
        "definite": False,
        "order": 7,
    }
