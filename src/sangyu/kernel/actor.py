"""Who acts: one value that every service takes and every layer below trusts."""

from dataclasses import dataclass, field
from enum import StrEnum

#: Path of the root region; every path starts with it. Three characters a level, see docs/adr/0002.
ROOT_PATH = "000"


class Audience(StrEnum):
    """Kinds of user that see rows by different rules; each is one database role ``sangyu_<value>``."""

    STAFF = "staff"
    PROVIDER = "provider"
    WORKER = "worker"
    FAMILY = "family"
    JOB = "job"

    @property
    def db_role(self) -> str:
        return f"sangyu_{self.value}"


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in account with the one grant chosen for this session, or a job.

    ``path`` is the region whose rows the actor sees (staff, job) or belongs to (others). ``subject_id`` is the
    organisation (provider), worker (worker) or account (family) whose rows are seen; None for staff and jobs.
    """

    audience: Audience
    path: str
    name: str
    account_id: int | None = None
    subject_id: int | None = None
    role: str = ""
    grant_id: int | None = None
    region_name: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset, repr=False)

    def may(self, permission: str) -> bool:
        """Whether the role holds ``permission``; jobs hold all (they carry out what a person was allowed to start)."""
        return self.audience is Audience.JOB or permission in self.permissions

    @classmethod
    def job(cls, name: str, path: str = ROOT_PATH) -> "Actor":
        """The actor of background work on the rows under ``path``."""
        return cls(audience=Audience.JOB, path=path, name=name, role="job")
