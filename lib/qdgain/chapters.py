"""The chapters of the book: which there are, where their notebooks are, what each can be given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

#: The book's folder in a checkout.
BOOK = Path(__file__).resolve().parents[2] / "book"
#: How long a kernel may take to start, and a cell to run.
START_TIMEOUT_S = 60
CELL_TIMEOUT_S = 120

#: What a picture's output says of it to whoever makes a page: its name, the function that computes
#: it, and what it shows in words.
FIGURE, CODE, IN_WORDS = "qdgain_figure", "qdgain_code", "qdgain_in_words"

#: Chapter to the names of its own settings, which come after the dot's parameters.
SETTINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fig06": (
            "splitting_fraction",
            "phonon_energy_meV",
            "temperature_K",
            "relaxation_time_fs",
            "exciton_lifetime_ns",
            "cooling_time_ps",
            "streak_irf_ps",
            "transient_noise",
            "seed",
            "pulse_fwhm_fs",
        ),
        "fig07": (
            "splitting_fraction",
            "phonon_energy_meV",
            "temperature_K",
            "relaxation_time_fs",
            "exciton_lifetime_ns",
            "cw_esa_strength",
            "induced_absorption_rise_fs",
            "induced_absorption_decay_ps",
            "hot_binding_meV",
            "hot_width_ratio",
            "pumped_fraction",
            "pulse_fwhm_fs",
            "perovskite_exciton_energy_eV",
            "perovskite_linewidth_meV",
            "perovskite_xx_shift_meV",
            "perovskite_mx_lower_shift_meV",
            "perovskite_mx_upper_shift_meV",
            "perovskite_mx_lifetime_ps",
            "perovskite_xx_lifetime_ps",
            "perovskite_mean_excitons",
            "streak_irf_ps",
            "spectrum_noise",
            "seed",
        ),
        "fig08": (
            "statistics",
            "floor",
            "pi_pulse_fluence_mJ_cm2",
            "film_refractive_index",
        ),
        "fig09": (
            "statistics",
            "gain_exponent",
            "pi_pulse_fluence_mJ_cm2",
            "guided_fraction",
            "x1_spectra_csv",
            "x3_spectra_csv",
        ),
        "fig10": (
            "statistics",
            "floor",
            "pi_pulse_fluence_mJ_cm2",
            "host_index",
            "cdse_rescaling",
            "cspbbr3_rescaling",
            "xx_reduction",
            "harvest_ratio",
            "low_threshold",
            "temperature_K",
        ),
        "balance": ("temperature_K", "floor", "phonon_energy_meV", "huang_rhys_factor"),
        "auger": (
            "pump_fwhm_ps",
            "auger_lifetime_ps",
            "read_delay_ps",
            "build_up_time_ps",
            "gain_exponent",
            "cooling_time_ps",
            "exciton_lifetime_ns",
            "cdse_auger_ps_nm3",
            "cspbbr3_auger_ps_nm3",
        ),
        "information": (
            "statistics",
            "floor",
            "gain_exponent",
            "pi_pulse_fluence_mJ_cm2",
            "varied_by",
            "precision_factor",
        ),
        "design": ("statistics", "floor", "low_threshold", "temperature_K"),
        "ensembles": (
            "statistics",
            "floor",
            "pi_pulse_fluence_mJ_cm2",
            "gain_exponent",
            "inhomogeneous_width_meV",
            "size_dispersion",
            "pump_band",
            "pump_duration_fs",
            "dipole_dimensions",
            "probe_polarisation",
            "pump_optical_density",
            "probe_spot_ratio",
            "second_step_detuning_meV",
            "temperature_K",
        ),
    }
)
#: In the order of the paper's figures, then those that go beyond them.
CHAPTERS = tuple(SETTINGS)
#: The same, as a sentence lists them.
NAMES = ", ".join(CHAPTERS)
#: What the name of a notebook beyond the paper's figures starts with.
BEYOND = "beyond_"


def notebook_of(chapter: str) -> Path | None:
    """Return the notebook of a chapter such as ``fig08``, None where there is no checkout."""
    return next((path for path in sorted(BOOK.glob("*.ipynb")) if name_of(path) == chapter), None)


@cache
def api_page_of(module: str) -> str:
    """Return the file name of the page that documents a module, in the book's folder."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("api*.md"))}
    line = f".. automodule:: {module}\n"
    return next((f"{path.stem}.html" for path, text in pages.items() if line in text), "api.html")


def name_of(notebook: Path) -> str:
    """Return the chapter's name: ``fig08`` of ``fig08_….ipynb``, ``x`` of ``beyond_x.ipynb``."""
    return notebook.stem.removeprefix(BEYOND).split("_")[0]


def page_of(chapter: str) -> str:
    """Return the file name of the page of a chapter, in the book's folder."""
    notebook = notebook_of(chapter)
    if notebook is None:
        raise FileNotFoundError(f"the notebook of {chapter} is not in {BOOK}")
    return f"{notebook.stem}.html"
