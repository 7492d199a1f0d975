"""A real PostgreSQL in a temporary folder, as the user ``postgres`` where the tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import TracebackType

from sqlalchemy import URL, create_engine, make_url, text

from jupyter_mlstudio.store.database import Database

TEMPLATE = "studio_template"


def programs() -> Path | None:
    """Finds the newest installed PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class PostgreSQL:
    """A server that listens on a socket in its own folder only."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self.folder = Path(tempfile.mkdtemp(prefix="mlstudio-pg-"))
        self._data = self.folder / "data"

    def __enter__(self) -> PostgreSQL:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=200"
        settings += " -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=64MB -c min_wal_size=32MB"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self.folder / "log"), "-o", settings, "start")
        self._sql(f"CREATE DATABASE {TEMPLATE}")
        template = Database(self.url(TEMPLATE))
        template.prepare()
        template.close()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def new_database(self, template: str = TEMPLATE) -> str:
        """Makes a database with the studio's tables, or an empty one, and returns its URL."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected to it: each takes several megabytes."""
        self._sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def url(self, name: str) -> str:
        """URL of one of its databases."""
        parts = URL.create("postgresql+psycopg", "postgres", database=name, query={"host": str(self.folder)})
        return parts.render_as_string(hide_password=False)

    def _sql(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*as_user, str(self._bin / program), *arguments]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        with (self.folder.parent / f"{self.folder.name}.out").open("w+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, env=environment, cwd="/", check=False)
            output.seek(0)
            said = output.read()
        (self.folder.parent / f"{self.folder.name}.out").unlink()
        assert done.returncode == 0, f"{program}: {said}"
