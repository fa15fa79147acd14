"""What the calibrated numbers would mean for a real film, beside what is known of real ones."""

from __future__ import annotations

import numpy as np

from qdgain.model import units
from qdgain.model.balance import balanced_linewidth_meV
from qdgain.model.cross_sections import (
    cdse_diameter_from_cross_section_nm,
    cdse_first_exciton_cross_section_cm2,
    cross_section_from_pi_pulse_cm2,
    sphere_volume_nm3,
)
from qdgain.model.dot import Dot, presets
from qdgain.model.parameters import CONTRACT, check
from qdgain.paper.claims import Headline

#: Volume fraction of randomly packed spheres (assumed: the densest film that is not a crystal).
PACKING = 0.64
#: What ligands add to the diameter of a packed dot, in nm (assumed: interdigitated oleates).
LIGANDS_NM = 2.0
#: The film's largest thickness in the paper, section 3.3, in µm.
STATED_FILM_UM = 100.0
#: The CdSe dot of Yu 2003 that is compared with, in nm (assumed: a red-emitting core).
COMPARED_DIAMETER_NM = 4.6
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
    energy = float(np.asarray(dots["3LS"].absorption_energy_eV))
    sigma = float(cross_section_from_pi_pulse_cm2(pi_pulse, energy))
    diameter = float(cdse_diameter_from_cross_section_nm(sigma))
    compared = float(cdse_first_exciton_cross_section_cm2(COMPARED_DIAMETER_NM))
    density = dot_density_per_cm3(diameter)
    quantum = float(units.photon_energy_mJ(energy))
    dense = density * sigma * STATED_FILM_UM * 1e-4
    rows = [
        ("sigma", "absorption cross section σ_A implied by J_π", sigma, "cm²"),
        ("sigma-yu", "σ_1S of a 4.6 nm CdSe dot", compared, "cm²"),
        ("saturation", "fluence for one absorbed photon, hν/σ_A", quantum / sigma, "mJ cm⁻²"),
        ("saturation-yu", "the same of the 4.6 nm CdSe dot", quantum / compared, "mJ cm⁻²"),
        ("diameter", "diameter of the CdSe dot that has σ_A", diameter, "nm"),
        ("length", "dense film that has L_g", film_length_um(exponent, sigma, density), "µm"),
        ("exponent-film", "L_g of 100 µm of that film", dense, "1"),
        *_dot_rows("3ls", "3LS", dots["3LS+ESA"]),
        *_dot_rows("4ls", "4LS", dots["4LS+ESA"]),
        ("binding-low", "measured biexciton binding, CdSe, from", MEASURED_BINDING_MEV[0], "meV"),
        ("binding-high", "measured biexciton binding, CdSe, to", MEASURED_BINDING_MEV[1], "meV"),
    ]
    return tuple(
        Headline(f"calibration-{key}", meaning, float(value), unit)
        for key, meaning, value, unit in rows
    )


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
