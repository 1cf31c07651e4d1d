"""The products that a device may be: the profiles of ``data/devices/products``, read by the engine (ADR 0022)."""

from functools import cache

from django.conf import settings

from sangyu.engines.codecs.products import Product, shipped

__all__ = ["Product", "product", "products"]


@cache
def products() -> dict[str, Product]:
    """Every product by code, in the order in which they are offered. Read once a process."""
    return shipped(settings.DATA / "devices" / "products")


def product(code: str) -> Product | None:
    """The product of that code; None when no profile has it (any more): the device stays in the register all the same."""
    return products().get(code)
