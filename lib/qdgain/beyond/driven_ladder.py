"""A dot driven by one pump pulse: the ladder 0, X, XX with a detuned second step, and dephasing.

A pulse is Gaussian and without chirp; its duration τ is the full width at half maximum of its
intensity.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants, optimize, special

from qdgain.model import units
from qdgain.model.dot import FloatArray
from qdgain.model.populations import Populations

#: ħ in meV fs.
HBAR_MEV_FS = constants.hbar / constants.e * 1e18
#: Half of the time over which a pulse is followed, in standard deviations of its field.
_HALF_SPAN = 5.0
_FEWEST_STEPS = 400
#: Steps per unit of the fastest frequency times the pulse's width.
_STEPS_PER_PHASE = 80.0
#: The D at which `pair_suppression`, e^(-D²)[1 + erfi²(D/2)], is ½.
_HALF_SUPPRESSED = float(
    optimize.brentq(lambda D: math.exp(-D * D) * (1 + special.erfi(D / 2) ** 2) - 0.5, 0.0, 3.0)
)


def field_width_fs(pump_duration_fs: ArrayLike) -> FloatArray:
    r"""Return the standard deviation of a pulse's field, :math:`s = \tau/(2\sqrt{\ln 2})`.

    The field is wider than the intensity by √2.
    """
    duration = units.positive("pump_duration_fs", pump_duration_fs)
    return np.asarray(duration / (2 * np.sqrt(np.log(2))))


def transform_limit_meV(pump_duration_fs: ArrayLike) -> FloatArray:
    r"""Return the full width at half maximum of a pulse's spectrum, :math:`4\ln 2\,\hbar/\tau`."""
    duration = units.positive("pump_duration_fs", pump_duration_fs)
    return np.asarray(4 * np.log(2) * HBAR_MEV_FS / duration)


def dephasing_time_fs(linewidth_meV: ArrayLike) -> FloatArray:
    r"""Return the dephasing time of a Lorentzian line of full width Γ, :math:`2\hbar/\Gamma`."""
    return 2 * HBAR_MEV_FS / units.positive("linewidth_meV", linewidth_meV)


def ladder_populations(
    area: ArrayLike, second_step_detuning_meV: ArrayLike, pump_duration_fs: float
) -> Populations:
    r"""Return the populations that a pulse resonant with 0 → X leaves in 0, X and XX.

    Two channels, each driven at the Rabi frequency Ω(t), whose double excitation is shifted by
    Δ: in the rotating frame and with J_x the spin-1 matrix of the states 0, (X₁ + X₂)/√2, XX,

    .. math::
        H = \hbar\,\Omega(t)\,J_x - \Delta\,|XX\rangle\langle XX|,\qquad \int\Omega\,dt = \theta

    At Δ = 0 this is the product of two channels of occupation sin²(θ/2). At large Δ the biexciton
    is out of reach and the exciton is driven √2 faster: :math:`P_1 = \sin^2(\theta/\sqrt2)`.

    The pulse area θ is π at the fluence J_π, Δ the centre of A_X minus that of A_XX1; their shapes
    broadcast. Neither dephasing nor relaxation; alternate exact steps of coupling and detuning, to
    second order in the step. Assumed; the paper's Rabi picture (section 3.3) takes Δ = 0 silently.
    """
    theta, shift = np.broadcast_arrays(
        np.asarray(area, dtype=float), np.asarray(second_step_detuning_meV, dtype=float)
    )
    detuning = shift * float(field_width_fs(pump_duration_fs)) / HBAR_MEV_FS
    step, envelope = _steps(float(np.max(np.maximum(np.abs(theta), np.abs(detuning)), initial=0)))
    half = np.exp(0.5j * detuning * step)
    ground, exciton, biexciton = (np.zeros(theta.shape, dtype=complex) for _ in range(3))
    ground += 1
    for weight in envelope:
        biexciton = half * biexciton
        # exp(-iφJ_x) = 1 - i sin φ J_x + (cos φ - 1) J_x².
        turned = -1j * np.sin(weight * theta) / np.sqrt(2)
        fewer = 0.5 * (np.cos(weight * theta) - 1)
        both = ground + biexciton
        ground, exciton, biexciton = (
            ground + turned * exciton + fewer * both,
            exciton * (1 + 2 * fewer) + turned * both,
            half * (biexciton + turned * exciton + fewer * both),
        )
    return Populations(*(np.abs(state) ** 2 for state in (ground, exciton, biexciton)))


def pair_suppression(
    second_step_detuning_meV: ArrayLike, pump_duration_fs: ArrayLike
) -> FloatArray:
    r"""Return 4P₂/P₁² at low fluence: the biexcitons over those of two independent channels.

    With D = Δ s/ħ and s the standard deviation of the field,

    .. math::
        \frac{4P_2}{P_1^2} = \Big|2\!\int\! g(t)\,e^{iDt/s}\!\int_{-\infty}^t\! g\,dt'dt\Big|^2
        = e^{-D^2}\big[1+\mathrm{erfi}^2(D/2)\big]

    the square of the characteristic function of a skew normal distribution: 1 on resonance, and
    falling like :math:`4e^{-D^2/2}/\pi D^2`. Second order of the amplitude of XX in the field.
    """
    D = np.asarray(second_step_detuning_meV) * field_width_fs(pump_duration_fs) / HBAR_MEV_FS
    # erfi(x) = 2/√π e^(x²) F(x) with Dawson's F, so that nothing overflows.
    tail = 2 / np.sqrt(np.pi) * special.dawsn(0.5 * D) * np.exp(-0.25 * D**2)
    return np.asarray(np.exp(-(D**2)) + tail**2)


def half_suppressed_meV(pump_duration_fs: ArrayLike) -> FloatArray:
    """Return the detuning Δ at which `pair_suppression` is one half."""
    return np.asarray(_HALF_SUPPRESSED * HBAR_MEV_FS / field_width_fs(pump_duration_fs))


def dephased_occupation(
    area: ArrayLike, pump_duration_fs: float, dephasing_time_fs: float
) -> FloatArray:
    r"""Return the occupation of one resonant channel that loses its phase during the pulse.

    The Bloch equations without relaxation of the population, for pulse areas θ of shape N,

    .. math::
        \dot v = -v/T_2 - \Omega w,\qquad \dot w = \Omega v,\qquad n = (1+w)/2

    For :math:`T_2\to\infty` n = sin²(θ/2); for T₂ far below the pulse's duration it is
    :math:`\tfrac12(1-e^{-T_2\int\Omega^2dt})`, which never exceeds one half.
    """
    theta = np.asarray(area, dtype=float)
    rate = float(field_width_fs(pump_duration_fs)) / dephasing_time_fs
    step, envelope = _steps(max(rate, float(np.max(np.abs(theta), initial=0.0))))
    damping = np.exp(-0.5 * rate * step)
    v, w = np.zeros(theta.shape), -np.ones(theta.shape)
    for weight in envelope:
        sine, cosine = np.sin(weight * theta), np.cos(weight * theta)
        v = damping * v
        v, w = damping * (cosine * v - sine * w), sine * v + cosine * w
    return np.asarray(0.5 * (1 + w))


def slope_with_dephasing(pump_duration_fs: float, dephasing_time_fs: float) -> float:
    r"""Return by what factor dephasing changes the occupation at low fluence.

    :math:`n \to \kappa\,\theta^2/4`, :math:`\kappa = \int\!\!\int g\,g'\,e^{-|t-t'|/T_2}
    = \mathrm{erfcx}(s/T_2)` with s the standard deviation of the field g.
    """
    return float(special.erfcx(float(field_width_fs(pump_duration_fs)) / dephasing_time_fs))


def _steps(fastest: float) -> tuple[float, FloatArray]:
    """Return the time step in widths of the field, and each step's share of the pulse area."""
    count = int(np.ceil(max(_FEWEST_STEPS, _STEPS_PER_PHASE * fastest)))
    edges = np.linspace(-_HALF_SPAN, _HALF_SPAN, count + 1)
    share = np.diff(special.ndtr(edges))
    return float(edges[1] - edges[0]), np.asarray(share / share.sum())
