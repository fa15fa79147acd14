"""The CSV of a map, read back by hand: every value stands beside its own place."""

import csv

import numpy as np

from qdgain.figures.kit import panel
from qdgain.figures.panel import Axis, Series


def test_every_value_of_a_map_stands_beside_its_place(tmp_path):
    x, y = Axis("energy", "eV"), Axis("excitons")
    energies, excitons = np.array([1.5, 2.0, 2.5]), np.array([0.0, 0.5])
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    shown = Series("gain", energies, excitons, z=values, z_axis=Axis("G", "cm⁻¹"), kind="map")
    points = Series("points", [1.0], [0.1], y_low=[0.05], y_high=[0.3], kind="points")
    panel("a", "map", x, y, [shown, points]).to_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    low, high = "excitons, low [1]", "excitons, high [1]"
    assert rows == [
        ["series", "energy [eV]", "excitons [1]", "G [cm⁻¹]", low, high],
        ["gain", "1.5", "0.0", "1.0", "", ""],
        ["gain", "2.0", "0.0", "2.0", "", ""],
        ["gain", "2.5", "0.0", "3.0", "", ""],
        ["gain", "1.5", "0.5", "4.0", "", ""],
        ["gain", "2.0", "0.5", "5.0", "", ""],
        ["gain", "2.5", "0.5", "nan", "", ""],
        ["points", "1.0", "0.1", "", "0.05", "0.3"],
    ]
