"""What the names of tables and columns say about keys, without a look at the rows."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Words = tuple[str, ...]

ID_WORDS = frozenset({"id", "key", "pk", "fk", "sk", "uid", "uuid", "guid", "ref"})
LOOSE_WORDS = frozenset({"code", "no", "nr", "num", "number"})
GENERIC = frozenset({
    "name", "title", "label", "value", "text", "description", "comment", "note",
    "date", "time", "year", "month", "day", "hour", "minute", "second", "week",
    "quarter", "age", "type", "kind", "status", "state", "flag", "level", "rank",
    "position", "seq", "sequence", "index", "idx", "line", "version", "count", "size",
    "amount", "quantity", "qty", "price", "cost", "total", "sum", "mean", "avg", "min",
    "max", "score", "point", "rate", "ratio", "pct", "percent", "weight", "height",
    "length", "width", "salary", "population", "budget", "url", "email", "phone",
    "address", "zip", "is", "has", "n", "num", "number", "code", "no", "nr", "at",
    "on", "created", "updated",
})  # fmt: skip
UPWARD = frozenset({
    "parent", "manager", "boss", "supervisor", "leader", "lead", "superior", "mentor",
    "head", "chief", "root", "ancestor", "predecessor", "successor", "previous", "prev",
    "next", "original", "replaced", "replaces", "reply", "replied", "reports",
    "report", "origin", "source", "duplicate", "superseded", "belongs",
})  # fmt: skip
TABLE_PREFIXES = frozenset(
    {"tbl", "table", "dim", "fact", "fct", "stg", "raw", "t", "tb", "public", "dbo"}
)
IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}
SAME_IN_PLURAL = frozenset({"series", "species", "news", "address", "status", "bus"})
NO_IDS = frozenset({
    "valid", "invalid", "hybrid", "liquid", "solid", "fluid", "rapid", "acid", "avoid",
    "turkey", "monkey", "hockey", "jockey", "whiskey", "donkey",
})  # fmt: skip
ENDINGS = ("uuid", "guid", "key", "id")  # written on: playerid, yearkey
FEWEST_LETTERS = 3
SHORT_PREFIX = 3
FEWEST_MEMBERS = 3  # columns that share a first word, before it is a prefix


@dataclass(frozen=True, slots=True)
class Named:
    """The words in the names of a column and of its table.

    Attributes:
        table: Words of the table, without a prefix that the tables share.
        column: Words of the column, without a prefix that the table's columns share.
        is_text: Whether it holds texts, which are rarely the same by chance.
        stem: The column's words but those that say it is an identifier.
        marks: How the words of the column begin.
        all_marks: How the words of column and table begin.
    """

    table: Words
    column: Words
    is_text: bool
    stem: Words = field(init=False)
    marks: frozenset[str] = field(init=False)
    all_marks: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        stem = tuple(word for word in self.column if word not in ID_WORDS)
        marks = frozenset(word[:FEWEST_LETTERS] for word in stem)
        table = frozenset(word[:FEWEST_LETTERS] for word in self.table)
        for name, value in (
            ("stem", stem),
            ("marks", marks),
            ("all_marks", marks | table),
        ):
            object.__setattr__(self, name, value)

    @property
    def is_id(self) -> bool:
        """Whether a word of the column says that it is an identifier."""
        return len(self.stem) < len(self.column)

    @property
    def is_own(self) -> bool:
        """Whether the column is named for its own table's rows."""
        return self.is_id and self.stem in ((), self.table)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How well names agree.

    Attributes:
        score: From 0, nothing in common, to 1, the child's column names the parent.
        why: In words.
        names_parent: Whether the parent's table is named, by more than a shared column.
    """

    score: float
    why: str
    names_parent: bool = False


NO_MATCH = NameMatch(0.0, "the names have nothing in common")


def split_words(name: str) -> Words:
    """Return the words of a name in lower case and singular.

    >>> split_words("teamIDwinner"), split_words("order_lines"), split_words("yearkey")
    (('team', 'id', 'winner'), ('order', 'line'), ('year', 'key'))
    """
    spaced = re.sub(r"(?<=[a-z])ID(?=[A-Za-z])", " ID ", name)
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+", spaced)
    words = [_singular(word.lower()) for word in found]
    if not words:
        return ()
    return (*words[:-1], *_without_ending(words[-1]))


def split_tables(names: Sequence[str]) -> list[Words]:
    """Return the words of every table, without a first word that they all share."""
    split = [split_words(name) for name in names]
    return _without_prefix(split, longest=None)


def split_columns(names: Sequence[str]) -> list[Words]:
    """Return the words of a table's columns, without a short prefix they all share."""
    return _without_prefix([split_words(name) for name in names], SHORT_PREFIX)


def match_names(child: Named, parent: Named, *, same_table: bool) -> NameMatch:
    """Return how well the name of a column says that it refers to another.

    Args:
        child: The column that may refer.
        parent: The column it may refer to.
        same_table: Whether both are in one table.
    """
    if same_table:
        return _match_self(child, parent)
    if child.marks.isdisjoint(parent.all_marks):
        return NO_MATCH
    if child.is_own and child.stem != parent.table:
        return NO_MATCH  # it names the rows of its own table
    found = [
        _match_column(child, parent),
        _match_table(child, parent),
        _match_role(child, parent),
        _match_abbreviation(child, parent),
    ]
    return max(found, key=lambda match: (match.score, match.names_parent))


def match_parts(child: Named, parent: Named) -> NameMatch:
    """Return how well a column may stand for a part of another table's key.

    A part may have any name, such as a year, as long as both sides share it.
    """
    if child.marks.isdisjoint(parent.all_marks):
        return NO_MATCH
    if child.column == parent.column:
        return NameMatch(1.0, "the same name")
    if child.stem == parent.stem and child.stem and child.is_id and parent.is_id:
        return NameMatch(0.95, "the same name but for the word that says it is a key")
    found = match_names(child, parent, same_table=False)
    return found if found.score >= 0.85 else NO_MATCH


def _without_ending(word: str) -> Words:
    if word in NO_IDS:
        return (word,)
    for ending in ENDINGS:
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= FEWEST_LETTERS:
            return (_singular(rest), ending)
    return (word,)


def _singular(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= FEWEST_LETTERS or word in SAME_IN_PLURAL:
        return {"ids": "id"}.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "tuses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_prefix(split: Iterable[Words], longest: int | None) -> list[Words]:
    words = list(split)
    firsts = {one[0] for one in words if one}
    shared = len(firsts) == 1 and len(words) >= FEWEST_MEMBERS and all(words)
    fits = shared and (longest is None or all(len(one) <= longest for one in firsts))
    cut = [one[1:] if fits and len(one) > 1 else one for one in words]
    if longest is not None:
        return cut
    return [
        one[1:] if len(one) > 1 and one[0] in TABLE_PREFIXES else one for one in cut
    ]


def _match_column(child: Named, parent: Named) -> NameMatch:
    same = child.column == parent.column
    alike = child.stem == parent.stem and child.is_id and parent.is_id
    if not parent.stem or not (same or alike):
        return NO_MATCH
    names_parent = parent.stem == parent.table
    if names_parent:
        return NameMatch(1.0, "the same name, which is the parent's", True)
    if all(word in GENERIC for word in parent.stem):
        return NameMatch(0.4, "the same name, but one that many columns have")
    touches = bool(set(parent.stem) & set(parent.table))
    if parent.is_id or child.is_text or touches:
        score = 0.95 if same else 0.9
        return NameMatch(score, "the same name", touches)
    if set(parent.stem) & LOOSE_WORDS:
        return NameMatch(0.9, "the same name")
    return NameMatch(0.5, "the same name, which does not say that it is a key")


def _match_table(child: Named, parent: Named) -> NameMatch:
    table, stem = parent.table, child.stem
    if not table or not stem:
        return NO_MATCH
    if child.column == (*table, *parent.column):
        return NameMatch(1.0, "named for the parent and its column", True)
    tail = len(stem) < len(table) and table[-len(stem) :] == stem
    head = len(stem) < len(table) and table[: len(stem)] == stem
    if stem != table and not tail and not (head and child.is_id):
        return NO_MATCH
    fits = parent.is_own or not parent.is_id
    if child.is_id and not parent.is_id and parent.stem in (("name",), ("title",)):
        fits = False  # a name is no id
    score = 1.0 if stem == table and child.is_id and parent.is_id else 0.9
    if tail:
        score = 0.9
    if head:
        score = 0.6
    return NameMatch(score if fits else score - 0.4, "named for the parent", True)


def _match_role(child: Named, parent: Named) -> NameMatch:
    """Match a column that names the parent and the part it plays: home_team_id."""
    named = [(parent.table, "the parent")]
    if parent.is_id and not all(word in GENERIC for word in parent.stem):
        named.append((parent.stem, "the parent's column"))
    for words, what in named:
        if not words or not _contains(child.stem, words) or child.stem == words:
            continue
        rest = [word for word in child.stem if word not in words]
        if not rest or any(word in GENERIC for word in rest):
            continue
        fits = parent.is_own or what != "the parent"
        score = 0.9 if child.is_id else 0.75
        why = f"named for {what} in a role ({', '.join(rest)})"
        return NameMatch(score if fits else score - 0.4, why, True)
    return NO_MATCH


def _match_abbreviation(child: Named, parent: Named) -> NameMatch:
    stem, table = child.stem, parent.table
    if not (child.is_id and parent.is_own and len(stem) == len(table) == 1):
        return NO_MATCH
    short, long = stem[0], table[0]
    if len(short) < FEWEST_LETTERS or len(short) >= len(long):
        return NO_MATCH
    if long.startswith(short):
        return NameMatch(0.8, f'"{short}" starts the parent\'s name', True)
    letters = iter(long)
    if long[0] == short[0] and all(sign in letters for sign in short):
        return NameMatch(0.6, f'"{short}" may be short for the parent\'s name', True)
    return NO_MATCH


def _match_self(child: Named, parent: Named) -> NameMatch:
    if child.column == parent.column or not parent.is_id:
        return NO_MATCH
    upward = [word for word in child.stem if word in UPWARD]
    rest = [word for word in child.stem if word not in UPWARD | {"to", "of", "by"}]
    own = {*parent.table, *parent.stem}
    if upward and all(word in own for word in rest):
        return NameMatch(0.9, f'"{upward[0]}" leads to another row of the table', True)
    if parent.is_own or parent.stem:
        return _match_role(child, parent)
    return NO_MATCH


def _contains(words: Words, wanted: Words) -> bool:
    number = len(wanted)
    places = range(len(words) - number + 1)
    return any(words[at : at + number] == wanted for at in places)
