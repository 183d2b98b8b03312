"""Korean log lines and queries, with what must and must not be found."""

from typing import Final, NamedTuple

__all__ = ["CASES", "Case"]


class Case(NamedTuple):
    """A line and a query for it.

    Attributes:
        kind: what makes the case difficult.
        line: the log line.
        query: what a user types.
        found: whether the query must find the line.
        standard: whether it works with the standard analyzer and prefixes.
        cjk: whether it works with the cjk analyzer. With nori, every case works.

    The results of cjk and nori were computed with the analyzers and the query builder of Lucene 10.4, which
    Elasticsearch uses: cjk keeps the particle of a token that contains letters or digits (`GPU를`).
    """

    kind: str
    line: str
    query: str
    found: bool = True
    standard: bool = True
    cjk: bool = True


CASES: Final = (
    Case("particle", "삼성전자는 반도체를 개발한다.", "반도체 개발"),
    Case("particle", "서버가 응답하지 않습니다.", "서버 응답"),
    Case("particle", "데이터베이스에서 연결을 끊었습니다.", "데이터베이스 연결"),
    Case("particle", "캐시만으로는 요청을 처리할 수 없습니다.", "캐시 요청"),
    Case("particle", "관리자에게 알림을 보냈습니다.", "관리자 알림"),
    Case("particle", "디스크의 공간이 부족합니다.", "디스크 공간 부족"),
    Case("particle", "큐까지 메시지가 도착했습니다.", "메시지 도착"),
    Case("particle", "인증서가 만료되었습니다.", "인증서를", standard=False, cjk=False),
    Case("ending", "결제를 승인했습니다.", "승인"),
    Case("ending", "주문이 취소되었습니다.", "취소"),
    Case("ending", "백업을 시작합니다.", "시작"),
    Case("ending", "작업이 실패하였으므로 다시 시도합니다.", "실패 시도"),
    Case("ending", "세션이 종료됐다.", "종료"),
    Case("ending", "파일을 삭제하고 있습니다.", "삭제"),
    Case("ending", "로그인했습니다.", "로그인"),
    Case("ending", "서비스를 재시작했습니다.", "재시작하다", standard=False, cjk=False),
    Case("compound", "무선이어폰 재고가 없습니다.", "무선"),
    Case("compound", "장바구니담기 버튼 오류", "장바구니"),
    Case("compound", "반도체공장의 온도가 높습니다.", "반도체"),
    Case("compound", "현대자동차는 자동차를 판매한다.", "자동차 판매"),
    Case("compound", "무선이어폰을 주문했습니다.", "이어폰", standard=False),
    Case("compound", "고객정보조회 화면이 느립니다.", "조회", standard=False),
    Case("spacing", "결제 승인 대기 중입니다.", "결제승인", standard=False, cjk=False),
    Case("spacing", "로그 수집기가 멈췄습니다.", "로그수집기", standard=False, cjk=False),
    Case("spacing", "결제승인번호가 없습니다.", "결제승인"),
    Case("spacing", "비밀번호 변경 요청", "비밀번호  변경"),
    Case("mixed", "GPU를 할당했습니다.", "GPU 할당", cjk=False),
    Case("mixed", "API가 timeout으로 실패했습니다.", "api timeout", cjk=False),
    Case("mixed", "HTTP502가 발생했습니다.", "HTTP502", cjk=False),
    Case("mixed", "kafka에서 메시지를 읽습니다.", "Kafka 메시지", cjk=False),
    Case("mixed", "DB연결이 끊겼습니다.", "DB", cjk=False),
    Case("product", "갤럭시S24를 등록했습니다.", "갤럭시S24", cjk=False),
    Case("product", "RTX4090의 온도는 80도입니다.", "RTX4090 온도", cjk=False),
    Case("product", "아이폰15를 주문했습니다.", "아이폰15", cjk=False),
    Case("product", "3000원을 결제했습니다.", "3000 결제", cjk=False),
    Case("not", "현대자동차는 주식을 판매한다.", "반도체", found=False),
    Case("not", "결제가 거절되었습니다.", "승인", found=False),
    Case("not", "도체의 저항을 재었습니다.", "반도체", found=False),
    Case("not", "아이폰14를 등록했습니다.", "아이폰15", found=False),
    Case("not", "배송이 시작되었습니다.", '"배송 시작"', found=False),
)
