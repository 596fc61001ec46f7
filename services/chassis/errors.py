"""What a service answers when it does not succeed, and the one place that turns it into JSON.

    ServiceError              any answer of the form of services/README.md, "Errors"
    ├── InvalidRequest        422: the shape is wrong; `details` name the fields
    └── DatabaseUnavailable   503: the database could not be written or read
    BodyTooLarge              413, raised while the body is being read

`definite` is Maelstrom's word: true only when this request certainly did nothing and will do
nothing. Anything not foreseen is a 500 that claims nothing.
"""

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT_BYTES = 64 * 1024
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

ModelT = TypeVar("ModelT", bound=BaseModel)


class ServiceError(Exception):
    """An answer other than success: status, machine code, one sentence, and what it promises.

    `extra` holds further top-level fields of the body, such as the order document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        error: str,
        *,
        definite: bool = True,
        details: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.code = code
        self.error = error
        self.definite = definite
        self.details = details
        self.headers = headers
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """Return the body of the answer."""
        body: dict[str, Any] = {"error": self.error, "code": self.code, "definite": self.definite}
        if self.details is not None:
            body["details"] = list(self.details)
        return body | dict(self.extra or {})


class InvalidRequest(ServiceError):
    """422: the body or a parameter has the wrong shape; each detail names a field."""

    def __init__(self, details: Sequence[Mapping[str, Any]]) -> None:
        fields = ", ".join(str(detail["field"]) for detail in details)
        super().__init__(
            422, "invalid_request", f"The request is not valid: see {fields}.", details=details
        )


class DatabaseUnavailable(ServiceError):
    """503: the database did not take or give what was asked.

    `definite` is true when nothing was written; a failed COMMIT promises nothing.
    """

    def __init__(self, message: str, *, definite: bool) -> None:
        super().__init__(503, "database_unavailable", message, definite=definite)


class BodyTooLarge(HTTPException):
    """413. A subclass of HTTPException, the one kind FastAPI passes on while it reads a body."""

    def __init__(self) -> None:
        super().__init__(413, f"The body is larger than {BODY_LIMIT_BYTES} bytes.")


def body_too_large() -> ServiceError:
    """Return the same 413 for handlers that FastAPI does not surround."""
    told = BodyTooLarge()
    return ServiceError(told.status_code, _CODES[told.status_code], str(told.detail))


class JsonResponse(Response):
    """Compact JSON without the checks of Starlette's own class."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return `content` as UTF-8 JSON."""
        return to_json(content)


def error_response(error: ServiceError) -> JsonResponse:
    """Return the answer that `error` is."""
    return JsonResponse(error.body(), status_code=error.status, headers=error.headers)


def details_of(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Return pydantic's errors as `[{field, message}]`; the body itself is the field `body`."""
    return [
        {
            "field": ".".join(str(part) for part in error["loc"] if part != "body") or "body",
            "message": str(error["msg"]),
        }
        for error in errors
    ]


async def read_body(request: Request, model: type[ModelT]) -> ModelT:
    """Return the request's JSON body as `model`.

    Errors: 400 `malformed_json`, 422 `invalid_request`. Cheaper than a FastAPI body parameter,
    which the hot path cannot afford; declare the schema with `openapi_extra`.
    """
    return command_of(await request.body(), model)


def command_of(body: bytes, model: type[ModelT]) -> ModelT:
    """Return a JSON body as `model`, with the errors of `read_body`."""
    try:
        return model.model_validate_json(body)
    except ValidationError as found:
        errors = found.errors(include_url=False, include_context=False, include_input=False)
        raise _body_error(errors) from None


def _body_error(errors: Sequence[Any]) -> ServiceError:
    for error in errors:
        if error["type"] == "json_invalid":
            sentence = f"The body is not JSON: {error['msg']}."
            return ServiceError(400, "malformed_json", sentence)
    return InvalidRequest(details_of(errors))


async def _on_service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return error_response(error)


async def _on_validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_response(_body_error(error.errors()))


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "http_error")
    sentence = str(error.detail)
    return error_response(ServiceError(error.status_code, code, sentence, headers=error.headers))


def unforeseen(method: str, path: str, error: Exception) -> JsonResponse:
    """Record what nobody foresaw and return an answer that promises nothing."""
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(f"{method} {path} failed unforeseen\n{trace}")
    sentence = "Something unforeseen happened; whether the request had an effect is not known."
    return error_response(ServiceError(500, "internal_error", sentence, definite=False))


class Outermost:
    """ASGI middleware around an app: bodies over 64 KiB are 413, stray exceptions 500.

    Starlette's own 500 handler raises the exception again after answering, so that the server
    prints it once more; this one answers and is done. Once an answer has begun it re-raises: the
    connection must break off rather than end as if the answer were whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        if _declared_length(scope) > BODY_LIMIT_BYTES:
            response = await _on_http_exception(Request(scope), BodyTooLarge())
            await response(scope, receive, send)
            return
        try:
            await self._app(scope, _limited(receive), watch)
        except Exception as error:
            if started:
                raise
            response = unforeseen(scope["method"], scope["path"], error)
            await response(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT_BYTES:
            raise BodyTooLarge
        return message

    return limited


def install_error_handlers(app: Starlette) -> None:
    """Make every failure of `app` (FastAPI or Starlette) answer in the house form."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(Outermost)
