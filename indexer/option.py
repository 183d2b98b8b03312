"""What help and documentation say of a setting, beyond its name, type and default."""

from dataclasses import dataclass
from enum import Enum

__all__ = ["Option", "OptionGroup"]


class OptionGroup(Enum):
    """The headings under which help and documentation list the options, in their order."""

    TABLE = "Table"
    INDEX = "Index"
    LIMITS = "Limits"
    JOB = "Job"
    SOURCE = "Source"
    TARGET = "Target"
    OUTPUT = "Output"


@dataclass(frozen=True, slots=True)
class Option:
    """What help and documentation say of a setting, beyond its name, type and default.

    Attributes:
        group: the heading under which it is listed.
        help: what it does, in a sentence or two.
        metavar: what stands for its value; empty for one made from the unit or the type.
        unit: what its value counts, such as `seconds`.
        default: what happens where it is not set, for a default that is computed later.
        flags: its names on the command line, where they are not made from the field's name.
    """

    group: OptionGroup
    help: str
    metavar: str = ""
    unit: str = ""
    default: str = ""
    flags: tuple[str, ...] = ()
