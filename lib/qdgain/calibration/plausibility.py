"""What the calibrated numbers would mean for a real film, beside what is known of real ones."""

from __future__ import annotations

from qdgain.model import units
from qdgain.model.cross_sections import sphere_volume_nm3
from qdgain.model.parameters import check

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
