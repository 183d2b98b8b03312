"""The types of JSON values, as sources return them and documents hold them."""

from typing import TypeAlias

__all__ = ["Json", "JsonObject", "Row"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]
Row: TypeAlias = list[Json]
"""One row: its values, in the order of the selected columns."""
