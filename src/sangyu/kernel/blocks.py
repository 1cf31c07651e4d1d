"""Why something is not possible now, said before anybody tries: shown beside a candidate, stored with a manual override."""

from typing import NamedTuple


class Block(NamedTuple):
    """``code`` is stable for machines ("licence.expired"), ``message`` is translated text for the screen."""

    code: str
    message: str
