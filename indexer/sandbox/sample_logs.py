"""Sample logs: generated, yet the same on every machine; fewer rows are always the first ones of more rows.

Rows come in bursts that share a millisecond, as logs do. One burst is longer than the default page, so that paging by
time has to use tiebreakers. Only `random()` and `getrandbits()` are used: Python guarantees their sequence for a seed
(https://docs.python.org/3/library/random.html#notes-on-reproducibility), but not that of `choice`.
"""

import math
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from indexer.model.json import JsonObject

__all__ = ["KINDS", "ROWS", "SEED", "START", "RequestKind", "SampleRow", "sample_rows", "start_for"]


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request.

    Attributes:
        service: the service that handles it.
        method: its HTTP method; empty for batch work.
        path: the beginning of its path.
        messages: the messages that the service may log, by level; `{n}` is a number, `{ms}` a duration in milliseconds.
    """

    service: str
    method: str
    path: str
    messages: dict[str, tuple[str, ...]]


KINDS: Final = (
    RequestKind(
        "payments",
        "POST",
        "/v1/payments",
        {
            "DEBUG": ("card token {n} taken from the vault", "결제 토큰 {n}을 확인했습니다."),
            "INFO": ("payment {n} authorised", "결제 {n}이 승인되었습니다.", "카드사에 승인 요청 {n}을 보냈습니다."),
            "WARN": ("payment {n} is retried after a slow answer", "결제 {n}의 응답이 느려 다시 시도합니다."),
            "ERROR": (
                "timeout after {ms} ms waiting for the card network, payment {n}",
                "결제 {n} 시간 초과: 카드사가 {ms}ms 동안 응답하지 않았습니다.",
            ),
        },
    ),
    RequestKind(
        "checkout",
        "POST",
        "/v1/checkout",
        {
            "DEBUG": ("cart {n} priced", "장바구니 {n}의 가격을 계산했습니다."),
            "INFO": ("order {n} placed", "주문 {n}이 접수되었습니다.", "order {n} confirmed by mail"),
            "WARN": ("cart {n} holds an item that is out of stock", "재고가 부족하여 주문 {n}을 보류합니다."),
            "ERROR": ("checkout {n} failed: timeout calling payments", "주문 {n} 처리 중 오류가 발생했습니다."),
        },
    ),
    RequestKind(
        "auth",
        "POST",
        "/v1/login",
        {
            "DEBUG": ("session {n} refreshed", "세션 {n}을 갱신했습니다."),
            "INFO": ("user {n} logged in", "사용자 {n}이 로그인했습니다.", "user {n} logged out"),
            "WARN": ("wrong password for user {n}", "사용자 {n}의 비밀번호가 틀렸습니다."),
            "ERROR": ("token of user {n} has a broken signature", "사용자 {n}의 인증 서버 연결이 끊어졌습니다."),
        },
    ),
    RequestKind(
        "search",
        "GET",
        "/v1/search",
        {
            "DEBUG": ("query {n} answered from the cache", "검색어 {n}을 캐시에서 찾았습니다."),
            "INFO": ("query {n} returned {ms} hits", "삼성전자는 반도체를 개발한다.", "서울의 날씨를 검색했습니다."),
            "WARN": ("query {n} is slow: {ms} ms", "검색 {n}이 {ms}ms 걸렸습니다."),
            "ERROR": ("query {n} hit the circuit breaker", "검색 노드 {n}에 연결할 수 없습니다."),
        },
    ),
    RequestKind(
        "catalog",
        "GET",
        "/v1/products",
        {
            "DEBUG": ("product {n} read from replica", "상품 {n}을 조회했습니다."),
            "INFO": ("product {n} updated", "새 반도체 상품 {n}이 등록되었습니다.", "price of product {n} changed"),
            "WARN": ("image of product {n} is missing", "상품 {n}의 이미지가 없습니다."),
            "ERROR": ("connection reset by the catalog database", "상품 데이터베이스 연결 시간 초과"),
        },
    ),
    RequestKind(
        "batch",
        "",
        "",
        {
            "DEBUG": ("chunk {n} scheduled", "작업 {n}을 예약했습니다."),
            "INFO": ("nightly export wrote chunk {n}", "정산 작업 {n}을 마쳤습니다."),
            "WARN": ("chunk {n} took {ms} ms", "정산 작업 {n}이 지연되고 있습니다."),
            "ERROR": ("chunk {n} gave up: disk full", "정산 작업 {n}이 실패했습니다."),
        },
    ),
)


ROWS: Final = 200_000
SEED: Final = 20_261_122
START: Final = datetime(2026, 11, 1, tzinfo=UTC)

VERSION: Final = 1
"""Part of the seed: another version of this generator makes other rows."""

MEAN_GAP: Final = 50
"""Milliseconds between two rows on average: 200,000 rows span two hours and three quarters."""

LONG_BURST: Final = 12_000
"""Rows of the one burst that is longer than the default page of 10,000."""

LONG_BURST_AT: Final = 60_000
"""The row after which that burst begins."""

Choice = TypeVar("Choice")


class SampleRow(NamedTuple):
    """One log row; the fields are the columns, in their order."""

    id: int
    ts: int
    """Milliseconds since 1970, UTC."""
    level: str
    service: str
    host: str
    ip: str
    status: int | None
    latency_ms: float | None
    message: str
    trace_id: str
    attrs: JsonObject
    tags: list[str]
    location: list[float] | None
    """Longitude and latitude."""


_BURSTS: Final = (1, 1, 1, 1, 2, 2, 3, 5, 8, 40)
_LEVELS: Final = ("INFO",) * 14 + ("DEBUG",) * 3 + ("WARN",) * 2 + ("ERROR",)
_STATUS: Final = {"DEBUG": (200, 204), "INFO": (200, 200, 201, 304), "WARN": (404, 429), "ERROR": (500, 502, 503, 504)}
_SLOWNESS: Final = {"DEBUG": 1, "INFO": 1, "WARN": 3, "ERROR": 10}
"""The factor of a request's latency: a sixth of the errors take more than 300 ms."""

_REGIONS: Final = ("ap-northeast-2", "ap-northeast-1", "eu-central-1", "us-east-1")
_CITIES: Final[tuple[list[float], ...]] = (
    [126.978, 37.5665],
    [129.0756, 35.1796],
    [139.6917, 35.6895],
    [8.6821, 50.1109],
    [-77.0369, 38.9072],
)
_HOSTS: Final = 24
_LOCATED: Final = 0.4
"""The share of rows that have a location."""

_TAGS: Final[tuple[list[str], ...]] = (
    ["prod"],
    ["prod", "web"],
    ["prod", "batch"],
    ["staging"],
    ["prod", "web", "canary"],
    [],
)


def sample_rows(count: int = ROWS, *, seed: int = SEED, start: datetime = START) -> Iterator[SampleRow]:
    """The first `count` sample rows, by id from 1 on and by time, with ties.

    Args:
        count: the number of rows.
        seed: another seed makes other rows.
        start: the time before the first row; each row is about 50 ms later.
    """
    rng = random.Random(f"{VERSION}:{seed}")  # noqa: S311 - a known sequence is the purpose
    origin = int(start.timestamp() * 1000)
    for first, size in _bursts(rng, count):
        ts = origin + first * MEAN_GAP + int(rng.random() * MEAN_GAP)
        for number in range(first, min(first + size, count + 1)):
            yield _row(rng, number, ts)


def start_for(count: int, end: datetime) -> datetime:
    """The `start` with which `count` sample rows end just before `end`."""
    return end - timedelta(milliseconds=(count + 1) * MEAN_GAP)


def _bursts(rng: random.Random, count: int) -> Iterator[tuple[int, int]]:
    """The first id and the size of each burst."""
    first, long_burst_due = 1, True
    while first <= count:
        is_long = long_burst_due and first > LONG_BURST_AT
        long_burst_due = long_burst_due and not is_long
        size = LONG_BURST if is_long else _pick(rng, _BURSTS)
        yield first, size
        first += size


def _row(rng: random.Random, number: int, ts: int) -> SampleRow:
    kind, level = _pick(rng, KINDS), _pick(rng, _LEVELS)
    host, latency = int(rng.random() * _HOSTS), round(_SLOWNESS[level] * 12 / math.sqrt(1 - rng.random()), 3)
    return SampleRow(
        id=number,
        ts=ts,
        level=level,
        service=kind.service,
        host=f"{kind.service}-{host:02d}.example.net",
        ip=f"10.{host}.{int(rng.random() * 256)}.{int(rng.random() * 256)}",
        status=_pick(rng, _STATUS[level]) if kind.method else None,
        latency_ms=latency if kind.method else None,
        message=_pick(rng, kind.messages[level]).format(n=rng.getrandbits(20), ms=int(latency)),
        trace_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        attrs=_attrs(rng, kind, host),
        tags=_pick(rng, _TAGS),
        location=_pick(rng, _CITIES) if rng.random() < _LOCATED else None,
    )


def _attrs(rng: random.Random, kind: RequestKind, host: int) -> JsonObject:
    pod: JsonObject = {"pod": f"{kind.service}-{host:02d}-{rng.getrandbits(20):05x}", "region": _pick(rng, _REGIONS)}
    if not kind.method:
        return pod
    return {**pod, "http": {"method": kind.method, "path": f"{kind.path}/{rng.getrandbits(16)}"}}


def _pick(rng: random.Random, choices: Sequence[Choice]) -> Choice:
    return choices[int(rng.random() * len(choices))]
