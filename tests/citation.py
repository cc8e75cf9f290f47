"""A made-up citation graph as a database: papers with words, and who cites whom.

The shape is that of the public citation benchmarks: seven subjects, few citations a
paper, most of them within the subject, words that only lean towards it, twenty labelled
papers a subject.
"""

import sqlite3
from pathlib import Path

import numpy as np

NUM_PAPERS = 2000
NUM_SUBJECTS = 7
NUM_WORDS = 500
MEAN_DEGREE = 4
HOMOPHILY = 0.8
WORDS_A_PAPER = 18
OWN_WORDS = 0.22  # share of a paper's words that are drawn from its subject's own
TRAIN_A_SUBJECT, NUM_VAL, NUM_TEST = 20, 500, 1000


def write_citations(path: Path, seed: int = 0, *, as_list: bool = False) -> None:
    """Write ``node(id, w0…, label, split)`` and ``edge(src, dst)``, each link once.

    Args:
        path: The SQLite file.
        seed: Another seed, another graph.
        as_list: Whether words are rows of a table ``feature(node_id, word)``, keys are
            not declared, and every link is listed both ways, and some rows tied to
            themselves: the same graph, written by somebody else.
    """
    generator = np.random.default_rng(seed)
    subjects = generator.integers(0, NUM_SUBJECTS, NUM_PAPERS)
    words = _words(generator, subjects)
    split = _split(generator, subjects)
    links = _links(generator, subjects)
    labels = [f"subject {subject}" for subject in subjects]
    with sqlite3.connect(path) as connection:
        if as_list:
            connection.execute("CREATE TABLE node (id INT, label TEXT, split TEXT)")
            connection.execute("CREATE TABLE edge (src INT, dst INT)")
            connection.execute("CREATE TABLE feature (node_id INT, word TEXT)")
            rows = zip(range(NUM_PAPERS), labels, split, strict=True)
            connection.executemany("INSERT INTO node VALUES (?, ?, ?)", rows)
            listed = [(row, f"w{word}") for row, word in np.argwhere(words).tolist()]
            connection.executemany("INSERT INTO feature VALUES (?, ?)", listed)
            links = [*links, *((to, fro) for fro, to in links), (3, 3), (5, 5)]
        else:
            _write_wide(connection, words, labels, split)
        connection.executemany("INSERT INTO edge VALUES (?, ?)", links)
    connection.close()


def _write_wide(
    connection: sqlite3.Connection,
    words: np.ndarray,
    labels: list[str],
    split: list[str | None],
) -> None:
    columns = ", ".join(f"w{index} INTEGER NOT NULL" for index in range(NUM_WORDS))
    connection.execute(
        f"CREATE TABLE node (id INTEGER PRIMARY KEY, {columns},"
        " label TEXT NOT NULL, split TEXT)"
    )
    connection.execute(
        "CREATE TABLE edge (src INTEGER NOT NULL REFERENCES node(id),"
        " dst INTEGER NOT NULL REFERENCES node(id), PRIMARY KEY (src, dst))"
    )
    marks = ", ".join("?" * (NUM_WORDS + 3))
    connection.executemany(
        f"INSERT INTO node VALUES ({marks})",
        (
            (row, *words[row].tolist(), labels[row], split[row])
            for row in range(NUM_PAPERS)
        ),
    )


def _words(generator: np.random.Generator, subjects: np.ndarray) -> np.ndarray:
    """Return which words each paper has, 0 or 1."""
    words = np.zeros((NUM_PAPERS, NUM_WORDS), dtype=np.int64)
    per_subject = NUM_WORDS // NUM_SUBJECTS
    for row, subject in enumerate(subjects):
        own = generator.random(WORDS_A_PAPER) < OWN_WORDS
        drawn = generator.integers(0, NUM_WORDS, WORDS_A_PAPER)
        from_subject = generator.integers(0, per_subject, WORDS_A_PAPER)
        words[row, np.where(own, subject * per_subject + from_subject, drawn)] = 1
    return words


def _links(
    generator: np.random.Generator, subjects: np.ndarray
) -> list[tuple[int, int]]:
    """Return pairs of papers, each once, the smaller number first."""
    members = [np.flatnonzero(subjects == each) for each in range(NUM_SUBJECTS)]
    found: set[tuple[int, int]] = set()
    while len(found) < NUM_PAPERS * MEAN_DEGREE // 2:
        one = int(generator.integers(NUM_PAPERS))
        alike = generator.random() < HOMOPHILY
        pool = members[subjects[one]] if alike else np.arange(NUM_PAPERS)
        other = int(generator.choice(pool))
        if one != other:
            found.add((min(one, other), max(one, other)))
    return sorted(found)


def _split(generator: np.random.Generator, subjects: np.ndarray) -> list[str | None]:
    """Return each paper's part; most take none."""
    split: list[str | None] = [None] * NUM_PAPERS
    order = generator.permutation(NUM_PAPERS)
    taken: list[int] = []
    for subject in range(NUM_SUBJECTS):
        taken += order[subjects[order] == subject][:TRAIN_A_SUBJECT].tolist()
    for row in taken:
        split[row] = "train"
    rest = [row for row in order.tolist() if split[row] is None]
    for index, row in enumerate(rest[: NUM_VAL + NUM_TEST]):
        split[row] = "val" if index < NUM_VAL else "test"
    return split
