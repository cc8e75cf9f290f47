"""How the bytes of a text file are to be read, and the text they give."""

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DatabaseError

CHUNK = 1 << 20
SAMPLE = 1 << 16
BOMS = (  # the longer first, as UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "cp1252"
LOST = re.compile("[\ud800-\udfff]")
MAX_CONTROL_SHARE = 0.02
CONTROLS = bytes(set(range(32)) - {*b"\t\n\x0b\x0c\r\x1b\x1e\x1f\x01"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is read.

    Attributes:
        name: Python's name of the encoding.
        warning: What was decided beyond the ordinary, or an empty text.
    """

    name: str
    warning: str = ""


def detect_encoding(path: Path, shown: str) -> Encoding:
    """Decide by the mark at the start, then by whether all bytes are UTF-8.

    What is neither marked nor UTF-8 is Windows-1252, unless most of its letters
    outside ASCII are whole UTF-8 sequences: then it is UTF-8 with damages.

    Args:
        path: The file.
        shown: How it is named in messages.

    Raises:
        DatabaseError: It is no text.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    for mark, name in BOMS:
        if head.startswith(mark):
            return Encoding(name)
    wide = _unmarked_utf16(head)
    if wide:
        return Encoding(wide, f"The {shown} is read as UTF-16.")
    if len(head.translate(None, CONTROLS)) < (1 - MAX_CONTROL_SHARE) * len(head):
        raise DatabaseError(
            f"The {shown} holds binary data and no text; give a file of another kind."
        )
    num_whole, num_broken = _count_sequences(path)
    if not num_broken or num_whole > num_broken:
        return Encoding("utf-8")
    return Encoding(WESTERN, f"The {shown} is not UTF-8; it is read as Windows-1252.")


class TextSource:
    """A file as text, in which what cannot be decoded is replaced and counted.

    Attributes:
        num_replaced: Number of bytes replaced so far.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        """Open the file.

        Args:
            path: The file.
            encoding: As `detect_encoding` returned it.
        """
        self._is_bytewise = not encoding.name.startswith(("utf-16", "utf-32"))
        self._file = io.TextIOWrapper(
            path.open("rb", buffering=CHUNK),
            encoding=encoding.name,
            errors="surrogateescape" if self._is_bytewise else "replace",
            newline="",  # line ends within a cell stay as they are
        )
        self.num_replaced = 0

    def read(self, num_characters: int) -> str:
        """Return the next characters; none at the end."""
        return self._clean(self._file.read(num_characters))

    def read_line(self, num_characters: int) -> str:
        """Return the next line with its end, or as much of it as is allowed."""
        return self._clean(self._file.readline(num_characters))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _clean(self, text: str) -> str:
        if text.isascii():
            return text
        if not self._is_bytewise:
            self.num_replaced += text.count("\ufffd")
        text, num_lost = LOST.subn("\ufffd", text)
        self.num_replaced += num_lost
        return text


def _unmarked_utf16(head: bytes) -> str | None:
    """Return the UTF-16 whose every other byte is zero in Western text."""
    half = len(head) // 2
    if half < 4:
        return None
    odd, even = head[1::2].count(0), head[::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _count_sequences(path: Path) -> tuple[int, int]:
    """Return the numbers of whole UTF-8 sequences and of bytes that are part of none.

    The sequences are counted up to the end of the part that holds the first broken one.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    num_whole = num_broken = 0
    with path.open("rb") as file:
        while not num_broken:
            chunk = file.read(CHUNK)
            text = decoder.decode(chunk, final=not chunk)
            if not text.isascii():
                num_broken = len(LOST.findall(text))
                num_whole += sum(len(run) for run in re.findall(r"[^\x00-\x7f]+", text))
                num_whole -= num_broken
            if not chunk:
                break
    return num_whole, num_broken
