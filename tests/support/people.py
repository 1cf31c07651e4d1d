"""Actors with exactly what their role holds, for tests of pages as users see them."""

from dataclasses import replace

from sangyu.kernel.actor import Actor
from sangyu.registry.accounts import roles


def in_role(actor: Actor, role: str) -> Actor:
    """``actor`` with the permissions of ``role`` as data/roles says."""
    return replace(actor, role=role, permissions=roles.role(role).permissions)
