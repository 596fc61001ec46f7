"""Webhook endpoints as /v1 makes, changes and forgets them: parameters in, rows out.

Shapes and rules: docs.stripe.com/api/webhook_endpoints. A secret is told once, when it is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from . import endpoints
from .controls import EVENT_TYPES
from .endpoints import ALL
from .errors import InvalidRequest, JsonObject, missing_parameter
from .forms import Form
from .store import encode
from .work import Answer, Work

_URL_LIMIT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpoint:
    """Register a receiver."""

    url: str
    enabled_events: tuple[str, ...]
    api_version: str | None
    description: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEndpoint:
    """Change a receiver; None leaves a thing as it is."""

    endpoint: str
    url: str | None
    enabled_events: tuple[str, ...] | None
    disabled: bool | None
    description: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEndpoint:
    """Forget a receiver; what is still due to it is never sent."""

    endpoint: str


def create_endpoint(form: Form, _: str) -> CreateEndpoint:
    """Read the parameters of `POST /v1/webhook_endpoints`."""
    url = _url(form)
    if url is None:
        raise missing_parameter("url")
    events = _events(form)
    if events is None:
        raise missing_parameter("enabled_events")
    return CreateEndpoint(
        url=url,
        enabled_events=events,
        api_version=form.text("api_version"),
        description=form.text("description"),
        metadata=form.metadata(),
    )


def update_endpoint(form: Form, endpoint: str) -> UpdateEndpoint:
    """Read the parameters of `POST /v1/webhook_endpoints/{id}`."""
    return UpdateEndpoint(
        endpoint=endpoint,
        url=_url(form),
        enabled_events=_events(form),
        disabled=form.boolean("disabled") if "disabled" in form.values else None,
        description=form.text("description"),
        metadata=form.metadata(),
    )


def delete_endpoint(_: Form, endpoint: str) -> DeleteEndpoint:
    """Read `DELETE /v1/webhook_endpoints/{id}`: there are no parameters."""
    return DeleteEndpoint(endpoint=endpoint)


def _url(form: Form) -> str | None:
    url = form.text("url", limit=_URL_LIMIT)
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidRequest(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
    return url


def _events(form: Form) -> tuple[str, ...] | None:
    if "enabled_events" not in form.values:
        return None
    events = form.names("enabled_events")
    unknown = [kind for kind in events if kind != ALL and kind not in EVENT_TYPES]
    if unknown or not events:
        raise InvalidRequest(
            f"Invalid enabled_events: {', '.join(unknown) or 'none'}; this gateway sends "
            f"{', '.join(EVENT_TYPES)}, or * for all.",
            param="enabled_events",
        )
    return events


def create(work: Work, command: CreateEndpoint) -> Answer:
    """Register a receiver; its secret is told this once."""
    secret = work.ids.new("whsec")
    document = endpoints.document_of(
        work.ids.new("we"),
        url=command.url,
        enabled_events=command.enabled_events,
        created=work.now,
        api_version=command.api_version,
        description=command.description,
        metadata={key: value for key, value in command.metadata.items() if value},
    )
    endpoints.insert(work.sql, document, secret=secret, now_ms=work.now_ms)
    return Answer(status=200, body=encode(document | {"secret": secret}))


def update(work: Work, command: UpdateEndpoint) -> Answer:
    """Change a receiver."""
    document = endpoints.found(work.sql, command.endpoint)
    metadata = {**document["metadata"], **command.metadata}
    told: JsonObject = {"metadata": {key: value for key, value in metadata.items() if value}}
    if command.url is not None:
        told["url"] = command.url
    if command.enabled_events is not None:
        told["enabled_events"] = list(command.enabled_events)
    if command.disabled is not None:
        told["status"] = "disabled" if command.disabled else "enabled"
    if command.description is not None:
        told["description"] = command.description
    document |= told
    work.sql.execute(
        "UPDATE webhook_endpoints SET document = ? WHERE id = ?",
        (encode(document), command.endpoint),
    )
    return Answer(status=200, body=encode(document))


def delete(work: Work, command: DeleteEndpoint) -> Answer:
    """Forget a receiver."""
    endpoints.found(work.sql, command.endpoint)
    work.sql.execute("DELETE FROM webhook_endpoints WHERE id = ?", (command.endpoint,))
    gone = {"id": command.endpoint, "object": "webhook_endpoint", "deleted": True}
    return Answer(status=200, body=encode(gone))
