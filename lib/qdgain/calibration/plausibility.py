"""What the calibrated numbers would mean for a real film, beside what is known of real ones."""

from __future__ import annotations

import numpy as np

from qdgain.model import first_exciton, units
from qdgain.model.balance import balanced_linewidth_meV
from qdgain.model.cross_sections import sphere_volume_nm3
from qdgain.model.dot import Dot, presets
from qdgain.model.parameters import CONTRACT, check
from qdgain.paper.claims import Headline

#: Volume fraction of randomly packed spheres (assumed: the densest film that is not a crystal).
PACKING = 0.64
#: What ligands add to the diameter of a packed dot, in nm (assumed: interdigitated oleates).
LIGANDS_NM = 2.0
#: The film's largest thickness in the paper, section 3.3, in µm.
STATED_FILM_UM = 100.0
ROOM_TEMPERATURE_K = 300.0
#: Binding of the neutral biexciton's emission in CdSe dots of 2.4 to 4 nm, in meV: Bonati 2005,
#: DOI 10.1103/PhysRevB.71.205317.
MEASURED_BINDING_MEV = (30.0, 40.0)


def dot_density_per_cm3(
    diameter_nm: float, packing: float = PACKING, ligands_nm: float = LIGANDS_NM
) -> float:
    r"""Return the dots per cm³ of a film: :math:`f/\big(\tfrac{\pi}{6}(D+d)^3\big)`.

    D is the inorganic dot's diameter, to which ligands add d; f the volume fraction of both.
    """
    diameter = float(units.positive("diameter_nm", diameter_nm))
    return packing / float(sphere_volume_nm3(diameter + ligands_nm)) * 1e21


def film_length_um(gain_exponent: float, cross_section_cm2: float, density_per_cm3: float) -> float:
    r"""Return the length of film that has a gain exponent: :math:`\ell = L_g/(\rho\,\sigma_A)`."""
    length = check("gain_exponent", gain_exponent)
    sigma = float(units.positive("cross_section_cm2", cross_section_cm2))
    density = float(units.positive("density_per_cm3", density_per_cm3))
    return 1e4 * float(length) / (sigma * density)


def headlines() -> tuple[Headline, ...]:
    """Return the calibrated presets as properties of a film, each beside a known value."""
    dots = presets()
    pi_pulse = CONTRACT["pi_pulse_fluence_mJ_cm2"].default
    exponent = CONTRACT["gain_exponent"].default
    if not isinstance(pi_pulse, float) or not isinstance(exponent, float):
        raise TypeError("the film's defaults are numbers")
    saturation = first_exciton.pi_pulse_saturation_fluence_mJ_cm2(pi_pulse)
    rows = [
        ("saturation", "fluence for one absorbed photon, hν/σ_A = 2J_π/π²", saturation, "mJ cm⁻²"),
        *_film_rows(first_exciton.YU, "", pi_pulse, exponent),
        *_film_rows(first_exciton.JASIENIAK, "-jasieniak", pi_pulse, exponent),
        *_dot_rows("3ls", "3LS", dots["3LS+ESA"]),
        *_dot_rows("4ls", "4LS", dots["4LS+ESA"]),
        ("binding-low", "measured biexciton binding, CdSe, from", MEASURED_BINDING_MEV[0], "meV"),
        ("binding-high", "measured biexciton binding, CdSe, to", MEASURED_BINDING_MEV[1], "meV"),
    ]
    return tuple(
        Headline(f"calibration-{key}", meaning, float(value), unit)
        for key, meaning, value, unit in rows
    )


def _film_rows(
    source: str, tail: str, pi_pulse_mJ_cm2: float, exponent: float
) -> list[tuple[str, str, float, str]]:
    """Return the CdSe dot that J_π implies with one source's cross sections, and its film."""
    diameter = first_exciton.cdse_diameter_from_pi_pulse_nm(pi_pulse_mJ_cm2, source)
    sigma = float(first_exciton.cdse_first_exciton_cross_section_cm2(diameter, source))
    length = film_length_um(exponent, sigma, dot_density_per_cm3(diameter))
    dense = exponent * STATED_FILM_UM / length
    return [
        (f"diameter{tail}", f"diameter of the CdSe dot that has it, {source}", diameter, "nm"),
        (f"sigma{tail}", f"its absorption cross section σ_1S, {source}", sigma, "cm²"),
        (f"length{tail}", f"dense film that has L_g, {source}", length, "µm"),
        (f"exponent-film{tail}", f"L_g of 100 µm of that film, {source}", dense, "1"),
    ]


def _dot_rows(key: str, name: str, dot: Dot) -> list[tuple[str, str, float, str]]:
    stokes = float(np.asarray(dot.stokes_shift_meV))
    balanced = float(balanced_linewidth_meV(stokes, ROOM_TEMPERATURE_K))
    absorptive = float(np.asarray(dot.absorptive_binding_meV))
    emissive = float(np.asarray(dot.emissive_binding_meV))
    return [
        (f"stokes-{key}", f"Stokes shift, {name}", stokes, "meV"),
        (f"linewidth-{key}", f"linewidth that balances it at 300 K, {name}", balanced, "meV"),
        (f"absorptive-{key}", f"absorptive biexciton shift Δ_A2, {name}", absorptive, "meV"),
        (f"emissive-{key}", f"emissive biexciton binding Δ_E, {name}", emissive, "meV"),
    ]
