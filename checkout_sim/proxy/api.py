"""Toxiproxy's HTTP API: which request does what, and what is answered, to the letter of 2.12.0.

Source: `api.go` and `toxic_collection.go` of Shopify/toxiproxy, tried against a build of it.
Success answers JSON; an error is `{"error":…,"status":…}` sent as text, except from /populate.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from random import Random
from typing import Any

from checkout_sim.proxy import go_json
from checkout_sim.proxy.addresses import AddressError
from checkout_sim.proxy.chain import Toxic
from checkout_sim.proxy.go_json import BadJsonError
from checkout_sim.proxy.http_server import Request, Response
from checkout_sim.proxy.proxies import Proxy, shown
from checkout_sim.proxy.toxics import KINDS

VERSION = "2.12.0"
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
JSON = {"Content-Type": "application/json"}
NAMED_PARTS = (1, 3)  # of a path: the proxy's name, the toxic's name
_POPULATED = 'struct { toxiproxy.Proxy; Enabled *bool "json:\\"enabled\\"" }'
_PATCHED = (
    'struct { Attributes interface {} "json:\\"attributes\\""; '
    'Toxicity float32 "json:\\"toxicity\\"" }'
)


class ApiError(Exception):
    """A request refused: the message and the HTTP status to answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def shown(self) -> dict[str, Any]:
        """Give the body."""
        return {"error": self.message, "status": self.status}


def bad_body(detail: str) -> ApiError:
    """Say what is wrong with a body."""
    return ApiError(f"bad request body: {detail}", 400)


def no_slash(name: str) -> str:
    """Refuse a name that could never be addressed again."""
    if "/" in name:
        raise bad_body(f"name {name!r} has a slash, so it could not be addressed")
    return name


class Api:
    """The proxies by name, and the handler of requests about them."""

    def __init__(self, *, chance: Random, say: Callable[[dict[str, Any]], None]) -> None:
        self._proxies: dict[str, Proxy] = {}
        self._chance = chance
        self._say = say
        self._changing = asyncio.Lock()  # changes are made one at a time; none waits for data
        update, change = self._update, self._change_toxic
        self._routes: dict[str, dict[str, Action]] = {
            "version": {"GET": self._version},
            "reset": {"POST": self._reset},
            "populate": {"POST": self._populate},
            "proxies": {"GET": self._index, "POST": self._create},
            "proxies/*": {
                "GET": self._show,
                "POST": update,
                "PATCH": update,
                "DELETE": self._delete,
            },
            "proxies/*/toxics": {"GET": self._toxics, "POST": self._add_toxic},
            "proxies/*/toxics/*": {
                "GET": self._show_toxic,
                "POST": change,
                "PATCH": change,
                "DELETE": self._remove_toxic,
            },
        }

    async def handle(self, request: Request) -> Response:
        """Answer a request; no error escapes."""
        verbs, names = self._route(request.path)
        if not verbs:
            response = Response(status=404, body=b"404 page not found\n", headers=PLAIN)
        elif request.method not in verbs:
            response = Response(status=405)
        else:
            response = await self._routed(verbs[request.method], request, names)
            response.headers["X-Toxiproxy-Request-Id"] = os.urandom(10).hex()
        return Response(
            status=response.status,
            body=response.body,
            headers={**response.headers, "X-Checkout-Sim-Proxy": VERSION},
        )

    def _route(self, path: str) -> "tuple[dict[str, Action], list[str]]":
        slash, *parts = path.split("/")
        shape = "/".join("*" if place in NAMED_PARTS else part for place, part in enumerate(parts))
        names = [part for place, part in enumerate(parts) if place in NAMED_PARTS]
        return (self._routes.get(shape, {}) if not slash and all(names) else {}), names

    async def _routed(self, action: "Action", request: Request, names: list[str]) -> Response:
        if request.headers.get("user-agent", "").startswith("Mozilla/"):
            return Response(status=403, body=b"User agent not allowed\n", headers=dict(PLAIN))
        try:
            async with self._changing:
                return await action(request.body, *names)
        except ApiError as error:
            return _error(error)
        except BadJsonError as error:
            return _error(bad_body(str(error)))
        except (AddressError, OSError) as error:
            return _error(ApiError(str(error), 500))

    # -- the server

    async def _version(self, _: bytes) -> Response:
        body = f'{{"version": "{VERSION}"}}\n'.encode()
        headers = {"Content-Type": "application/json;charset=utf-8"}
        return Response(status=200, body=body, headers=headers)

    async def _reset(self, _: bytes) -> Response:
        for proxy in list(self._proxies.values()):
            await proxy.start()
            proxy.remove_all()
        return Response(status=204)

    async def populate_from(self, config: bytes) -> str:
        """Create the proxies of a config file's content; give what happened, as a sentence."""
        response = await self._populate(config)
        answer = json.loads(response.body)
        if response.status != HTTPStatus.CREATED:
            return f"Failed to populate proxies from file: {answer['error']}"
        return f"Populated {len(answer['proxies'] or [])} proxies from file"

    async def _populate(self, body: bytes) -> Response:
        done: list[Proxy] = []
        failure: ApiError | None = None
        try:
            for wanted, enabled in self._read_many(body):
                done.append(await self._add_or_replace(wanted, enabled=enabled))
        except ApiError as error:
            failure = error
        except BadJsonError as error:
            failure = bad_body(str(error))
        except (AddressError, OSError) as error:
            failure = ApiError(str(error), 500)
        proxies = {"proxies": [proxy.shown() for proxy in done] or None}
        if failure is not None:
            return _json({**failure.shown(), **proxies}, status=failure.status)
        return _json(proxies, status=201)

    def _read_many(self, body: bytes) -> list[tuple[Proxy, bool]]:
        entries = go_json.read(body)
        if entries is not None and not isinstance(entries, list):
            raise go_json.mismatch(entries, f"Go value of type []{_POPULATED}")
        read: list[tuple[Proxy, bool]] = []
        for entry in entries or []:
            found = go_json.members(entry, go_type=_POPULATED)
            proxy = self._read_proxy(found, owner=".Proxy")
            read.append((proxy, go_json.flag(found, "enabled", default=True, owner="")))
        for position, (proxy, _) in enumerate(read, start=1):
            _require(proxy, suffix=f" at proxy {position}")
        return read

    async def _add_or_replace(self, wanted: Proxy, *, enabled: bool) -> Proxy:
        existing = self._proxies.get(wanted.name)
        if existing is not None:
            if not existing.differs(wanted.listen, wanted.upstream):
                return existing
            await existing.stop()
        if enabled:
            await wanted.start()
        self._proxies[wanted.name] = wanted
        return wanted

    # -- proxies

    async def _index(self, _: bytes) -> Response:
        return _json({name: proxy.shown() for name, proxy in sorted(self._proxies.items())})

    async def _create(self, body: bytes) -> Response:
        found = go_json.members(go_json.read(body), go_type="toxiproxy.Proxy")
        proxy = self._read_proxy(found, owner="Proxy")
        enabled = go_json.flag(found, "enabled", default=True, owner="Proxy")
        _require(proxy)
        if proxy.name in self._proxies:
            raise ApiError("proxy already exists", 409)
        if enabled:
            await proxy.start()
        self._proxies[proxy.name] = proxy
        return _json(proxy.shown(), status=201)

    def _read_proxy(self, found: dict[str, Any], *, owner: str) -> Proxy:
        return Proxy(
            no_slash(go_json.text(found, "name", "", owner=owner)),
            go_json.text(found, "listen", "", owner=owner),
            go_json.text(found, "upstream", "", owner=owner),
            chance=self._chance,
            on_hit=self._hit,
        )

    def _hit(self, proxy: Proxy, toxic: Toxic) -> None:
        self._say(
            {
                "message": "toxic_hit",
                "proxy": proxy.name,
                "toxic": toxic.name,
                "type": toxic.kind,
                "stream": toxic.stream,
            }
        )

    def _proxy(self, name: str) -> Proxy:
        proxy = self._proxies.get(name)
        if proxy is None:
            raise ApiError("proxy not found", 404)
        return proxy

    async def _show(self, _: bytes, name: str) -> Response:
        return _json(self._proxy(name).shown())

    async def _update(self, body: bytes, name: str) -> Response:
        proxy = self._proxy(name)
        found = go_json.members(go_json.read(body), go_type="toxiproxy.Proxy")
        await proxy.update(
            listen=go_json.text(found, "listen", proxy.listen, owner="Proxy"),
            upstream=go_json.text(found, "upstream", proxy.upstream, owner="Proxy"),
            enabled=go_json.flag(found, "enabled", default=proxy.enabled, owner="Proxy"),
        )
        return _json(proxy.shown())

    async def _delete(self, _: bytes, name: str) -> Response:
        await self._proxy(name).stop()
        del self._proxies[name]
        return Response(status=204)

    # -- toxics

    def _toxic(self, name: str, toxic_name: str) -> tuple[Proxy, Toxic]:
        proxy = self._proxy(name)
        toxic = proxy.toxic(toxic_name)
        if toxic is None:
            raise ApiError("toxic not found", 404)
        return proxy, toxic

    async def _toxics(self, _: bytes, name: str) -> Response:
        return _json([shown(toxic) for toxic in self._proxy(name).listed()])

    async def _show_toxic(self, _: bytes, name: str, toxic_name: str) -> Response:
        return _json(shown(self._toxic(name, toxic_name)[1]))

    async def _add_toxic(self, body: bytes, name: str) -> Response:
        proxy = self._proxy(name)
        toxic = _read_toxic(body, taken=lambda each: proxy.toxic(each) is not None)
        proxy.add(toxic)
        return _json(shown(toxic))

    async def _change_toxic(self, body: bytes, name: str, toxic_name: str) -> Response:
        proxy, toxic = self._toxic(name, toxic_name)
        found = go_json.members(go_json.read(body), go_type=_PATCHED)
        toxicity = go_json.float32(found, "toxicity", toxic.toxicity, owner="")
        attributes = _read_attributes(toxic.kind, found, toxic.attributes, patched=True)
        proxy.change(toxic, attributes=attributes, toxicity=toxicity)
        return _json(shown(toxic))

    async def _remove_toxic(self, _: bytes, name: str, toxic_name: str) -> Response:
        proxy, toxic = self._toxic(name, toxic_name)
        proxy.remove(toxic)
        return Response(status=204)


Action = Callable[..., Awaitable[Response]]


def _require(proxy: Proxy, *, suffix: str = "") -> None:
    for field in ("name", "upstream"):
        if not getattr(proxy, field):
            raise ApiError(f"missing required field: {field}{suffix}", 400)


def _read_toxic(body: bytes, *, taken: Callable[[str], bool]) -> Toxic:
    found = go_json.members(go_json.read(body), go_type="toxics.ToxicWrapper")
    owner = "ToxicWrapper"
    name = go_json.text(found, "name", "", owner=owner)
    kind = go_json.text(found, "type", "", owner=owner)
    stream = go_json.text(found, "stream", "downstream", owner=owner)
    toxicity = go_json.float32(found, "toxicity", 1.0, owner=owner)
    place = f"{owner}.attributes"
    go_json.members(found.get("attributes"), go_type="toxics.NoopToxic", field=place)
    if stream.lower() not in {"upstream", "downstream"}:
        raise ApiError("stream was invalid, can be either upstream or downstream", 400)
    if kind not in KINDS:
        raise ApiError("invalid toxic type", 400)
    name = no_slash(name or f"{kind}_{stream}")
    if taken(name):
        raise ApiError("toxic already exists", 409)
    attributes = _read_attributes(kind, found, {}, patched=False)
    return Toxic(name=name, kind=kind, stream=stream, toxicity=toxicity, attributes=attributes)


def _read_attributes(
    kind: str, found: dict[str, Any], present: dict[str, int], *, patched: bool
) -> dict[str, int]:
    go_name = "".join(word.capitalize() for word in kind.removesuffix("_peer").split("_")) + "Toxic"
    given = go_json.members(
        found.get("attributes"), go_type=f"toxics.{go_name}", field=".attributes" if patched else ""
    )
    go_type = "int" if kind == "slicer" else "int64"
    owner = f"{go_name}.attributes"
    attributes = {
        name: go_json.integer(given, name, present.get(name, 0), owner=owner, go_type=go_type)
        for name in KINDS[kind].attribute_names
    }
    refusal = KINDS[kind].refusal(attributes)
    if refusal is not None:
        raise bad_body(refusal)
    return attributes


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(status=status, body=go_json.write(value), headers=dict(JSON))


def _error(error: ApiError) -> Response:
    body = go_json.write(error.shown()) + b"\n"
    return Response(status=error.status, body=body, headers=dict(PLAIN))
