r"""Detailed balance between absorption and emission: what a Stokes shift may be at a temperature.

Kennard and Stepanov, and for stimulated emission McCumber: with the exciton's sublevels at thermal
equilibrium, PL_X(E)/A_X(E) = exp((E_Z - E)/kT) for cross sections. Two Gaussians of one width meet
it at every energy if and only if S = s²/kT.

Thresholds here are those without excited-state absorption, under Rabi or sequential statistics.
Shapes of array arguments broadcast; where a value must be above zero, a ParameterError says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters, units
from qdgain.model.bands import (
    band_offsets_meV,
    detuning_from_absorption_meV,
    expand,
    log_bands,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import flat_detuning_meV
from qdgain.model.states import states

#: What stays while the other follows, in `balanced_dot`.
KEEPS = ("stokes_shift_meV", "linewidth_meV")
#: The widths that a dot's bands may have of their own.
OWN_WIDTHS = tuple(n for n in parameters.DOT_PARAMETERS if n.endswith("_linewidth_meV"))


def balanced_stokes_shift_meV(linewidth_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the Stokes shift that detailed balance asks of Gaussian bands of one width.

    :math:`S = s^2/kT,\quad s = \Gamma/(2\sqrt{2\ln 2})`, with a homogeneous Γ, not one from a
    spread of sizes. Source: McCumber 1964, DOI 10.1103/PhysRev.136.A954, applied to the bands of
    paper section 3.3.

    >>> round(float(balanced_stokes_shift_meV(80, 300)), 1)
    44.6
    """
    width = units.sigma_from_fwhm(units.positive("linewidth_meV", linewidth_meV))
    return np.asarray(width**2 / units.thermal_energy_meV(temperature_K))


def balanced_linewidth_meV(stokes_shift_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the width at which a Stokes shift meets detailed balance.

    :math:`\Gamma = 2\sqrt{2\ln 2}\,\sqrt{S\,kT}`, the inverse of `balanced_stokes_shift_meV`.

    >>> round(float(balanced_linewidth_meV(44.6, 300)))
    80
    """
    shift = units.positive("stokes_shift_meV", stokes_shift_meV)
    return units.fwhm_from_sigma(np.sqrt(shift * units.thermal_energy_meV(temperature_K)))


def balanced_temperature_K(stokes_shift_meV: ArrayLike, linewidth_meV: ArrayLike) -> FloatArray:
    r"""Return the temperature at which a Stokes shift and a width meet detailed balance.

    :math:`T = s^2/(k\,S)`, from `balanced_stokes_shift_meV`.

    >>> round(float(balanced_temperature_K(44.6, 80)))
    300
    """
    shift = units.positive("stokes_shift_meV", stokes_shift_meV)
    width = units.sigma_from_fwhm(units.positive("linewidth_meV", linewidth_meV))
    return np.asarray(width**2 / shift / units.thermal_energy_meV(1.0))


def zero_phonon_energy_eV(dot: Dot) -> FloatArray:
    """Return E_Z, the energy midway between A_X and PL_X, of shape D.

    There the two unit-peak bands of one width cross; detailed balance makes it the energy of the
    transition without phonons.

    >>> float(zero_phonon_energy_eV(Dot(absorption_energy_eV=2.0, stokes_shift_meV=40)))
    1.98
    """
    midway = 0.5e-3 * band_offsets_meV(dot).emission
    return np.broadcast_to(np.asarray(dot.absorption_energy_eV) + midway, dot.shape)


def balanced_threshold(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    r"""Return the threshold that detailed balance imposes at photon energies E, of shape D + E.

    :math:`\langle N\rangle_{th}(E) = 2/\big(1 + e^{(E_Z-E)/kT}\big)`. Only E_Z is taken from the
    dot; where S = s²/kT it is `qdgain.threshold_at_energy` of the uncorrelated dot. Source:
    2A_X/(A_X + PL_X) of paper section 3.3 with the ratio of McCumber 1964,
    DOI 10.1103/PhysRev.136.A954.

    >>> dot = Dot(absorption_energy_eV=2.0, stokes_shift_meV=40)
    >>> balanced_threshold(dot, [1.96, 1.98], 300).round(2).tolist()
    [0.63, 1.0]
    """
    return np.asarray(2 * scipy.special.expit(-_mccumber_exponent(dot, energy_eV, temperature_K)))


def balanced_threshold_at_emission(
    linewidth_meV: ArrayLike, temperature_K: ArrayLike
) -> FloatArray:
    r"""Return the lowest threshold at the centre of PL_X that detailed balance allows a width.

    :math:`\langle N\rangle_{th} = 2/\big(1 + e^{s^2/2(kT)^2}\big)`: `threshold_at_emission_peak`
    with S = s²/kT. Broad lines have the low thresholds.

    >>> balanced_threshold_at_emission([50, 100], 300).round(2).tolist()
    [0.83, 0.41]
    """
    return threshold_at_emission_peak(
        balanced_stokes_shift_meV(linewidth_meV, temperature_K), temperature_K
    )


def threshold_at_emission_peak(stokes_shift_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the threshold at the peak of PL_X that detailed balance imposes on any line shape.

    :math:`\langle N\rangle_{th} = 2/\big(1 + e^{S/2kT}\big)` with S between the peaks of A_X and
    PL_X, not below zero: `balanced_threshold` at S/2 below E_Z, where the peak lies if PL_X is the
    mirror image of A_X, as it is for displaced oscillators.

    >>> threshold_at_emission_peak([0, 50, 100], 300).round(2).tolist()
    [1.0, 0.55, 0.25]
    """
    shift = np.asarray(stokes_shift_meV, dtype=float)
    return np.asarray(
        2 * scipy.special.expit(-0.5 * shift / units.thermal_energy_meV(temperature_K))
    )


def stokes_shift_for_threshold_meV(
    mean_excitons: ArrayLike, temperature_K: ArrayLike
) -> FloatArray:
    r"""Return the Stokes shift that a threshold from 0 to 1 takes at the peak of PL_X.

    :math:`S = 2kT\,\ln\big(2/\langle N\rangle_{th}-1\big)`, the inverse of
    `threshold_at_emission_peak`.

    >>> round(float(stokes_shift_for_threshold_meV(0.5, 300)), 1)
    56.8
    """
    mean = np.asarray(mean_excitons, dtype=float)
    return np.asarray(2 * units.thermal_energy_meV(temperature_K) * np.log(2 / mean - 1))


def fine_structure_threshold(
    splitting_meV: ArrayLike, temperature_K: ArrayLike, upper_states: ArrayLike = 1.0
) -> FloatArray:
    r"""Return the threshold on the lower of two split, narrow lines in detailed balance.

    :math:`\langle N\rangle_{th} = 2(1+q)/(2+q),\quad q = g\,e^{-\delta/kT}`, with X_A split from
    X_E by δ, wide against both lines, and g states at X_A for each one at X_E. It is never below
    1, because X_E absorbs where it emits. It is `balanced_threshold` at X_E with the exciton's free
    energy :math:`E_Z = E_{X_E} - kT\ln(1+q)`. Source: McCumber 1964,
    DOI 10.1103/PhysRev.136.A954, for the 3LS of paper section 3.1.

    >>> fine_structure_threshold([0, 30], 300).round(2).tolist()
    [1.33, 1.14]
    """
    exponent = np.asarray(splitting_meV, dtype=float) / units.thermal_energy_meV(temperature_K)
    excited = np.asarray(upper_states, dtype=float) * np.exp(-exponent)
    return np.asarray(2 * (1 + excited) / (2 + excited))


def biexciton_stokes_shift_meV(dot: Dot) -> FloatArray:
    r"""Return the Stokes shift of the biexciton: centre of A_XX2 minus centre of PL_XX, of shape D.

    :math:`S_{XX} = S + \Delta_E - \Delta_{A2}`, of the bands of paper section 3.3; that real dots
    have one is in DOI 10.1103/PhysRevB.80.081310. Both bands join the relaxed exciton with the
    biexciton, so that detailed balance holds for them as it does for A_X and PL_X: bands of the
    width s must have :math:`S_{XX}=s^2/kT`, and if all four share it, Δ_A2 = Δ_E. That PL_XX ends
    in the state that A_XX2 starts from, and that the biexciton is thermal, is assumed.

    >>> dot = Dot(stokes_shift_meV=40, absorptive_binding_meV=30, emissive_binding_meV=10)
    >>> float(biexciton_stokes_shift_meV(dot))
    20.0
    """
    offsets = band_offsets_meV(dot)
    return np.broadcast_to(offsets.xx_absorption - offsets.xx_emission, dot.shape)


def balanced_dot(dot: Dot, temperature_K: ArrayLike, keep: str, *, biexciton: bool = False) -> Dot:
    """Return a dot moved into detailed balance, all of its bands having the shared width.

    `keep`, one of `KEEPS`, is what stays; the other follows. With `biexciton` its bands are moved
    too: Δ_A2 to Δ_E. Raises `ParameterError` if what follows is out of the contract's range.

    >>> dot = Dot(linewidth_meV=80, stokes_shift_meV=20)
    >>> round(float(balanced_dot(dot, 300, "linewidth_meV").stokes_shift_meV), 1)
    44.6
    """
    changes: dict[str, Any] = dict.fromkeys(OWN_WIDTHS) | what_follows(dot, temperature_K, keep)
    if biexciton:
        changes["absorptive_binding_meV"] = dot.emissive_binding_meV
    return replace(dot, **changes)


def what_follows(dot: Dot, temperature_K: ArrayLike, keep: str) -> dict[str, FloatArray]:
    """Return the field that `balanced_dot` changes and its value, in the contract's range or not.

    >>> dot = Dot(linewidth_meV=80)
    >>> what_follows(dot, [77, 300], "linewidth_meV")["stokes_shift_meV"].round(1).tolist()
    [173.9, 44.6]
    """
    if keep not in KEEPS:
        raise parameters.ParameterError(f"keep = {keep!r} is not one of {', '.join(KEEPS)}.")
    if keep == "stokes_shift_meV":
        return {"linewidth_meV": balanced_linewidth_meV(dot.stokes_shift_meV, temperature_K)}
    return {"stokes_shift_meV": balanced_stokes_shift_meV(dot.linewidth_meV, temperature_K)}


def threshold_bounds(dot: Dot, energy_eV: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Return the thresholds of the exciton and of the biexciton alone, of shape D + E.

    :math:`2\alpha_0/(\alpha_0+2e_1)` and :math:`4\alpha_1/(2\alpha_1+g_2)`; in the reading
    *replacing* :math:`2A_X/(A_X+PL_X)` and :math:`2aA_{XX2}/(aA_{XX2}+\gamma PL_{XX})`. Under Rabi
    statistics the threshold lies between the two at every energy and in every reading, because
    :math:`G = (1-n)[2n\,e_1-(1-n)\,\alpha_0] + n[n\,g_2-2(1-n)\,\alpha_1]`. Where a full dot does
    not gain, nothing bounds it and the second is infinite.

    >>> dot = Dot(stokes_shift_meV=40, xx_absorption_strength=1, xx_emission_strength=0.5,
    ...           reading="replacing")
    >>> [round(float(bound), 2) for bound in threshold_bounds(dot, 1.96)]
    [0.67, 1.57]
    """
    own, shape = states(dot, flat_detuning_meV(dot, energy_eV)), dot.shape + np.shape(energy_eV)
    ground, absorbed, full = (
        own.absorption[..., 0, :],
        own.absorption[..., 1, :],
        own.gain[..., 2, :],
    )
    first = 2 * ground / (ground + 2 * own.emission[..., 1, :])
    second = np.full_like(first, np.inf)
    np.divide(4 * absorbed, 2 * absorbed + full, out=second, where=full > 0)
    return first.reshape(shape), second.reshape(shape)


def balance_deviation(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    r"""Return by how much a dot's bands miss detailed balance, of shape D + E.

    :math:`\ln(PL_X/A_X) - (E_Z-E)/kT` with the own widths of A_X and PL_X, zero everywhere if they
    meet it. Positive: more emission than a thermal exciton could give there. Source:
    Kennard-Stepanov relation in McCumber's form, DOI 10.1103/PhysRev.136.A954.

    >>> balance_deviation(Dot(linewidth_meV=80, stokes_shift_meV=20), [1.96, 2.0], 300).round(2)
    array([-0.64,  0.21])
    """
    logs = log_bands(dot, detuning_from_absorption_meV(dot, energy_eV))
    return logs.emission - logs.absorption - _mccumber_exponent(dot, energy_eV, temperature_K)


def _mccumber_exponent(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    """Return (E_Z - E)/kT of shape D + E."""
    energy = np.asarray(energy_eV, dtype=float)
    centre = expand(zero_phonon_energy_eV(dot), dot, energy.ndim)
    return np.asarray(1e3 * (centre - energy) / units.thermal_energy_meV(temperature_K))
