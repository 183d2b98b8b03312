"""CrateDB's error codes, and which error each becomes."""

import orjson
import pytest

from indexer.errors import BreakerTripped, SourceError, SourceUnavailable
from indexer.source.errors import FORBIDDEN, error_in_response


def body(code: int, message: str = "It says so") -> bytes:
    return orjson.dumps({"error": {"code": code, "message": message}})


@pytest.mark.parametrize("code", [4040, 4290, 5002, 5003, 5005, 5030, 5031, 5039])
def test_what_will_pass(code: int) -> None:
    error = error_in_response(500, body(code))
    assert type(error) is SourceUnavailable
    assert error.code == code


@pytest.mark.parametrize("code", [*range(4000, 4009), 4010, 4011, 4041, 4043, 4044, 4045, 4046, 4091, 5000, 5001, 5004])
def test_what_will_not_pass(code: int) -> None:
    error = error_in_response(400, body(code))
    assert type(error) is SourceError
    assert (error.code, error.retryable) == (code, False)
    assert "It says so" in str(error)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (
            5000,
            "CircuitBreakingException[Allocating 2mb for 'collect: 0' failed, breaker would use 2gb]",
            BreakerTripped,
        ),
        (5000, "NodeNotConnectedException[[n2][127.0.0.1:4302] Node not connected]", SourceUnavailable),
        (5000, "NodeDisconnectedException[[n2] disconnected]", SourceUnavailable),
        (5000, "NullPointerException[null]", SourceError),
        (4000, "SQLParseException[CircuitBreakingException NodeNotConnectedException]", SourceError),
    ],
)
def test_code_5000_has_many_meanings(code: int, message: str, kind: type[SourceError]) -> None:
    assert type(error_in_response(500, body(code, message))) is kind


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("said", [b"", b"<html>", b"{}", b'{"error": "later"}', b"[1]"])
def test_a_status_alone_that_will_pass(status: int, said: bytes) -> None:
    assert type(error_in_response(status, said)) is SourceUnavailable


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (401, b'password authentication failed for user "me"\n', min(FORBIDDEN)),
        (404, b"<html>Not Found</html>", None),
        (500, b'{"error": {"message": "no code"}}', None),
    ],
)
def test_a_status_alone_that_will_not_pass(status: int, said: bytes, code: int | None) -> None:
    error = error_in_response(status, said)
    assert type(error) is SourceError
    assert error.code == code


@pytest.mark.parametrize("status", [200, 201, 302])
def test_success_is_no_error(status: int) -> None:
    assert error_in_response(status, b'{"rows": []}') is None


def test_a_long_message_is_cut_to_one_line() -> None:
    error = error_in_response(400, body(4000, "line one\n   line two " + "x" * 10_000))
    assert "line one line two xxx" in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 600
