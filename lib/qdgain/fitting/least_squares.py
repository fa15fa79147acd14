"""Least squares for models that are sums of named parts, begun from a scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.fitting.averaging import FittedSpectrum, correlation_factor
from qdgain.fitting.spectra import Spectrum
from qdgain.model.dot import FloatArray

#: A model: from the values of its parameters to the curves that it is the sum of.
Parts = Callable[[Mapping[str, float]], dict[str, FloatArray]]
#: A band counts as seen above this many standard errors.
_SEEN = 5.0
#: Of central differences, relative.
_STEP = 1e-5


def total(parts: Mapping[str, FloatArray]) -> FloatArray:
    """Return the sum of the parts of a model."""
    return np.asarray(sum(parts.values()))


class Fit(NamedTuple):
    """Names, values and covariance of one fit, its Bayesian information criterion, its curves."""

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    criterion: float
    spectrum: FittedSpectrum

    def value(self, name: str) -> float:
        """Return the value of one parameter."""
        return float(self.values[self.names.index(name)])

    def sees(self, height: str) -> bool:
        """Whether a height is well above its standard error."""
        i = self.names.index(height)
        return bool(self.values[i] >= _SEEN * np.sqrt(self.covariance[i, i]))


def solve(
    parts: Parts, names: tuple[str, ...], start: Sequence[float] | FloatArray, spectrum: Spectrum
) -> Fit | None:
    """Fit a model by least squares; None if the data do not determine its parameters.

    The covariance comes from the scatter of the residual, and is raised where neighbouring
    residuals are correlated.
    """
    # Its import takes longer than most fits, and most uses of the library fit nothing.
    from lmfit import Parameters, minimize  # noqa: PLC0415

    scale = float(np.max(np.abs(spectrum.values)))
    free = Parameters()
    for name, value in zip(names, start, strict=True):
        free.add(name, value=float(value))

    def residual(p: Parameters) -> FloatArray:
        misfit = total(parts(p.valuesdict())) - spectrum.values
        return np.asarray(misfit / spectrum.relative_noise / scale)

    found = minimize(residual, free, max_nfev=200 * len(names))
    covariance = getattr(found, "covar", None)
    if covariance is None or not found.success or not np.all(np.isfinite(covariance)):
        return None
    left = np.asarray(found.residual) * scale
    factor = correlation_factor(left)
    fitted = found.params.valuesdict()
    curves = FittedSpectrum(
        spectrum.energy_eV,
        spectrum.values,
        parts(fitted),
        float(np.sqrt(left @ left / (left.size - len(names)))),
        factor,
    )
    values = np.array([fitted[name] for name in names])
    return Fit(names, values, factor * np.asarray(covariance), float(found.bic), curves)


def mesh(*axes: ArrayLike) -> list[FloatArray]:
    """Return the coordinates of all K points of a grid, each of shape (K, 1)."""
    return [np.asarray(grid).reshape(-1, 1) for grid in np.meshgrid(*axes, indexing="ij")]


def design(*columns: FloatArray) -> FloatArray:
    """Return curves of shapes that broadcast to (K, E) as designs of shape (K, E, M)."""
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def best_start(
    grids: Sequence[FloatArray], designs: FloatArray, values: FloatArray, positive: int
) -> FloatArray | None:
    """Return the point of K whose design fits best, and its linear coefficients after it.

    The first `positive` coefficients have to be above zero; None if they nowhere are.
    """
    transposed = np.swapaxes(designs, 1, 2)
    gram = transposed @ designs
    gram += 1e-9 * np.einsum("kii->k", gram)[:, None, None] * np.eye(designs.shape[2])
    linear = np.linalg.solve(gram, transposed @ values[:, None])
    misfit = np.sum((designs @ linear - values[:, None]) ** 2, axis=(1, 2))
    allowed = (linear[:, :positive, 0] > 0).all(axis=1)
    if not allowed.any():
        return None
    best = int(np.argmin(np.where(allowed, misfit, np.inf)))
    return np.array([*(grid[best, 0] for grid in grids), *linear[best, :, 0]])


def jacobian(model: Callable[[FloatArray], FloatArray], at: FloatArray) -> FloatArray:
    """Return the slopes of a model against its parameters, by central differences."""
    columns = []
    for step in np.diag(_STEP * np.maximum(np.abs(at), 1e-3)):
        columns.append((model(at + step) - model(at - step)) / (2 * step.sum()))
    return np.stack(columns, axis=-1)
