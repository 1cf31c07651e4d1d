"""``make demo`` and work at a desk: everything in SANGYU_HOME, keys made on first start."""

from .base import *  # noqa: F403
