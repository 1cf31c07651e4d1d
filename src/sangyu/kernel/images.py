"""Pictures people upload: decoded and written anew, so that nothing but the picture stays (no EXIF place, no hidden
payload).
"""

import io
import warnings

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import Invalid

#: A visit photo proves a service; 300 KB show a room and keep a county's year of photos on one disk.
PHOTO_BYTES = 300_000
#: Longest side in pixels.
LARGEST_SIDE = 3000
PHOTO_SIDE = 1600
#: Beyond this the decoder itself is the danger (a few KB can unpack to gigabytes).
MOST_PIXELS = 50_000_000


def shrink(data: bytes, *, limit: int | None = None) -> tuple[bytes, str]:
    """(bytes, content type) of the same picture, upright, at most ``limit`` bytes as JPEG when a limit is given.

    Raises Invalid when it cannot be decoded or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
            if image.width * image.height > MOST_PIXELS:
                raise _refuse(_("The picture has too many pixels."))
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise _refuse(_("The picture cannot be read.")) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refuse(_("The picture has too many pixels.")) from None
    keeps_alpha = limit is None and image.format != "JPEG" and image.mode in {"RGBA", "LA", "P", "PA"}
    image = ImageOps.exif_transpose(image)
    image = image.convert("RGBA" if keeps_alpha else "RGB")
    side = LARGEST_SIDE if limit is None else PHOTO_SIDE
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    # A fresh picture from the pixels alone: no metadata of any kind can travel along.
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    if keeps_alpha:
        return _encode(clean, "PNG", optimize=True), "image/png"
    if limit is None:
        return _encode(clean, "JPEG", quality=88), "image/jpeg"
    while True:
        for quality in (85, 75, 65, 55):
            encoded = _encode(clean, "JPEG", quality=quality, optimize=True)
            if len(encoded) <= limit:
                return encoded, "image/jpeg"
        clean = clean.resize((max(1, clean.width * 3 // 4), max(1, clean.height * 3 // 4)), Image.Resampling.LANCZOS)


def _encode(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _refuse(message: str) -> Invalid:
    return Invalid({"file": [message]}, code="files.refused")
