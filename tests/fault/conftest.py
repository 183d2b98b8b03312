"""Every test here is an attack, and a row of the table that is printed at the end."""

import pytest

from tests.attacks import Attack, attack_of


@pytest.fixture(autouse=True)
def attack(request: pytest.FixtureRequest) -> Attack:
    """The account of this test, for the figures that it has; see `tests.attacks`."""
    return attack_of(request.node)
