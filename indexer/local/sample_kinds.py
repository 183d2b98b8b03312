"""What the sample logs talk about: kinds of requests, with messages in English and in Korean."""

from dataclasses import dataclass
from typing import Final

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request.

    Attributes:
        service: the service that it is made to.
        method: its HTTP method, empty for work that nobody asked for over HTTP.
        path: the beginning of its path.
        messages: what the service may log of it, by level; `{n}` is a number, `{ms}` the milliseconds it took.
    """

    service: str
    method: str
    path: str
    messages: dict[str, tuple[str, ...]]


KINDS: Final = (
    Kind(
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
    Kind(
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
    Kind(
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
    Kind(
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
    Kind(
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
    Kind(
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
