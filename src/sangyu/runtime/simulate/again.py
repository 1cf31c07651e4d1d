"""How simulated devices try again."""

import asyncio
from random import Random

#: Seconds after which an alarm that was not answered is sent again.
AGAIN = 5.0
#: Seconds between two attempts to connect, doubled up to the greatest.
BACK, BACK_MOST = 0.5, 30.0


class Pause:
    """The time between two attempts to connect: longer each time until one succeeds, and never the same for two devices."""

    def __init__(self, draw: Random) -> None:
        self.draw, self.seconds = draw, BACK

    async def over(self) -> None:
        await asyncio.sleep(self.seconds * (0.5 + self.draw.random()))
        self.seconds = min(self.seconds * 2, BACK_MOST)

    def succeeded(self) -> None:
        self.seconds = BACK
