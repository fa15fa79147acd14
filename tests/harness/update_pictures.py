"""Store anew the picture of every figure that looks different: ``make pictures``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

import drawn
import perceptual


def update(pictures: Mapping[str, np.ndarray], folder: Path = perceptual.STORED) -> list[str]:
    """Store the pictures that are missing or look different, remove the others' leftovers."""
    changes = []
    for name, picture in pictures.items():
        known = (folder / f"{name}.png").exists()
        if known and perceptual.difference(perceptual.stored(name, folder), picture).max() <= (
            perceptual.LIMIT
        ):
            continue
        perceptual.store(name, picture, folder)
        changes.append(f"{'changed' if known else 'new'}: {name}")
    for path in sorted(folder.glob("*.png")):
        if path.stem not in pictures:
            path.unlink()
            changes.append(f"removed: {path.stem}")
    return changes


if __name__ == "__main__":
    print("\n".join(update({name: drawn.drawing(name).picture for name in drawn.NAMES})) or "as is")
