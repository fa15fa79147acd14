"""Spectra come back the same however a file is written, and what is doubtful is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdgain import ParameterError
from qdgain.measured.instrument_file import FEWEST, choose, intensity_per_eV, traces
from qdgain.model import units

X = np.arange(500.0, 512.0)
Y = np.array([0.1, 0.12, 0.2, 0.35, 0.5, 0.62, 0.6, 0.45, 0.3, 0.2, 0.15, 0.11])


def rows(separator=",", decimal=".", x=X, columns=(Y,), tail=""):
    lines = (
        separator.join(f"{value:.6g}" for value in row).replace(".", decimal) + tail
        for row in zip(x, *columns, strict=True)
    )
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    def from_text(text, encoding="utf-8", **options):
        path = tmp_path / "file.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return traces(path, **options)

    return from_text


def is_the_spectrum(trace, x=X, y=Y):
    np.testing.assert_allclose(trace.energy_eV, units.eV_from_nm(x)[::-1], rtol=1e-9)
    np.testing.assert_allclose(trace.values, y[::-1], rtol=1e-9)


numbers = st.lists(st.floats(-1e4, 1e4), min_size=FEWEST, max_size=15)
dialects = st.sampled_from(
    [("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), ("  ", "."), (" ", ",")]
)


@st.composite
def files(draw):
    """A spectrum, and a file that holds it in one of many styles."""
    separator, decimal = draw(dialects)
    y = np.array([float(f"{value:.6g}") for value in draw(numbers)])
    x = 600.5 + np.arange(y.size)
    order = slice(None, None, draw(st.sampled_from([1, -1])))
    end = "" if separator.isspace() and separator != "\t" else separator * draw(st.integers(0, 2))
    lines = rows(separator, decimal, x[order], (y[order],), end).splitlines()
    if draw(st.booleans()):
        lines.insert(3, "")
    header = draw(st.sampled_from([None, "nm", "Wavelength [nm]", "wavelength_nm", "λ/nm"]))
    if header is not None:
        lines.insert(0, f"{header}{separator}y{end}")
    kinds = st.sampled_from(["Sample: a dot", "Größe 5 nm, warm", "# by hand", "", "Gain;3;x", "µ"])
    lines = [*draw(st.lists(kinds, max_size=4)), *lines, ""]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-32"] + ["latin-1"] * ("λ" not in text)
    return x, y, text.encode(draw(st.sampled_from(encodings)))


@pytest.mark.slow
@given(files())
def test_every_dialect_gives_the_same_spectrum(tmp_path_factory, file):
    x, y, content = file
    path = tmp_path_factory.getbasetemp() / "dialect.txt"
    path.write_bytes(content)
    trace = choose(traces(path))
    np.testing.assert_allclose(trace.energy_eV, units.eV_from_nm(x)[::-1], rtol=1e-12)
    np.testing.assert_array_equal(trace.values, y[::-1])
    assert trace.unit == "nm"


CARY = "Sample 1,,Blank,,\nWavelength (nm),Abs,Wavelength (nm),Abs,\n" + "".join(
    f"{x:.0f},{y:g},{x + 0.5},0.01,\n" for x, y in zip(X[::-1], Y[::-1], strict=True)
)
CARY += "\nSample 1\nScan rate (nm/min)  600\nInstrument: a spectrometer, 2 beams\n"
JASCO = "TITLE\tdot\nXUNITS\tNANOMETERS\nYUNITS\tABSORBANCE\nXYDATA\n" + rows("\t")
JASCO += "\n##### Extended Information\n[Comments]\nDate\t2020\n"
ORIGIN = "Wavelength\tAbsorbance\nnm\ta.u.\n\tsample A\n" + rows("\t")
PANDAS = ",wavelength_nm,dot\n" + rows(x=np.arange(12.0), columns=(X, Y))
SAVETXT = "# wavelength_nm, absorbance\n" + rows()
QUOTED = '"Wavelength (nm)","Abs, corrected"\n' + "".join(
    f'"{x:.1f}","{y:g}"\n'.replace(".", ",") for x, y in zip(X, Y, strict=True)
)
MARKED = ">>>>>Begin Spectral Data<<<<<\n" + rows("\t") + ">>>>>End Spectral Data<<<<<\n"
SPACES = "Wavelength (nm)   Abs (OD)\n" + rows("   ")


@pytest.mark.parametrize(
    "text",
    [CARY, JASCO, ORIGIN, PANDAS, SAVETXT, QUOTED, MARKED, SPACES, rows() + "\x1a"],
    ids=["cary", "jasco", "origin", "pandas", "savetxt", "quoted", "marked", "spaces", "bare"],
)
def test_files_of_well_known_programs_are_read(read, text):
    is_the_spectrum(read(text)[0])


def test_a_trace_named_above_its_own_axis_is_found(read):
    table = read(CARY)
    is_the_spectrum(choose(table, "sample 1"))
    blank = choose(table, "Blank")
    np.testing.assert_allclose(blank.energy_eV, units.eV_from_nm(X + 0.5)[::-1])
    with pytest.raises(ParameterError, match="2 traces: choose one by column, of 2 "):
        choose(table)
    with pytest.raises(ParameterError, match="2 of its columns are called 'abs'"):
        choose(table, "abs")


def test_headers_of_several_lines_give_every_name(read):
    table = read(ORIGIN)
    for name in ("Absorbance", "sample A", "absorbance a.u. sample a", "2"):
        is_the_spectrum(choose(table, name))


def test_a_matrix_of_delays_is_chosen_from_by_name(read):
    for corner in ("0", "", "nan", "nm"):
        table = read(f"{corner};0.5;5;50\n" + rows(";", columns=(Y + 1, Y, Y + 2)))
        assert [trace.name for trace in table] == ["0.5", "5", "50"]
        is_the_spectrum(choose(table, "5"))
    # A name wins over a number.
    table = read("nm;2;3\n" + rows(";", columns=(Y + 1, Y)))
    is_the_spectrum(choose(table, "3"))
    is_the_spectrum(choose(table, "2"), y=Y + 1)


def test_of_two_axes_side_by_side_the_first_counts(read):
    table = read("wavelength (nm),energy (eV),a\n" + rows(columns=(units.eV_from_nm(X), Y)))
    trace = choose(table)
    assert trace.unit == "nm"
    is_the_spectrum(trace)


def test_a_wavelength_in_the_name_of_a_trace_is_no_axis(read):
    table = read("nm,A (450 nm exc.),B (400 nm exc.)\n" + rows(columns=(Y, 2 * Y)))
    is_the_spectrum(choose(table, "A (450 nm exc.)"))


@pytest.mark.parametrize("header", ["energy_eV", "E (eV)", "Photon energy [eV]", "eV", "hν / eV"])
def test_energies_are_taken_as_they_are(read, header):
    x = np.linspace(1.5, 2.5, 12)
    trace = choose(read(f"{header},y\n" + rows(x=x)))
    assert trace.unit == "eV"
    assert trace.notes == ()
    np.testing.assert_allclose(trace.energy_eV, x, atol=1e-5)
    np.testing.assert_array_equal(trace.values, Y)


def test_a_guessed_unit_is_said(read):
    assert choose(read(rows())).notes == ("axis taken as nm because it runs from 500 to 511",)
    trace = choose(read("Wavelength,y\n" + rows()))
    assert trace.notes[0].startswith("axis taken as nm")
    trace = choose(read("Energy,y\n" + rows(x=np.linspace(1, 3, 12))))
    assert trace.notes == ("axis taken as eV because it runs from 1 to 3",)
    assert choose(read("nm,y\n" + rows())).notes == ()
    assert choose(read(rows(), unit="nm")).notes == ()


def test_what_is_left_out_is_said(read):
    y = [*(f"{value:g}" for value in Y), "OVER", "inf", ">4", "n/a", "", ""]
    text = "nm;A;B\n" + "".join(f"{500 + i};{v};1\n" for i, v in enumerate(y))
    trace = choose(read(text + "518;\n519\n"), "A")
    is_the_spectrum(trace)
    assert trace.notes == ("5 values missing, left out", "3 values over range, left out")


def test_repeated_points_are_averaged(read):
    text = rows(columns=(Y - 0.01,)) + rows(x=X[:3], columns=(Y[:3] + 0.01,))
    trace = choose(read("nm,y\n" + text))
    np.testing.assert_allclose(trace.values[-3:], Y[2::-1])
    assert trace.notes == ("3 energies repeated, averaged",)


def test_latin_1_is_read_and_said(read):
    trace = choose(read("Größe: 5\nnm,y\n" + rows(), "latin-1"))
    is_the_spectrum(trace)
    assert trace.notes == ("not in UTF-8, read as Latin-1",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no table of numbers"),
        ("only words\n", "no table of numbers"),
        ("500\n501\n502\n", "no table of numbers"),
        (rows().splitlines()[0], "no table of numbers"),
        ("\n".join(rows().splitlines()[:5]), "5 rows of numbers and needs at least 8"),
        (b"PK\x03\x04" + bytes(50), "no workbook that can be read: save it as .xlsx"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not text"),
        (b"\xef\xbb\xbf\xff\xff", "byte-order mark"),
        ("nm,y\n" + rows().replace("503,0.35", "503,abc"), r"line 5 reads '503,abc'.*column 2 "),
        ("nm,y\n" + rows().replace("503,0.35", "x03,0.35"), "line 5 .*'x03' in column 1 "),
        ("nm,y\n" + rows().replace("503,0.35", ",0.35"), "line 5 .*first column is no number"),
        ("nm,y\n" + rows().replace("500,", "5oo,"), "line 2 "),
        ("nm,y\n" + rows().replace("500,", "abc,"), "line 2 reads 'abc,0.1'"),
        (rows().replace("500,", "5oo,"), "line 1 reads '5oo,0.1'"),
        ("nm,y\n" + rows().replace("501,", "5o1,"), "line 3 "),
        ("nm,y\n" + rows().replace("511,", "5ll,"), "line 13 "),
        ("nm,y\n" + rows().replace("503,0.35", "503,0.35,7"), "line 5 has 3 values for 2 columns"),
        (rows("  ").replace("503  0.35", "503  0.35  7"), "line 4 has 3 values for 2 columns"),
        ("nm,y\n" + rows(decimal=",").replace("500,", "500,0,"), "line 2 has 4 values for 2"),
        (
            "nm,y\n" + rows().replace("504,", "Sample 2\n504,"),
            "line 6 reads 'Sample 2' in the table",
        ),
        ("nm,y\n" + rows().replace("0.35", "1,234.5"), "line 5 has 3 values"),
        ("nm;y\n" + rows(";").replace("0.35", "1,234.5"), "line 5 reads"),
        ("nm,y\n" + rows().replace("503,", "-503,"), "line 5: 'nm' is -503 and must be above 0"),
        (
            "eV,y\n" + rows(),
            "its axis 'eV' runs from 500 to 511, which cannot be eV: .*say --unit nm",
        ),
        ("nm,y\n" + rows(x=np.linspace(1, 2, 12)), "which cannot be nm"),
        ("cm-1,y\n" + rows(x=X / 300), "which cannot be cm-1"),
        ("Wavelength (µm),y\n" + rows(), "which cannot be um"),
        (
            "Wavenumber,y\n" + rows(),
            "unit of its axis 'Wavenumber', which runs from 500 to 511, can",
        ),
        ("Energy (meV),y\n" + rows(x=X / 50), "which cannot be meV"),
        ("pixel,y\n" + rows(), "the unit of its axis 'pixel'"),
        ("Raman shift (cm-1),y\n" + rows(), "is no photon energy"),
        ("XUNITS\t1/CM\nXYDATA\n" + rows("\t", x=X / 300), "which cannot be cm-1"),
        ("Energy,y\n" + rows(), "the unit of its axis 'Energy', .* say --unit nm or --unit eV"),
        (rows(x=X - 499), "the unit of its axis 'column 1', which runs from 1 to 12, cannot"),
        ("nm\n" + rows(), None),
        ("nm,y\n" + rows(columns=(np.full(12, np.nan),)), "no table|no column of values"),
        ("nm,y,z\n" + rows(columns=(Y, np.where(X < 506, np.nan, Y))), "6 energies and needs"),
    ],
)
def test_bad_files_are_refused_with_the_line(read, text, why):
    def use():
        table = read(text, unit_hint="--unit nm or --unit eV")
        return choose(table, table[-1].name)

    if why is None:
        return is_the_spectrum(use())
    with pytest.raises(ParameterError, match=why) as refusal:
        use()
    assert str(refusal.value).startswith("the file file.csv is not usable: ")
    assert "\n" not in str(refusal.value)
    return None


def test_a_column_that_is_not_there_is_refused_with_those_that_are(read):
    table = read("nm,red dots,blue dots\n" + rows(columns=(Y, Y)))
    with pytest.raises(ParameterError, match=r"did you mean 'red dots'\? .* 3 \('blue dots'\)"):
        choose(table, "red dot")
    for number in ("0", "1", "4", "-1"):
        with pytest.raises(ParameterError, match=f"no trace '{number}' for column"):
            choose(table, number)
    many = "nm," + ",".join("abcdefghijklmno") + "\n" + rows(columns=(Y,) * 15)
    with pytest.raises(ParameterError, match=r"15 traces: .*, …"):
        choose(read(many))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ParameterError, match="cannot be opened"):
            traces(path)


def test_a_missing_axis_value_is_refused(read):
    text = CARY.replace("505,0.62,505.5,0.01", "505,0.62,,0.01")
    assert "505,0.62,,0.01" in text
    is_the_spectrum(choose(read(text), "Sample 1"))
    with pytest.raises(ParameterError, match=r"line 9: .* is nan and must be above 0"):
        choose(read(text), "Blank")


@given(st.floats(0.5, 5.0), st.floats(0.01, 0.1))
def test_the_jacobian_keeps_the_number_of_photons(energy, sigma):
    wavelength = np.linspace(*units.nm_from_eV([energy + 4 * sigma, energy - 4 * sigma]), 4001)
    per_nm = np.exp(-0.5 * ((units.eV_from_nm(wavelength) - energy) / sigma) ** 2)
    at = units.eV_from_nm(wavelength)
    per_eV = intensity_per_eV(at, per_nm)
    assert np.trapezoid(per_eV[::-1], at[::-1]) == pytest.approx(
        np.trapezoid(per_nm, wavelength), rel=1e-5
    )


def test_the_jacobian_is_lambda_squared_over_hc():
    hc = 1239.841984
    assert intensity_per_eV(hc / 600, 1.0) == pytest.approx(600**2 / hc, rel=1e-9)
    with pytest.raises(ParameterError):
        intensity_per_eV(0.0, 1.0)
