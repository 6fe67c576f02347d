"""The session of connector, so that job functions written for it run as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, models
from odoo.modules import module
from odoo.modules.registry import Registry


class ConnectorSession:
    """An environment under the names that connector gave it.

    :param cr: database cursor
    :param uid: id of the user
    :param context: context values
    """

    def __init__(self, cr, uid: int, context: dict | None = None) -> None:
        self.env = api.Environment(cr, uid, context or {})

    @classmethod
    def from_env(cls, env: api.Environment) -> ConnectorSession:
        """Return a session on an existing environment."""
        session = cls.__new__(cls)
        session.env = env
        return session

    @property
    def cr(self):
        """Database cursor."""
        return self.env.cr

    @property
    def uid(self) -> int:
        """Id of the user."""
        return self.env.uid

    @property
    def context(self) -> dict:
        """Context values."""
        return self.env.context

    @property
    def pool(self):
        """Registry of models."""
        return self.env.registry

    @contextmanager
    def change_user(self, uid: int) -> Iterator[None]:
        """Act as another user for a while."""
        yield from self._while(self.env(user=uid))

    @contextmanager
    def change_context(self, *args, **kwargs) -> Iterator[None]:
        """Have other context values for a while; takes what ``dict.update`` takes."""
        yield from self._while(self.env(context=dict(self.env.context, **dict(*args, **kwargs))))

    def commit(self) -> None:
        """Commit what was done so far; the job stays alive and fenced. In a test: nothing."""
        if not module.current_test:
            self.env.cr.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self.env.cr.rollback()

    def close(self) -> None:
        """Close the cursor, and with it the session; not for the session that a job is given."""
        self.env.cr.close()

    def search(
        self,
        model: str,
        domain: list,
        limit: int | None = None,
        offset: int = 0,
        order: str | None = None,
    ) -> list[int]:
        """Return the ids of the records that a domain finds."""
        return self.env[model].search(domain, limit=limit, offset=offset, order=order).ids

    def browse(self, model: str, ids: int | list[int]) -> models.BaseModel:
        """Return records by their ids."""
        return self.env[model].browse(ids)

    def read(self, model: str, ids: int | list[int], fields: list[str]) -> list[dict]:
        """Return values of records, a dict for each."""
        return self.env[model].browse(ids).read(fields)

    def create(self, model: str, values: dict) -> int:
        """Create a record; return its id."""
        return self.env[model].create(values).id

    def write(self, model: str, ids: int | list[int], values: dict) -> bool:
        """Write values to records."""
        return self.env[model].browse(ids).write(values)

    def unlink(self, model: str, ids: int | list[int]) -> bool:
        """Delete records."""
        return self.env[model].browse(ids).unlink()

    def is_module_installed(self, module_name: str) -> bool:
        """Tell whether an addon is installed in the database."""
        return module_name in self.env.registry._init_modules

    def _while(self, env: api.Environment) -> Iterator[None]:
        before, self.env = self.env, env
        try:
            yield
        finally:
            self.env = before


class ConnectorSessionHandler:
    """Opens sessions on a database, each with a cursor of its own.

    :param db_name: name of the database
    :param uid: id of the user
    :param context: context values
    """

    def __init__(self, db_name: str, uid: int, context: dict | None = None) -> None:
        self.db_name = db_name
        self.uid = uid
        self.context = context or {}

    @contextmanager
    def session(self) -> Iterator[ConnectorSession]:
        """Open a session; commit at its end, roll back after an error, and close in any case."""
        registry = Registry(self.db_name).check_signaling()
        try:
            # The cursor commits when it is left without an error, and closes.
            with registry.cursor() as cr:
                yield ConnectorSession(cr, self.uid, self.context)
        except BaseException:
            registry.reset_changes()
            raise
        registry.signal_changes()


def as_env(session_or_env: ConnectorSession | api.Environment) -> api.Environment:
    """Return the environment of a session, or the environment itself."""
    return getattr(session_or_env, "env", session_or_env)
