"""From the shape of a file, found sound by the rules, to the model's `Scenario`.

Pure rewriting: defaults filled in, names of toxics formed, durations already milliseconds. Nothing
is checked here and nothing drawn.
"""

from collections.abc import Mapping
from typing import Any, assert_never, cast

from checkout_sim.model.fault import (
    BrokerFault,
    FaultKind,
    GatewayFault,
    LinkFault,
    PlacedToxic,
    ProcessFault,
    ProcessName,
    Stream,
)
from checkout_sim.model.scenario import (
    AfterInjected,
    AtCalm,
    Behaviour,
    CancelAt,
    Drawn,
    Expectation,
    FaultRule,
    Line,
    Load,
    Moment,
    PostOnce,
    Retry,
    Scenario,
    Settle,
    ShopperRule,
    StackSpec,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.model.wire import CONTROLS
from checkout_sim.scenario_files.parse import Document
from checkout_sim.scenario_files.rules import checkouts_of, judged, numbers
from checkout_sim.scenario_files.rules_faults import WRITTEN_PARAMETERS, Fault
from checkout_sim.scenario_files.settings import setting_of
from checkout_sim.scenario_files.shape import (
    DoShape,
    ExpectationShape,
    LineShape,
    ScenarioShape,
    StackShape,
)
from checkout_sim.scenario_files.shape_faults import (
    BrokerShape,
    ControlFault,
    DeedShape,
    DownFault,
    DuplicateFault,
    KillFault,
    LinkShape,
    PauseFault,
    PublishFault,
    RestartFault,
    ReverseFault,
    ToxicShape,
    WindowShape,
)
from checkout_sim.scenario_files.shape_moments import moment_of


def scenario_of(shape: ScenarioShape, document: Document) -> Scenario:
    """Return the model's scenario of a file that broke no rule."""
    return Scenario(
        name=shape.name,
        why=shape.why,
        path=document.path,
        digest=document.digest,
        tags=tuple(shape.tags),
        seed=shape.seed,
        stack=_stack(shape.stack),
        load=_load(shape),
        shoppers=_shoppers(shape),
        faults=tuple(_fault(fault) for fault in shape.faults),
        settle=Settle(
            within_ms=shape.settle.within,
            quiet_for_ms=shape.settle.quiet_for,
            stalled_for_ms=shape.settle.stalled_for,
            proof_checkouts=shape.settle.proof_checkouts,
        ),
        invariants=judged(shape.judge),
        expect={name: _expectation(given) for name, given in shape.expect.items()},
    )


def _stack(shape: StackShape) -> StackSpec:
    return StackSpec(
        database="postgres" if shape.database == "postgres" else "sqlite",
        time_scale=shape.time_scale,
        webhooks=shape.webhooks,
        replicas=dict(shape.replicas),
        settings={
            service: dict(
                setting_of(service, written, raw, time_scale=shape.time_scale)
                for written, raw in given.items()
            )
            for service, given in shape.settings.items()
        },
    )


def _load(shape: ScenarioShape) -> Load:
    load, usual = shape.load, Load()
    open_loop = load.rate is not None or load.at is not None
    return Load(
        checkouts=checkouts_of(shape),
        concurrency=None if open_loop else load.concurrency or 1,
        rate_per_s=load.rate,
        at_ms=None if load.at is None else tuple(load.at),
        cart=usual.cart if load.cart is None else _cart(load.cart),
        cards=usual.cards if load.card is None else tuple(load.card),
    )


def _cart(lines: list[LineShape]) -> tuple[Line, ...]:
    return tuple(
        Line(product=line.product, quantity=line.quantity, price_minor=line.price) for line in lines
    )


def _shoppers(shape: ScenarioShape) -> tuple[ShopperRule, ...]:
    total = checkouts_of(shape)
    return tuple(
        ShopperRule(
            checkouts=tuple(sorted(set(numbers(shopper, total)))),
            card=shopper.card,
            cart=None if shopper.cart is None else _cart(shopper.cart),
            patience_ms=shopper.patience,
            behaviour=PostOnce() if shopper.do is None else _behaviour(shopper.do),
        )
        for shopper in shape.shoppers
    )


def _behaviour(do: DoShape) -> Behaviour:
    if do.retry is not None:
        return Retry(times=do.retry.times, wait_ms=do.retry.wait, key=do.retry.key)
    if do.submit_twice is not None:
        twice = do.submit_twice
        return SubmitTwice(gap_ms=twice.gap, key=twice.key, card=twice.card)
    if do.walk_away is not None:
        return WalkAway(after_ms=do.walk_away.after)
    assert do.cancel is not None, "the shape admits exactly one of four"
    return CancelAt(at=moment_of(do.cancel.at))


def _fault(shape: Fault) -> FaultRule:
    kind, drawn = _kind(shape)
    return FaultRule(
        name=shape.name,
        kind=kind,
        begin=moment_of(shape.begin if isinstance(shape, WindowShape) else shape.at),
        end=_end(shape),
        drawn=drawn,
        every_ms=shape.every,
        chance=shape.chance,
        ahead_of=shape.ahead_of,
        optional=shape.optional,
        note=shape.note,
    )


def _end(shape: Fault) -> Moment:
    match shape:
        case PauseFault():
            return AfterInjected(ms=shape.lasting)
        case KillFault() if isinstance(shape.restart, int):
            return AfterInjected(ms=shape.restart)  # a duration here counts from the kill
        case KillFault():
            return moment_of(shape.restart)
        case RestartFault() | PublishFault() | DuplicateFault() | ReverseFault():
            return AtCalm()
        case _ if shape.lasting is not None:
            return AfterInjected(ms=shape.lasting)
        case _:
            return AtCalm() if shape.until is None else moment_of(shape.until)


def _kind(shape: Fault) -> tuple[FaultKind, Mapping[str, Drawn]]:
    if isinstance(shape, ControlFault):
        return _control(shape)
    if isinstance(shape, BrokerShape):
        return _meddling(shape), {}
    if isinstance(shape, DeedShape):
        names = cast("list[ProcessName]", shape.process)  # the rules admit no other names
        return ProcessFault(processes=tuple(names), do=shape.do, instance=shape.instance), {}
    return _link(shape)


def _meddling(shape: BrokerShape) -> BrokerFault:
    if isinstance(shape, PublishFault):
        return BrokerFault(
            do=shape.broker,
            queue=shape.queue,
            topic=shape.topic,
            body=shape.body,
            checkout=shape.checkout,
        )
    return BrokerFault(do=shape.broker, queue=shape.queue, count=shape.count)


def _link(shape: LinkShape) -> tuple[FaultKind, Mapping[str, Drawn]]:
    links = tuple(shape.link)
    if isinstance(shape, DownFault):
        return LinkFault(links=links, down=True, lift=shape.lift), {}
    attributes, drawn = _attributes(shape)
    streams: tuple[Stream, ...] = (
        ("upstream", "downstream") if shape.stream == "both" else (shape.stream,)
    )
    toxics = tuple(
        # Names are unique per proxy over both streams (Toxiproxy answers 409 otherwise).
        PlacedToxic(
            name=f"{shape.name}_{stream}", type=shape.toxic, stream=stream, attributes=attributes
        )
        for stream in streams
    )
    return LinkFault(links=links, toxics=toxics, bounce=shape.bounce, lift=shape.lift), drawn


def _attributes(shape: ToxicShape) -> tuple[dict[str, int], dict[str, Drawn]]:
    """Return every attribute as a figure (the lower end where one is drawn) and the drawn ones."""
    given: dict[str, int | Drawn] = dict(shape.attributes)
    return _split(given)


def _control(shape: ControlFault) -> tuple[FaultKind, Mapping[str, Drawn]]:
    given: dict[str, Any] = {
        parameter: getattr(shape, written)
        for written, parameter in WRITTEN_PARAMETERS.items()
        if getattr(shape, written) is not None
    }
    parameters, drawn = _split(given)
    only = CONTROLS[shape.gateway].operations
    kind = GatewayFault(
        control=shape.gateway,
        operation=shape.operation or (cast("Any", only[0]) if len(only) == 1 else None),
        checkout=shape.checkout,
        nth=shape.nth,
        times=shape.times,
        parameters=parameters,
    )
    return kind, drawn


def _split(given: Mapping[str, int | Drawn]) -> tuple[dict[str, int], dict[str, Drawn]]:
    figures: dict[str, int] = {}
    drawn: dict[str, Drawn] = {}
    for name, value in given.items():
        match value:
            case Drawn():
                figures[name], drawn[name] = value.low_ms, value
            case int():
                figures[name] = value
            case _:
                assert_never(value)
    return figures, drawn


def _expectation(given: str | ExpectationShape) -> Expectation:
    if isinstance(given, str):
        return Expectation(verdict="valid")
    return Expectation(
        verdict=given.verdict,
        trips=tuple(given.trips),
        may_trip=tuple(given.may_trip),
        confirmed=given.confirmed,
        sees=tuple(given.sees),
    )
