"""How far two pictures of a figure differ to the eye, and the stored picture of each figure.

`make pictures` stores anew those figures that look different, and nothing else does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from regression_picture import PICTURES as DIFFERENCES

STORED = Path(__file__).resolve().parent / "pictures"
#: Of 255. The largest found between matplotlib's patch releases 3.11.0 and 3.11.2 is 3, to 3.10.9
#: it is 8, to letters fitted to pixels 9. A lost axis label of one letter is above 40, an emptied
#: legend or a lost panel above 65. The root mean square of the pixels is 11 and 32 for the same
#: releases and 37 for the letters.
LIMIT = 12.0
#: Half of the pixels, at 60 to the inch, by which a part of the picture may have moved.
_REACH = 3
_BLUR = 1.0
_LEAST_AREA = 5
_SHADES = 31


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where two pictures differ, from 0 to 255, of shape (height, width).

    A pixel differs by what it lies outside the range of shades that the other picture has within
    a few pixels, either way round; averaged over a small area.
    """
    if max(abs(a - b) for a, b in zip(one.shape, other.shape, strict=True)) > 1:
        return np.full(one.shape[:2], 255.0)
    height, width = np.minimum(one.shape, other.shape)[:2]
    one, other = (picture[:height, :width].astype(float) for picture in (one, other))
    if np.abs(one - other).max() <= 255 / _SHADES:
        return np.zeros((height, width))
    one, other = (ndimage.gaussian_filter(p, (_BLUR, _BLUR, 0)) for p in (one, other))
    outside = np.maximum(_outside(one, other), _outside(other, one)).max(axis=-1)
    return np.asarray(ndimage.uniform_filter(outside, _LEAST_AREA))


def _outside(picture: np.ndarray, other: np.ndarray) -> np.ndarray:
    window = (2 * _REACH + 1, 2 * _REACH + 1, 1)
    low = ndimage.minimum_filter(other, window)
    high = ndimage.maximum_filter(other, window)
    return np.maximum(np.maximum(picture - high, low - picture), 0)


def stored(name: str, folder: Path = STORED) -> np.ndarray:
    """Return the stored picture of a figure."""
    with Image.open(folder / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"))


def store(name: str, picture: np.ndarray, folder: Path = STORED) -> None:
    """Store a figure's picture in few shades, which halves its size."""
    shades = np.round(picture / 255 * _SHADES) / _SHADES * 255
    folder.mkdir(exist_ok=True)
    image = Image.fromarray(shades.round().astype(np.uint8))
    image.save(folder / f"{name}.png", optimize=True)


def explain(name: str, reference: np.ndarray, now: np.ndarray) -> str:
    """Save reference, now and difference beside each other, and say how far they are apart."""
    off = difference(reference, now)
    shown = [reference, now, np.repeat(255 - off[..., None], 3, axis=-1)]
    height = max(part.shape[0] for part in shown)
    padded = [
        np.pad(part, ((0, height - part.shape[0]), (0, 8), (0, 0)), constant_values=128)
        for part in shown
    ]
    DIFFERENCES.mkdir(parents=True, exist_ok=True)
    target = DIFFERENCES / f"{name}.png"
    Image.fromarray(np.hstack(padded).astype(np.uint8)).save(target)
    y, x = np.unravel_index(np.argmax(off), off.shape)
    return (
        f"{name} looks different, by {off.max():.0f} of 255 (up to {LIMIT:g} is allowed), most "
        f"{x / off.shape[1]:.0%} from the left and {y / off.shape[0]:.0%} from the top: see "
        f"{target}. If that is meant, `make pictures` stores it anew."
    )
