"""Who asks: named by the doors for each request, looked at by what not everybody may do."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException, Request

from callme.config import Role


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody whom the doors let in. `name` is how he logged in."""

    name: str
    role: Role


LOCAL = Guest("local", Role.MANAGE)
"""Whoever sits at this machine, where no password is configured."""


_STRANGER = Guest("", Role.LOOK)


def guest_of(request: Request) -> Guest:
    """Who asks; of whom the doors said nothing nothing is known."""
    found: Guest = getattr(request.state, "guest", _STRANGER)
    return found


def admit(request: Request, needed: Role) -> Guest:
    """Who asks, if he may; 403 otherwise."""
    guest = guest_of(request)
    if not guest.role.covers(needed):
        raise HTTPException(403, f"this needs the role “{needed}”; {guest.name} has “{guest.role}”")
    return guest
