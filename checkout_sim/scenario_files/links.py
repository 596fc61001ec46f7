"""`toxiproxy.json`, the map of links: read, and refused where Toxiproxy would shrug.

The Go server merely logs a bad file and starts without proxies (observed, 2.12), so every key and
address is checked here first, with line and column. JSON is read as the YAML it is.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checkout_sim.model.errors import ScenarioInvalid
from checkout_sim.scenario_files.names import suggestion
from checkout_sim.scenario_files.parse import Document, Trail, read_document
from checkout_sim.scenario_files.problems import Finding, problems_of
from checkout_sim.scenario_files.units import shown

_KEYS = ("name", "listen", "upstream", "enabled")
_REQUIRED = ("name", "listen", "upstream")
_HIGHEST_PORT = 65_535


def link_names(path: Path) -> tuple[str, ...]:
    """Return the names of the links, in order; raise ScenarioInvalid with all that is wrong."""
    document = read_document(path)
    problems = problems_of(_findings(document), document)
    if problems:
        raise ScenarioInvalid(problems)
    return tuple(entry["name"] for entry in document.data)


def _findings(document: Document) -> Iterator[Finding]:
    if not isinstance(document.data, list) or not document.data:
        yield Finding(trail=(), message="expected a list of proxies, as in Toxiproxy's -config")
        return
    owners: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(document.data):
        if not isinstance(entry, Mapping):
            yield Finding(trail=(index,), message=f"{shown(entry)} is not a mapping")
            continue
        yield from _entry(entry, index)
        for key in ("name", "listen"):
            first = owners.setdefault((key, str(entry.get(key))), index)
            if first != index:
                told = f"{shown(entry.get(key))} is already proxy [{first}]'s"
                yield Finding(trail=(index, key), message=told)


def _entry(entry: Mapping[str, Any], index: int) -> Iterator[Finding]:
    for key in entry:
        if key == "toxics":
            told = "Toxiproxy ignores toxics here; write them as faults of a scenario"
            yield Finding(trail=(index, key), message=told, at_key=True)
        elif key not in _KEYS:
            told = f"unknown key{suggestion(key, _KEYS)}"
            yield Finding(trail=(index, key), message=told, at_key=True)
    for key in _REQUIRED:
        if key not in entry:
            yield Finding(trail=(index,), message=f'"{key}" is required and missing')
    if "enabled" in entry and not isinstance(entry["enabled"], bool):
        yield Finding(
            trail=(index, "enabled"), message=f"{shown(entry['enabled'])} is not true or false"
        )
    if "name" in entry and not _is_name(entry["name"]):
        told = f"{shown(entry['name'])} may hold only a-z, 0-9 and _"
        yield Finding(trail=(index, "name"), message=told)
    for key in ("listen", "upstream"):
        if key in entry:
            yield from _address(entry[key], (index, key))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.replace("_", "").isalnum() and name == name.lower()


def _address(value: object, trail: Trail) -> Iterator[Finding]:
    host, _, port = str(value).rpartition(":")
    if not isinstance(value, str) or not host or not port.isdigit() or int(port) > _HIGHEST_PORT:
        yield Finding(
            trail=trail, message=f'{shown(value)} is not an address like "127.0.0.1:3001"'
        )
    elif trail[-1] == "listen" and host not in {"127.0.0.1", "localhost"}:
        told = f'{shown(value)} listens beyond this machine; write "127.0.0.1:{port}"'
        yield Finding(trail=trail, message=told)
