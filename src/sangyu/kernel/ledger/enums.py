from django.db import models
from django.utils.translation import gettext_lazy as _


class Unit(models.TextChoices):
    """What an account counts, always in whole numbers."""

    FEN = "fen", _("Money (fen)")
    VOUCHER_FEN = "voucher_fen", _("Vouchers (fen)")
    MINUTE = "minute", _("Minutes")
    POINT = "point", _("Points")


class Phase(models.TextChoices):
    """What a transfer does: move at once, reserve, end a reservation, or reverse an earlier transfer."""

    TRANSFER = "transfer", _("Transfer")
    RESERVE = "reserve", _("Reservation")
    POST = "post", _("Posted")
    VOID = "void", _("Released")
    EXPIRE = "expire", _("Expired")
    CORRECT = "correct", _("Correction")
