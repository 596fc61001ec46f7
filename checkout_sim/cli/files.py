"""The files a command leaves for other programs: JSON, JUnit, Markdown, and what GitHub reads.

Takes runs, writes each file whole or not at all. A disk that refuses one must not hide the
verdicts: it is told, and the exit code is 70.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.cli.exits import Exit, worst
from checkout_sim.cli.streams import complain, tell
from checkout_sim.model.run import Engine, Run
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.phrases import Targets

STDOUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where reports are to go; None for those nobody asked for."""

    json: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None

    @property
    def takes_stdout(self) -> bool:
        """Return whether standard output is a file's, so that people read standard error."""
        return STDOUT in {self.json, self.junit, self.markdown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What the files tell: the runs that ended, those that did not, and through what."""

    runs: Sequence[Run]
    missing: Sequence[NotRun] = ()
    engine: Engine | None = None
    complete: bool = True
    targets: Targets | None = None


def write_files(
    files: Files, reported: Reported, *, environment: Mapping[str, str] = os.environ
) -> Exit:
    """Write every file asked for, and tell GitHub where it listens; return 70 if one failed."""
    codes = [_write(path, text) for path, text in _wanted(files, reported)]
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary and files.markdown is None:
        codes.append(_append(Path(summary), _markdown(reported)))
    if environment.get("GITHUB_ACTIONS") == "true":
        _annotate(reported, say=complain if files.takes_stdout else tell)
    return worst(codes)


def _wanted(files: Files, reported: Reported) -> Iterator[tuple[Path, str]]:
    # Each report is imported for those who want it: JUnit alone costs 30 ms.
    if files.json is not None:
        from checkout_sim.reports.summary import report  # noqa: PLC0415 - see above

        whole = report(
            reported.runs,
            engine=reported.engine,
            complete=reported.complete,
            targets=reported.targets,
        )
        yield files.json, json.dumps(whole, indent=2) + "\n"
    if files.junit is not None:
        from checkout_sim.reports.junit import junit  # noqa: PLC0415 - see above

        xml = junit(reported.runs, missing=reported.missing, targets=reported.targets)
        yield files.junit, xml.decode()
    if files.markdown is not None:
        yield files.markdown, _markdown(reported)


def _markdown(reported: Reported) -> str:
    from checkout_sim.reports.markdown import markdown  # noqa: PLC0415 - as above

    return markdown(reported.runs, missing=reported.missing, targets=reported.targets)


def _annotate(reported: Reported, *, say: Callable[[str], None]) -> None:
    from checkout_sim.reports.annotations import annotations  # noqa: PLC0415 - as above

    texts: dict[str, str] = {}
    for path in {run.scenario_path for run in reported.runs}:
        with suppress(OSError, UnicodeDecodeError):
            texts[path] = Path(path).read_text(encoding="utf-8")
    for line in annotations(
        reported.runs, missing=reported.missing, texts=texts, targets=reported.targets
    ):
        say(line)


def _write(path: Path, text: str) -> Exit:
    if path == STDOUT:
        tell(text.removesuffix("\n"))
        return Exit.AS_EXPECTED
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        return _refused(path, error)
    return Exit.AS_EXPECTED


def _append(path: Path, text: str) -> Exit:
    """Add to a file that is not ours alone: every step of a job may."""
    try:
        with path.open("a", encoding="utf-8") as summary:
            summary.write(text)
    except OSError as error:
        return _refused(path, error)
    return Exit.AS_EXPECTED


def _refused(path: Path, error: OSError) -> Exit:
    complain(f"checkout-sim: {path}: the report cannot be written: {error.strerror}")
    return Exit.INTERNAL
