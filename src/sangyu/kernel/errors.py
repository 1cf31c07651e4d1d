"""What a service raises when it says no. Every refusal carries words for the person who asked.

The HTTP layers translate: Refused → 409, Invalid → 422, Forbidden → 403, NotVisible → 404. Nothing has changed in any case.
"""


class SangyuError(Exception):
    """Base of all answers that are not a result. ``message`` is translated text for the screen."""

    status = 400

    def __init__(self, message: str = "", *, code: str = "") -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or type(self).__name__.lower()


class Refused(SangyuError):
    """The request is understood and not possible now: wrong state, limit, conflict. ``code`` is stable for machines."""

    status = 409


class Invalid(SangyuError):
    """Input that must be corrected. ``errors`` maps field name → list of messages ('' for the whole form)."""

    status = 422

    def __init__(self, errors: dict[str, list[str]], *, code: str = "invalid") -> None:
        super().__init__("; ".join(str(m) for messages in errors.values() for m in messages), code=code)
        self.errors = errors


class Forbidden(SangyuError):
    """The actor's role lacks ``permission``."""

    status = 403

    def __init__(self, permission: str) -> None:
        super().__init__(permission, code="forbidden")
        self.permission = permission


class NotVisible(SangyuError):
    """The object does not exist or lies outside the actor's scope: the two are never told apart."""

    status = 404


class Replaced(NotVisible):
    """The row was merged into another of its kind: ``gone`` leads to ``into``, which the actor sees."""

    def __init__(self, gone: int, into: int) -> None:
        super().__init__("", code="replaced")
        self.gone, self.into = gone, into


class ScopeError(RuntimeError):
    """A programming error about scope: none given, empty, or a second one inside the first."""


class BadValue(ValueError):
    """One value that cannot be read. The message says what is wrong and what to do; ``code`` is stable for machines."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code
