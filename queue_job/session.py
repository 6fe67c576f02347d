"""The session of connector, so that job functions written for it run as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api


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
        """Commit what was done so far; the job stays alive and fenced."""
        self.env.cr.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self.env.cr.rollback()

    def is_module_installed(self, module_name: str) -> bool:
        """Tell whether an addon is installed in the database."""
        return module_name in self.env.registry._init_modules

    def _while(self, env: api.Environment) -> Iterator[None]:
        before, self.env = self.env, env
        try:
            yield
        finally:
            self.env = before


def as_env(session_or_env: ConnectorSession | api.Environment) -> api.Environment:
    """Return the environment of a session, or the environment itself."""
    return getattr(session_or_env, "env", session_or_env)
