"""Archives are unpacked under numbers, counted, and never believed."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import DatabaseError
from workbench.files.archive import Member, is_tar, unpack
from workbench.limits import Limits

ZEROS = bytes(1_000_000)


def take(path: Path, **limits: int) -> tuple[list[Member], list[str]]:
    """Unpack into a folder beside the archive, and check that nothing else changed."""
    folder = path.parent / "private"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    before = {path: path.stat().st_size}
    try:
        return unpack(path, folder, Limits(**limits), lambda name: name.endswith("csv"))
    finally:
        after = {each: each.stat().st_size for each in path.parent.rglob("*")}
        outside = {each for each in after if folder not in each.parents}
        assert {each: after[each] for each in outside - {folder}} == before


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_members_come_out_by_name_and_others_are_listed(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    path = make(tmp_path / "a", {"b/y.csv": b"2", "x.csv": b"1", "z.png": b"3"})
    members, others = take(path)
    assert [(one.name, one.path.read_bytes()) for one in members] == [
        ("b/y.csv", b"2"),
        ("x.csv", b"1"),
    ]
    assert others == ["z.png"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    "name",
    [
        "../out.csv",
        "/etc/out.csv",
        "a/../../out.csv",
        "C:/out.csv",
        "..\\out.csv",
        "\\\\host\\out.csv",
    ],
)
def test_a_name_that_leads_out_is_refused_and_named(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path], name: str
) -> None:
    path = make(tmp_path / "a", {"x.csv": b"1", name: b"2"})
    with pytest.raises(DatabaseError, match=r"out\.csv\" leads out of the archive"):
        take(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("x.csv")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DatabaseError, match=r'"x\.csv" is a link'):
        take(path)


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_pipes_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("x.csv")
        member.type = kind
        archive.addfile(member)
    with pytest.raises(DatabaseError, match=r'"x\.csv" is a device or pipe'):
        take(path)


@pytest.mark.parametrize(
    ("mode", "match"), [(0o120777, "is a link"), (0o010644, "is a device or pipe")]
)
def test_links_and_pipes_in_a_zip_are_refused(
    tmp_path: Path, mode: int, match: str
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("x.csv")
        member.external_attr = mode << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DatabaseError, match=match):
        take(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("make_twice", ["zip", "tar"])
def test_a_name_that_comes_twice_is_refused(tmp_path: Path, make_twice: str) -> None:
    path = tmp_path / "a"
    if make_twice == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("x.csv", "1")
            zipped.writestr("x.csv", "2")
    else:
        make_tar(path, {"x.csv": b"1", "./x.csv": b"2"})
    with pytest.raises(DatabaseError, match=r'"x\.csv" is there twice'):
        take(path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x.csv": b"1"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match=r'"x\.csv" is encrypted'):
        take(path)


@pytest.mark.parametrize("mode", ["zip", "w:gz", "w:bz2", "w:xz"])
def test_a_bomb_is_refused_by_what_comes_out_of_it(tmp_path: Path, mode: str) -> None:
    members = {"x.csv": ZEROS * 60}
    path = tmp_path / "a"
    if mode == "zip":
        make_zip(path, members)
    else:
        make_tar(path, members, mode)
    with pytest.raises(DatabaseError, match="more than 500 times"):
        take(path)
    with pytest.raises(DatabaseError, match="11 megabytes in the archive"):
        take(path, megabytes=10)
    written = sum(each.stat().st_size for each in (tmp_path / "private").rglob("*"))
    assert written < 60_000_000


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_bomb_that_nobody_wants_is_refused_as_well(tmp_path: Path, mode: str) -> None:
    path = make_tar(tmp_path / "a", {"readme": ZEROS * 60, "x.csv": b"1"}, mode)
    with pytest.raises(DatabaseError, match="more than 500 times"):
        take(path)


def test_a_size_that_the_header_lies_about_is_not_believed(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x.csv": b"x" * 1000})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match="damaged or cut short"):
        take(path)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {f"{at}.png": b"" for at in range(20_001)})
    with pytest.raises(DatabaseError, match="more than 20,000 members"):
        take(path)


def test_a_list_of_members_that_fills_the_memory_is_not_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x.csv": b"1"})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = (70_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match="more than 20,000 members"):
        take(path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path, mode: str) -> None:
    content = bytes(range(256)) * 40
    path = tmp_path / "a"
    if mode == "zip":
        make_zip(path, {"x.csv": content, "y.csv": content})
    else:
        make_tar(path, {"x.csv": content, "y.csv": content}, mode)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(DatabaseError, match="damaged or cut short"):
        take(path)


def test_a_tar_with_a_broken_second_header_is_not_half_read(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"x.csv": b"1", "y.csv": b"2"})
    data = bytearray(path.read_bytes())
    data[1024 + 150] ^= 0xFF  # the checksum of the second header
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match="where a member begins"):
        take(path)


def test_a_text_is_no_tar_and_an_empty_zip_has_no_members(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n" * 300)
    assert not is_tar(tmp_path / "a.csv")
    (tmp_path / "a.csv").unlink()
    assert take(make_zip(tmp_path / "a.zip", {})) == ([], [])
