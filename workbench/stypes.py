"""Semantic types: what a column means, whatever type it is stored as."""

from enum import StrEnum


class Stype(StrEnum):
    """What a column means."""

    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    TIMESTAMP = "timestamp"
    TEXT = "text"
    ID = "id"
    CONSTANT = "constant"
