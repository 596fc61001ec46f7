"""One POST in the order Stripe gives it: look-up, validation, reservation, execution.

`begin` and `finish` are store functions: they never await, and the database commits each as one
unit. Without a `slow_execution` in the way a request is a single `begin`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from . import (
    charging,
    commands,
    controls,
    endpoint_commands,
    idempotency,
    reading,
    refunding,
    store,
)
from .cards import Outcome
from .commands import (
    CancelIntent,
    CancelRefund,
    CaptureIntent,
    Command,
    ConfirmIntent,
    CreateIntent,
    CreatePaymentMethod,
    CreateRefund,
    UpdateIntent,
)
from .controls import Controls, Fault, Target
from .endpoint_commands import CreateEndpoint, DeleteEndpoint, UpdateEndpoint
from .errors import KeyInUse, KeyReused, Refused, ServerFailed, TooManyRequests
from .forms import Form
from .idempotency import Claim
from .intents import Intent
from .routes import Endpoint
from .settings import GatewaySettings
from .work import Answer, Facts, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A POST as it arrived."""

    endpoint: Endpoint
    path: str
    object_id: str
    form: Form
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The key is reserved; execute after `ms`."""

    ms: int
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An answer, durable once the transaction is; then held `delay_ms`, or never sent."""

    answer: Answer
    replay_of: str | None = None
    saved: bool = False
    rate_limit_reason: str | None = None
    delay_ms: int = 0
    drop: bool = False


class Executor:
    """What executing needs besides the transaction: this life's name, controls, settings."""

    def __init__(self, *, boot: str, controls: Controls, settings: GatewaySettings) -> None:
        self._boot = boot
        self._controls = controls
        self._settings = settings

    def refuse(self, work: Work, target: Target) -> Done | None:
        """Answer 429 or 503 ahead of everything else if a control says so."""
        fault = self._controls.fire(work.sql, "refuse", target)
        if fault is None:
            return None
        _use(work, fault, target)
        problem = _refusal(fault.name)
        reason = problem.reason if isinstance(problem, TooManyRequests) else None
        return Done(answer=_told(work, problem), rate_limit_reason=reason)

    def begin(self, work: Work, post: Post) -> Done | Held:
        """Take a POST as far as it goes without waiting."""
        target = self._target(work, post)
        if self._controls and (refused := self.refuse(work, target)) is not None:
            return refused
        claim = self._claim(work, post)
        try:
            if claim is not None and (saved := idempotency.look_up(work.sql, claim)) is not None:
                return _replay(work, saved)
            post.form.allow(post.endpoint.accepts)
            assert post.endpoint.read is not None
            command = post.endpoint.read(post.form, post.object_id)
        except (KeyInUse, KeyReused) as problem:
            assert claim is not None
            order_id, intent = idempotency.owner(work.sql, claim.key)
            label = problem.code or problem.type
            work.note("conflicted", order_id=order_id, payment_intent=intent, label=label)
            return Done(answer=_told(work, problem))
        except Refused as problem:
            self._note_refused(work, post, problem)
            return Done(answer=_told(work, problem))
        held = self._controls.fire(work.sql, "hold", target) if self._controls else None
        if held is None:
            return self.finish(work, post, command)
        _use(work, held, target)
        if claim is not None:
            idempotency.reserve(
                work.sql, claim, order_id=target.order_id, payment_intent=_intent_of(command)
            )
        return Held(ms=held.parameters["ms"], command=command)

    def finish(self, work: Work, post: Post, command: Command) -> Done:
        """Execute, save the answer under the key, and say what becomes of it."""
        target = self._target(work, post)
        fault = self._controls.fire(work.sql, "result", target) if self._controls else None
        answer = self._execute(work, post, command, target, fault)
        claim = self._claim(work, post)
        if claim is not None:
            idempotency.save(
                work.sql,
                claim,
                order_id=answer.order_id,
                payment_intent=answer.payment_intent,
                status=answer.status,
                body=answer.body,
            )
        done = Done(answer=answer, saved=claim is not None)
        after = self._controls.fire(work.sql, "answer", target) if self._controls else None
        if after is None:
            return done
        _use(work, after, target)
        if after.name == "drop_after_commit":
            return replace(done, drop=True)
        return replace(done, delay_ms=after.parameters["ms"])

    def _execute(
        self, work: Work, post: Post, command: Command, target: Target, fault: Fault | None
    ) -> Answer:
        if fault is not None and fault.name == "error_500_no_effect":
            _use(work, fault, target)
            return _failed(work, target.order_id, _intent_of(command))
        if fault is not None and "charge" in target.operations:
            work.visible_ms = work.now_ms + fault.parameters.get("reveal_after_ms", 0)
            work.back = fault.name == "error_500_then_back"
        answer = self._attempt(work, post, command, target)
        if fault is None or answer.status not in {200, 402}:
            return answer  # nothing was done, so there is no effect to be silent about
        _use(work, fault, target)
        return _failed(work, answer.order_id, answer.payment_intent)

    def _attempt(self, work: Work, post: Post, command: Command, target: Target) -> Answer:
        """Run the command; a refusal takes back its writes and is an answer to be saved."""
        written = len(work.rows)
        work.sql.execute("SAVEPOINT attempt")
        try:
            answer = self._run(work, command, target)
            expanded = reading.expand(
                work.sql, answer.body, post.form.names("expand"), now_ms=work.now_ms
            )
            return answer if expanded is answer.body else replace(answer, body=expanded)
        except Refused as problem:
            work.sql.execute("ROLLBACK TO attempt")
            del work.rows[written:]
            order_id, payment_intent = self._note_refused(work, post, problem)
            told = _told(work, problem)
            return replace(told, order_id=order_id, payment_intent=payment_intent)
        finally:
            work.sql.execute("RELEASE attempt")

    def _run(  # noqa: C901, PLR0911 - one per command
        self, work: Work, command: Command, target: Target
    ) -> Answer:
        match command:
            case CreateIntent():
                return charging.create(work, command)
            case UpdateIntent():
                return charging.update(work, command)
            case ConfirmIntent():
                return charging.confirm(work, command)
            case CaptureIntent():
                return charging.capture(work, command)
            case CancelIntent():
                return charging.cancel(work, command)
            case CreateRefund():
                return self._refund(work, command, target)
            case CancelRefund():
                return refunding.cancel(work, command)
            case CreatePaymentMethod(card=card, metadata=metadata):
                kept = charging.keep_card(work, commands.resolve(card), metadata=dict(metadata))
                return Answer(status=200, body=store.encode(kept))
            case CreateEndpoint():
                return endpoint_commands.create(work, command)
            case UpdateEndpoint():
                return endpoint_commands.update(work, command)
            case DeleteEndpoint():
                return endpoint_commands.delete(work, command)
            case _:
                assert_never(command)

    def _refund(self, work: Work, command: CreateRefund, target: Target) -> Answer:
        """Make a refund, with the change to come that a control or the card brings."""
        fault = self._controls.fire(work.sql, "refund", target) if self._controls else None
        later: Mapping[refunding.Later, int] = {}
        if fault is not None:
            _use(work, fault, target)
            outcome: refunding.Later = "succeeded" if fault.name == "refund_pending" else "failed"
            later = {outcome: fault.parameters["ms"]}
        else:
            soon = int(self._settings.scaled(self._settings.refund_settles_ms))
            match refunding.card_outcome(work, command):
                case Outcome.REFUNDS_LATE:
                    later = {"succeeded": soon}
                case Outcome.REFUND_FAILS:
                    later = {"failed": soon}
                case _:
                    pass
        return refunding.create(work, command, later=later)

    def _claim(self, work: Work, post: Post) -> Claim | None:
        if post.facts.key is None:
            return None
        return Claim(
            key=post.facts.key,
            endpoint=post.path,
            digest=post.form.digest,
            boot=self._boot,
            request_id=post.facts.request_id or "",
            now_ms=work.now_ms,
        )

    def _target(self, work: Work, post: Post) -> Target:
        """Say what the request does and to whom; looked up only where a control may ask."""
        if not self._controls:
            return _NOBODY
        operations = set(post.endpoint.operations)
        if "create" in operations and post.form.values.get("confirm") == "true":
            operations.add("charge")
        metadata = post.form.values.get("metadata")
        if "create" not in operations:
            subject = self._subject(work, post)
            metadata = subject.metadata if subject else None
        known = metadata if isinstance(metadata, Mapping) else {}
        order_id, user = known.get("order_id"), known.get("user_id")
        return Target(
            operations=frozenset(operations),
            order_id=order_id if isinstance(order_id, str) else None,
            user=user if isinstance(user, str) else None,
        )

    def _note_refused(
        self, work: Work, post: Post, problem: Refused
    ) -> tuple[str | None, str | None]:
        """Journal a refusal and return the order and intent it was about, as far as known."""
        label = problem.code or problem.param or problem.type
        if (subject := self._subject(work, post)) is not None:
            work.journal("refused", subject, label=label)
            return subject.order_id, subject.id
        metadata = post.form.values.get("metadata")
        named = metadata.get("order_id") if isinstance(metadata, Mapping) else None
        order_id = named if isinstance(named, str) else None
        work.note("refused", order_id=order_id, label=label)
        return order_id, None

    def _subject(self, work: Work, post: Post) -> Intent | None:
        """Return the intent a request is about, if there is one."""
        return reading.subject(
            work.sql,
            post.object_id,
            post.form.values.get("payment_intent"),
            post.form.values.get("charge"),
        )


_NOBODY = Target(operations=frozenset())


def _use(work: Work, fault: Fault, target: Target) -> None:
    controls.use(work.sql, fault)
    work.note("fault_used", order_id=target.order_id, label=fault.label)


def _replay(work: Work, saved: idempotency.Saved) -> Done:
    work.note("replayed", order_id=saved.order_id, payment_intent=saved.payment_intent)
    answer = Answer(
        status=saved.status,
        body=saved.body,
        order_id=saved.order_id,
        payment_intent=saved.payment_intent,
    )
    return Done(answer=answer, replay_of=saved.request_id, saved=True)


def _refusal(name: str) -> Refused:
    match name:
        case "rate_limited":
            return TooManyRequests(
                "Request rate limit exceeded. You can learn more about rate limits here "
                "https://stripe.com/docs/rate-limits.",
                code="rate_limit",
                reason="global-rate",
            )
        case "lock_timeout":
            return TooManyRequests(
                "This object cannot be accessed right now because another API request or Stripe "
                "process is currently accessing it.",
                code="lock_timeout",
                reason=None,
            )
        case _:
            return ServerFailed("Stripe is temporarily unavailable.", status=503)


def _told(work: Work, problem: Refused) -> Answer:
    body = store.encode(problem.envelope(work.facts.request_id or ""))
    return Answer(status=problem.status, body=body)


def _failed(work: Work, order_id: str | None, payment_intent: str | None) -> Answer:
    problem = ServerFailed("An unknown error occurred", status=500)
    return replace(_told(work, problem), order_id=order_id, payment_intent=payment_intent)


def _intent_of(command: Command) -> str | None:
    match command:
        case UpdateIntent() | ConfirmIntent() | CaptureIntent() | CancelIntent():
            return command.intent
        case CreateRefund():
            return command.payment_intent
        case _:
            return None
