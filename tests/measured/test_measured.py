import io
from importlib import resources

import numpy as np
import pytest

import qdgain
import qdgain.paper.claims
from qdgain.measured import gain_spectra as measured
from qdgain.measured import surrogate
from qdgain.measured.gain_spectra import read_spectra
from qdgain.model import film as ase
from qdgain.model.saturation import saturated_emission
from qdgain.model.units import eV_from_nm

DOT = qdgain.Dot(
    stokes_shift_meV=40.0,
    absorptive_binding_meV=20.0,
    emissive_binding_meV=10.0,
    xx_absorption_strength=1.0,
    xx_emission_strength=0.5,
)


def table(dot=DOT, points=551, columns=21, pl=True):
    """The model's own gain as a file, so that what comes out is known."""
    energy = np.linspace(1.7, 2.25, points)
    mean = np.linspace(0, 2, columns)
    density = -qdgain.gain(dot, energy, mean)
    names = ["energy_eV", *(f"N={n:g}" for n in mean)]
    values = [energy, *density]
    if pl:
        names.append("PL")
        values.append(7.0 * qdgain.bands(dot, energy).emission)
    text = io.StringIO()
    np.savetxt(text, np.array(values).T, delimiter=",", header=",".join(names), comments="")
    return text.getvalue()


@pytest.fixture
def write(tmp_path):
    def to_file(text):
        path = tmp_path / "spectra.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_the_models_own_spectra_come_back(write):
    spectra = read_spectra(write("# made by the model\n" + table()))
    mean = np.array([0.05, 1.03, 1.97])
    expected = qdgain.gain(DOT, spectra.energy_eV, mean)
    np.testing.assert_allclose(spectra.gain_at(mean), expected, atol=3e-3)
    np.testing.assert_allclose(spectra.gain_at(1.0), qdgain.gain(DOT, spectra.energy_eV, 1.0))
    assert spectra.emission.max() == pytest.approx(1.0)


def test_the_energy_is_doubled_at_the_threshold_of_a_file(write):
    spectra = read_spectra(write(table()))
    mean = spectra.ase_threshold(150.0, 1.5).mean_excitons
    assert spectra.log_energy_ratio(mean, 150.0) == pytest.approx(np.log(2), abs=2e-3)
    np.testing.assert_allclose(spectra.log_energy_ratio(np.array([0.5, 1.0]), 0.0), 0, atol=1e-12)


def test_a_resonant_pulse_gives_two_excitons_at_most(write):
    energy = np.linspace(1.7, 2.25, 11)
    spectra = measured.MeasuredSpectra(energy, np.array([0.0, 3.0]), np.zeros((2, 11)), np.ones(11))
    assert spectra.most_excitons() == 2
    assert spectra.most_excitons("poisson") == 3


def test_uncorrelated_threshold_agrees_with_the_model(write):
    """Without ESA P = n PL exactly, so the file must give the model's own threshold."""
    dot = DOT.uncorrelated()
    spectra = read_spectra(write(table(dot, columns=41)))
    from_file = spectra.ase_threshold(150.0, 1.5)
    from_model = ase.ase_threshold(dot, 150.0, 1.5)
    assert from_file.fluence_mJ_cm2 == pytest.approx(from_model.fluence_mJ_cm2, rel=1e-3)
    assert from_file.mean_excitons == pytest.approx(from_model.mean_excitons, rel=1e-3)
    assert from_file.energy_eV == pytest.approx(from_model.energy_eV, abs=2e-4)
    mean = np.array([0.4, 1.5])
    saturated = spectra.saturated(mean, 40.0, 0.01)
    expected = saturated_emission(dot, mean, 40.0, 0.01)
    np.testing.assert_allclose(saturated.guided_photons, expected.guided_photons, atol=0.01)
    total = saturated.guided_photons + saturated.side_photons + saturated.excitons_left
    np.testing.assert_allclose(total, mean, atol=1e-9)


def test_units_and_order_do_not_matter(write):
    plain = read_spectra(write(table()))
    header, *rows = table().splitlines()
    rows = [
        ",".join([r.split(",")[0], *(repr(3.7 * float(v)) for v in r.split(",")[1:])]) for r in rows
    ]
    mixed = read_spectra(write("\n".join([header, *reversed(rows)]) + "\n"))
    np.testing.assert_allclose(mixed.gain, plain.gain, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(mixed.emission, plain.emission, rtol=1e-12)


def test_a_spreadsheets_matrix_against_falling_wavelength_is_read(tmp_path):
    """The gain needs no Jacobian, the PL does."""
    wavelength = np.arange(720.0, 550.0, -1.0)
    energy = eV_from_nm(wavelength)
    mean = np.array([0.0, 0.5, 1.0, 2.0])
    per_nm = qdgain.bands(DOT, energy).emission / wavelength**2
    table = np.array([wavelength, 1e6 * per_nm, *-qdgain.gain(DOT, energy, mean)]).T
    header = "Wavelength (nm);PL;N=0;N=0,5;N=1;N=2;"
    lines = ["Sample;dots", "absorption_peak_eV: 2,00;;", "", header]
    lines += [";".join(f"{v:.12g}" for v in row).replace(".", ",") + ";" for row in table]
    path = tmp_path / "matrix.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig", newline="\r\n")
    spectra = read_spectra(path)
    np.testing.assert_allclose(spectra.energy_eV, energy, rtol=1e-12)
    np.testing.assert_array_equal(spectra.mean_excitons, mean)
    emission = qdgain.bands(DOT, energy).emission
    np.testing.assert_allclose(spectra.emission, emission / emission.max(), rtol=1e-9)
    unit = np.interp(2.0, energy, qdgain.bands(DOT, energy).absorption)
    np.testing.assert_allclose(
        spectra.gain, qdgain.gain(DOT, energy, mean) / unit, rtol=1e-9, atol=1e-11
    )


def test_a_gap_in_the_matrix_is_refused_with_its_line(write):
    lines = table().splitlines()
    cells = lines[5].split(",")
    for cell, why in (("", "line 6: 'N=0.2' has no value"), ("inf", "line 6: .* over range")):
        spoilt = [*lines[:5], ",".join([*cells[:3], cell, *cells[4:]]), *lines[6:]]
        with pytest.raises(qdgain.ParameterError, match=why):
            read_spectra(write("\n".join(spoilt)))


def test_the_absorption_peak_may_be_named(write):
    spectra = read_spectra(write("# absorption_peak_eV: 1.95\n" + table()))
    expected = qdgain.bands(DOT, 1.95).absorption
    assert -spectra.gain[0].min() == pytest.approx(1 / expected, rel=1e-3)


def real_looking(shoulder=False, noise=0.0):
    """A band edge below a second transition and a continuum that are higher than it."""
    energy = np.linspace(1.75, 3.0, 251)

    def band(centre, width):
        return np.exp(-0.5 * ((energy - centre) / width) ** 2)

    step = 0.9 / (1 + np.exp(-(energy - 2.5) / 0.08))
    linear = 0.3 * band(2.1, 0.04) + step + (0.35 * band(2.18, 0.06) if shoulder else 0.0)
    pumped = linear - 0.4 * band(2.05, 0.035)
    random = np.random.default_rng(4)
    columns = [energy, linear, pumped, band(2.06, 0.035)]
    columns[1:] = [y + noise * random.standard_normal(y.size) for y in columns[1:]]
    text = io.StringIO()
    header = "energy_eV,N=0,N=2,PL"
    np.savetxt(text, np.array(columns).T, delimiter=",", header=header, comments="")
    return energy, linear, pumped, text.getvalue()


@pytest.mark.parametrize("noise", [0.0, 0.004])
def test_the_unit_of_the_gain_is_the_band_edge_not_the_bluest_point(write, noise):
    energy, linear, pumped, text = real_looking(noise=noise)
    spectra = read_spectra(write(text))
    assert spectra.band_edge_eV == pytest.approx(2.1, abs=0.01)
    expected = (-pumped).max() / np.interp(2.1, energy, linear)
    assert spectra.gain.max() == pytest.approx(expected, rel=0.03 if noise == 0 else 0.1)
    assert spectra.emission.min() >= 0


def test_a_shoulder_is_a_band_edge_and_an_edge_without_one_is_asked_for(write):
    spectra = read_spectra(write(real_looking(shoulder=True)[3]))
    assert 2.08 < spectra.band_edge_eV < 2.2
    energy = np.linspace(1.75, 3.0, 251)
    edge, bleach = np.exp(3 * energy - 9), np.exp(-0.5 * ((energy - 2.0) / 0.05) ** 2)
    columns = [energy, edge, edge - 0.1 * bleach]
    lines = [",".join(f"{value:.8g}" for value in row) for row in np.array(columns).T]
    text = "\n".join(["energy_eV,N=0,N=2", *lines])
    with pytest.raises(
        qdgain.ParameterError, match=r"no band edge stands out .*absorption_peak_eV"
    ):
        read_spectra(write(text))
    named = read_spectra(write("absorption_peak_eV: 2.1\n" + text))
    assert named.band_edge_eV == 2.1


def test_a_pl_may_be_below_zero_by_its_noise_only(write):
    lines = table().splitlines()
    for value, allowed in (("-0.5", True), ("-2.0", False)):
        spoilt = [*lines[:3], lines[3].rpartition(",")[0] + "," + value, *lines[4:]]
        path = write("\n".join(spoilt))
        if allowed:
            assert read_spectra(path).emission.min() == 0
        else:
            with pytest.raises(qdgain.ParameterError, match="neither a PL that is positive"):
                read_spectra(path)


def test_the_energy_ratio_is_that_of_the_threshold_when_the_spectrum_is_cut_off(write):
    """A spectrum that ends where it still emits: its ends count for half a step each."""
    energy = np.linspace(1.9, 2.1, 12)
    gain = np.array([np.zeros(12), np.linspace(0.3, 0.1, 12)])
    spectra = measured.MeasuredSpectra(energy, np.array([0.0, 2.0]), gain, np.ones(12))
    mean = spectra.ase_threshold(40.0, 1.5, "poisson").mean_excitons
    assert spectra.log_energy_ratio(mean, 40.0) == pytest.approx(np.log(2), abs=1e-9)


def test_emission_is_never_less_than_the_gain():
    for reading in surrogate.READINGS:
        spectra = surrogate.load(reading)
        mean = np.linspace(0, spectra.mean_excitons[-1], 40)
        assert (spectra.spontaneous_at(mean) >= spectra.gain_at(mean)).all()
        assert (spectra.spontaneous_at(mean) >= 0).all()


def test_without_pl_the_gain_stands_in(write):
    spectra = read_spectra(write(table(pl=False)))
    expected = np.maximum(spectra.gain[-1], 0) / spectra.gain[-1].max()
    np.testing.assert_allclose(spectra.emission, expected)


def test_threshold_out_of_reach(write):
    spectra = read_spectra(write(table()))
    found = spectra.ase_threshold(0.5, 1.5)
    assert np.isinf(found.fluence_mJ_cm2)
    assert np.isnan(found.energy_eV)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda t: t.replace("energy_eV", "wavelength_nm"), "'wavelength_nm' .* cannot be nm"),
        (lambda t: t.replace("N=1,", "one,"), "'one' is neither"),
        (lambda t: t.replace("N=1,", "N=0.9,"), "same name"),
        (lambda t: t.replace("N=1,", "N=1.95,"), "rising"),
        (lambda t: t.replace("N=0,", "N=0.01,"), "N=0"),
        (lambda t: t.replace("PL", "pl"), "neither"),
        (lambda t: "\n".join(t.splitlines()[:5]), "at least 8 energies"),
        (lambda t: "", "at least 8 energies"),
        (lambda t: t + "1,2,3\n", "line 553: 'N=0.2' has no value"),
        (lambda t: t.replace("2.25", "nan", 1).replace("2.249", "x"), "not finite|no number"),
        (lambda t: t + t.splitlines()[1] + "\n", "must be positive and differ"),
        (lambda t: "# absorption_peak_eV: 5\n" + t, "outside its energies"),
        (lambda t: "# absorption_peak_eV: two\n" + t, "not a number"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(write, spoil, why):
    path = write(spoil(table()))
    with pytest.raises(qdgain.ParameterError, match=why) as refusal:
        read_spectra(path)
    assert str(refusal.value).startswith("the spectra file spectra.csv is not usable: ")
    assert "\n" not in str(refusal.value)


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(qdgain.ParameterError, match="cannot be opened"):
        read_spectra(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(qdgain.ParameterError, match="UTF-8"):
        read_spectra(tmp_path / "picture.csv")


def test_no_extrapolation():
    spectra = surrogate.load("x1")
    with pytest.raises(qdgain.ParameterError, match="measured from 0 to 2"):
        spectra.gain_at(2.1)


@pytest.mark.parametrize("reading", surrogate.READINGS)
def test_surrogate_files_are_what_the_code_gives(reading):
    """If this fails after a change of a default: python -m qdgain.measured.surrogate."""
    stored, fresh = surrogate.load(reading), surrogate.surrogate(reading)
    for field in ("energy_eV", "mean_excitons", "gain", "emission"):
        np.testing.assert_allclose(
            getattr(stored, field), getattr(fresh, field), rtol=2e-5, atol=1e-12
        )
    data = resources.files("qdgain").joinpath(f"data/{surrogate.file_name(reading)}")
    assert data.read_text(encoding="utf-8").startswith("# SURROGATE, not a measurement")


def test_surrogates_hold_the_stated_numbers():
    claims = qdgain.paper.claims.claims()
    x1 = surrogate.surrogate("x1")
    dot = surrogate.band_edge_dot()
    threshold = qdgain.threshold_at_maximum(dot).mean_excitons
    assert threshold == pytest.approx(claims["F3-x1-threshold"].stated, rel=1e-12)
    stated = claims["F3-x1-gain"].stated
    at_centre = np.interp(1e-3 * -dot.stokes_shift_meV + 2.0, x1.energy_eV, x1.gain[-1])
    assert at_centre == pytest.approx(stated, rel=2e-3)
    assert x1.gain.max() == pytest.approx(stated, rel=0.03)
    for reading in ("x3_edge", "x3_blue"):
        spectra = surrogate.surrogate(reading)
        assert spectra.gain.max() == pytest.approx(claims["F3-x3-gain"].stated, rel=0.04)
        blue = spectra.energy_eV > dot.absorption_energy_eV
        assert (spectra.gain[-1, blue] > 0.1).any()
        assert spectra.mean_excitons[-1] > 2


def test_unknown_reading_is_refused():
    with pytest.raises(qdgain.ParameterError, match="x3_edge"):
        surrogate.surrogate("x2")


def test_writing_gives_the_readable_files(tmp_path):
    surrogate.write(tmp_path)
    for reading in surrogate.READINGS:
        spectra = measured.read_spectra(tmp_path / surrogate.file_name(reading))
        np.testing.assert_array_equal(spectra.gain, surrogate.load(reading).gain)
