"""What each program writes comes back as it was, and what is doubtful is refused."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import written_by
from qdgain import ParameterError
from qdgain.measured import instrument_file
from qdgain.measured.instrument_file import (
    FEWEST,
    at_delay,
    choose,
    choose_transient,
    intensity_per_eV,
    traces,
)
from qdgain.measured.instruments import formats, text
from qdgain.model.units import eV_from_nm

X = np.arange(500.0, 530.0, 1.5)
Y = np.round(np.exp(-0.5 * ((X - 514) / 6) ** 2) + 0.01, 5)
ONE = {"dots": Y}
THREE = {"dots": Y, "ref": np.round(0.5 * Y, 5), "hot dots": np.round(0.25 * Y, 5)}
DELAYS = {"-1.5": 0.02 + 0 * Y, "-0.5": 0.04 + 0 * Y, "1.0": Y, "10": 0.5 * Y, "100": 0.25 * Y}


@pytest.fixture
def read(tmp_path):
    def from_content(file, encoding="utf-8", name="file.dat", **options):
        path = tmp_path / name
        path.write_bytes(file if isinstance(file, bytes) else file.encode(encoding))
        return traces(path, **options)

    return from_content


def is_spectrum(trace, y=Y, x=X, rtol=1e-5):
    order = np.argsort(eV_from_nm(x))
    np.testing.assert_allclose(trace.energy_eV, eV_from_nm(x)[order], rtol=1e-6)
    np.testing.assert_allclose(trace.values, y[order], rtol=rtol, atol=1e-9)


SINGLE = ("shimadzu", "jasco", "fl_winlab", "hitachi", "ocean", "labram")
SEVERAL = ("cary", "edinburgh", "fluoressence", "worksheet", "avantes", "wasatch")
MATRICES = ("matrix", "kimopack", "glotaran_time", "glotaran_wavelength", "surface_xplorer")


@pytest.mark.parametrize("program", [*SINGLE, *SEVERAL])
def test_one_spectrum_of_each_program(read, program):
    (trace,) = read(getattr(written_by, program)(X, ONE))
    is_spectrum(trace, rtol=1e-3 if program == "avantes" else 1e-5)
    assert trace.per == "nm"
    assert trace.block == ""
    assert trace.quantity == {
        **dict.fromkeys(("cary", "shimadzu", "jasco"), "absorbance"),
        **dict.fromkeys(("hitachi", "ocean", "wasatch"), ""),
    }.get(program, "counts")


@pytest.mark.parametrize("program", SEVERAL)
def test_traces_are_called_what_the_program_calls_them(read, program):
    found = read(getattr(written_by, program)(X, THREE))
    assert [trace.name for trace in found] == list(THREE)
    for name, y in THREE.items():
        is_spectrum(choose(found, name.upper()), y, rtol=2e-3)
    with pytest.raises(ParameterError, match=r"3 traces: choose one by column, of \d \('dots'\), "):
        choose(found)


@pytest.mark.parametrize("program", MATRICES)
def test_matrices_give_a_spectrum_a_delay(read, program):
    found = read(getattr(written_by, program)(X, DELAYS))
    assert [trace.position for trace in found] == [-1.5, -0.5, 1, 10, 100]
    for name, y in DELAYS.items():
        is_spectrum(choose(found, float(name)), y)


def test_names_in_fl_winlab_and_the_map_of_labram(read):
    (trace,) = read(written_by.fl_winlab(X, {"EP1#02": Y}))
    assert trace.name == "EP1#02"
    found = read(written_by.labram_map(X, THREE))
    assert [trace.name for trace in found] == ["0.5, 0.25", "1.5, 2.25", "2.5, 4.25"]
    is_spectrum(found[2], THREE["hot dots"])


def test_wavenumbers_of_labram_are_no_photon_energies(read):
    shift = written_by.labram(X, ONE).replace("AxisUnit[1]=\tnm", "AxisUnit[1]=\t1/cm")
    with pytest.raises(ParameterError, match="no photon energy"):
        read(shift)


def test_pairs_of_unequal_length_keep_their_own_axes(read):
    found = read(written_by.cary_of_unequal_length(X, THREE))
    for i, (trace, y) in enumerate(zip(found, THREE.values(), strict=True)):
        cut = X.size - 3 * (2 - i)
        is_spectrum(trace, y[:cut], X[:cut])
    fixed = "wl     a        wl    b\n"
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        left = f"{x:6.1f} {y:8.5f}" if i < 12 else " " * 15
        fixed += f"{left}  {x:6.1f} {2 * y:8.5f}\n"
    a, b = read(fixed)
    is_spectrum(a, Y[:12], X[:12])
    is_spectrum(b, 2 * Y)


def test_a_row_number_is_no_axis(read):
    lines = [f"{i} {x} {y:.6g}" for i, (x, y) in enumerate(zip(X, Y, strict=True))]
    (trace,) = read("\n".join(lines))
    is_spectrum(trace)


@pytest.mark.parametrize("name", written_by.ENCODINGS)
def test_every_encoding_of_jcamp(read, name):
    encoding = written_by.ENCODINGS[name]
    flat = np.round(np.concatenate([Y[:10], np.full(10, Y[9])]), 6)
    for y in (Y, flat, -Y, Y - 0.5):
        (trace,) = read(written_by.jcamp_block(X, y, encoding=encoding))
        is_spectrum(trace, y)
    (trace,) = read(written_by.jcamp_block(X[::-1], Y[::-1], encoding=encoding))
    is_spectrum(trace)
    assert (trace.name, trace.unit, trace.quantity) == ("dots", "nm", "absorbance")


@given(
    st.lists(st.integers(-(10**7), 10**7), min_size=FEWEST, max_size=40),
    st.sampled_from(list(written_by.ENCODINGS.values())),
    st.integers(1, 4),
)
def test_jcamp_gives_back_any_values(tmp_path_factory, values, encoding, repeat):
    y = np.repeat(np.array(values, dtype=float), repeat)
    x = 400.0 + np.arange(y.size)
    path = tmp_path_factory.getbasetemp() / "any.jdx"
    path.write_text(written_by.jcamp_block(x, y, encoding=encoding, factor=1.0), encoding="utf-8")
    (trace,) = traces(path)
    np.testing.assert_array_equal(trace.values, y[::-1])


def test_pairs_and_blocks_of_jcamp(read):
    for label in ("XYPOINTS", "XYDATA", "PEAK TABLE"):
        (trace,) = read(written_by.jcamp_pairs(X, Y, label=label))
        is_spectrum(trace)
    blocks = [written_by.jcamp_block(X, y, name) for name, y in THREE.items()]
    found = read(written_by.linked(*blocks, written_by.jcamp_pairs(X, 3 * Y, "pairs")))
    assert [trace.name for trace in found] == [*THREE, "pairs"]
    is_spectrum(choose(found, "hot dots"), THREE["hot dots"])
    is_spectrum(choose(found, "pairs"), 3 * Y)
    with pytest.raises(ParameterError, match=r"4 traces: .*'dots'.*'ref'.*'hot dots'.*'pairs'"):
        choose(found)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda t: t.replace("##NPOINTS= 20", "##NPOINTS= 21"), "21 points are said to follow"),
        (
            lambda t: "\r\n".join(t.split("\r\n")[:13] + t.split("\r\n")[14:]),
            "line 14 should begin",
        ),
        (lambda t: t.replace("##LASTX= 528.5", "##LASTX= 580"), "line 13 begins at 509 where"),
        (
            lambda t: t.replace("(X++(Y..Y))", "(X++(Z..Z))"),
            "data are '.X...Z..Z..', which are not",
        ),
        (lambda t: t.replace("##XYDATA", "##NOTHING"), "blocks hold no XYDATA"),
        (lambda t: t.replace("NANOMETERS", "SECONDS"), "'SECONDS' is no photon energy"),
        (lambda t: t.replace("##YFACTOR= 1e-06", "##YFACTOR= much"), "line 7: YFACTOR is 'much'"),
        (lambda t: t.replace("\r\n509", "\r\n509!"), "line 13 reads '509!.*', which is no JCAMP"),
        (lambda t: t.replace("\r\n500", "\r\n500K"), "line 12 reads '500K.*', which is no JCAMP"),
    ],
)
def test_damaged_jcamp_is_refused(read, spoil, why):
    text = written_by.jcamp_block(X, Y)
    assert spoil(text) != text
    with pytest.raises(ParameterError, match=why):
        read(spoil(text))


def test_odd_pairs_of_jcamp_are_refused(read):
    for spoilt in ("500, x", "500"):
        text = written_by.jcamp_pairs(X, Y).replace("##END", spoilt + "\r\n##END")
        with pytest.raises(ParameterError, match=f"line 12 reads '{spoilt}' and should hold pairs"):
            read(text)


@pytest.mark.parametrize("version", [0x4B, 0x4C, 0x4D])
@pytest.mark.parametrize(
    "kind", [{}, {"exponent": 3}, {"exponent": 2, "words": 2}, {"given_x": True}, {"own_x": True}]
)
def test_every_kind_of_spc(read, version, kind):
    if version == 0x4D and {"given_x", "own_x"} & set(kind):
        return
    rtol = 2e-3 if kind.get("words") == 2 else 1e-5
    (trace,) = read(written_by.spc(X, {"0": Y}, version=version, **kind))
    is_spectrum(trace, rtol=rtol)
    assert (trace.unit, trace.quantity) == ("nm", "absorbance")
    found = read(written_by.spc(X, {"1": Y, "2.5": 0.5 * Y}, version=version, **kind))
    assert [trace.name for trace in found] == ["1", "2.5"]
    is_spectrum(choose(found, "2.5"), 0.5 * Y, rtol=rtol)


def test_spc_that_ends_too_early_or_is_too_large_is_refused(read):
    whole = written_by.spc(X, {"0": Y})
    for cut in (520, len(whole) - 3):
        with pytest.raises(ParameterError, match="SPC data end before they should"):
            read(whole[:cut])
    huge = whole[:4] + b"\xff\xff\xff\x7f" + whole[8:]
    with pytest.raises(ParameterError, match="more than the 2000000 values"):
        read(huge)
    with pytest.raises(ParameterError, match="'Raman shift' is no photon energy"):
        read(written_by.spc(X, {"0": Y}, x_type=13))


def test_workbooks_are_read_sheet_by_sheet(read):
    rows = [
        ["Wavelength (nm)", "dots", "ref"],
        *zip(X.tolist(), Y.tolist(), (Y / 2).tolist(), strict=True),
    ]
    note = [["nothing to see", 5], [None, "here"]]
    found = read(written_by.workbook({"notes": note, "run": [["a title"], [], *rows]}))
    assert [trace.title for trace in found] == ["run: dots", "run: ref"]
    is_spectrum(choose(found, "ref"), Y / 2)
    found = read(written_by.workbook({"cold": rows, "hot": rows}))
    with pytest.raises(ParameterError, match="give one of 'cold: dots', 'hot: dots'"):
        choose(found, "dots")
    is_spectrum(choose(found, "hot: dots"))
    spoilt = [*rows[:5], ["5o6", 0.1, 0.1], *rows[6:]]
    with pytest.raises(ParameterError, match=r"line 6 reads '5o6\\t0.1\\t0.1' in the table"):
        read(written_by.workbook({"cold": spoilt}))


def test_a_workbook_of_one_far_cell_does_no_harm(read, monkeypatch):
    monkeypatch.setattr(text, "MOST_VALUES", 1000)
    far = written_by.workbook({"far": [[]] * 1002 + [[1]]})
    with pytest.raises(ParameterError, match="more than the 1000 rows"):
        read(far)
    for broken in (b"PK\x03\x04" + bytes(99), b"\xd0\xcf\x11\xe0" + bytes(99), far[:-200]):
        with pytest.raises(ParameterError, match="no workbook that can be read"):
            read(broken)


# Axes and values.


@pytest.mark.parametrize(
    ("label", "x"),
    [
        ("Wavelength (um)", 1e-3 * X),
        ("Wavenumber (cm-1)", 1e7 / X),
        ("1/cm", 1e7 / X),
        ("Energy (meV)", 1e3 * eV_from_nm(X)),
        ("Photon energy (eV)", eV_from_nm(X)),
        ("Wavelength [Å]", 10 * X),
        ("THz", 299792.458 / X),
    ],
)
def test_every_unit_of_an_axis_becomes_eV(read, label, x):
    lines = [f"{a:.9g}\t{b}" for a, b in zip(x, Y, strict=True)]
    (trace,) = read("\n".join([f"{label}\tI", *lines]))
    is_spectrum(trace)
    # An intensity keeps its photons: per eV from per nm, and as it is where both are even in eV.
    assert trace.per == ("nm" if "Wave" in label and "number" not in label else "eV")


def test_the_users_unit_wins(read):
    lines = [f"{1e7 / x:.9g},{y}" for x, y in zip(X, Y, strict=True)]
    with pytest.raises(ParameterError, match=r"cannot be told.* or say --unit cm-1"):
        read("\n".join(lines), unit_hint="--unit cm-1")
    (trace,) = read("\n".join(lines), unit="cm-1")
    is_spectrum(trace)


@pytest.mark.parametrize("name", ["%T", "T (%)", "Transmittance", "transmission %"])
def test_transmittance_becomes_absorbance(read, name):
    for factor in (1.0, 100.0) if name == "Transmittance" else (100.0,):
        lines = [f"{x},{factor * 10**-y:.9g}" for x, y in zip(X, Y, strict=True)]
        (trace,) = read("\n".join([f"nm,{name}", *lines, "560,0.0", "570,-0.1"]))
        is_spectrum(trace)
        assert trace.quantity == "absorbance"
        scale = "parts of one" if factor == 1 else "percent"
        assert f"transmittance in {scale}, taken as absorbance" in trace.notes
        assert "2 values over range, left out" in trace.notes


def test_other_quantities_are_named(read):
    lines = [f"{x},{y}" for x, y in zip(X, Y, strict=True)]
    named = {"%R": "reflectance", "Counts": "counts", "dots": "", "Absorptance": ""}
    for name, quantity in named.items():
        assert read("\n".join([f"nm,{name}", *lines]))[0].quantity == quantity
    (trace,) = read(written_by.jcamp_block(X, Y, units=("NM", "Logarithm epsilon")))
    is_spectrum(trace, 10**Y)


# Blocks.


def test_spectra_one_below_the_other_are_never_averaged(read):
    table = [f"{x},{y:.6g}" for x, y in zip(X, Y, strict=True)]
    half = [f"{x},{y / 2:.6g}" for x, y in zip(X, Y, strict=True)]
    for between, names in (
        (["", "second", "nm,A"], ["first", "second"]),
        (["nm,A"], ["1", "2"]),
        ([], ["1", "2"]),
    ):
        title = ["first"] if names[0] == "first" else []
        found = read("\n".join([*title, "nm,A", *table, *between, *half]))
        assert [trace.block for trace in found] == names
        is_spectrum(found[0])
        is_spectrum(choose(found, names[1]) if title else found[1], Y / 2)
        with pytest.raises(ParameterError, match=f"'{names[0]}: A'.*'{names[1]}: A'"):
            choose(found, "A")
    # Back and forth: two spectra too.
    back = read("\n".join(["nm,A", *table, *half[::-1]]))
    is_spectrum(choose(back, "2"), Y / 2)
    with pytest.raises(ParameterError, match=r"no trace '3' for column: the traces are .*'2: A'"):
        choose(back, "3")


def test_ranges_that_follow_each_other_are_one_spectrum(read):
    table = [f"{x},{y:.6g}" for x, y in zip(X, Y, strict=True)]
    (trace,) = read("\n".join(["nm,A", *table[10:], *table[:10]]))
    is_spectrum(trace)


@pytest.mark.parametrize(
    "footer", ["Sample: 5, 7", "file info:Date: 2, 2030", "end 5", "5 nm slit"]
)
def test_what_stands_below_a_table_is_no_row(read, footer):
    table = [f"{x},{y:.6g}" for x, y in zip(X, Y, strict=True)]
    is_spectrum(read("\n".join(["nm,A", *table, footer]))[0])


# Delays.


def test_a_number_is_a_delay_and_never_a_column(read):
    found = read(written_by.matrix(X, DELAYS))
    is_spectrum(choose(found, "10"), DELAYS["10"])
    is_spectrum(choose(found, "10.0"), DELAYS["10"])
    for column in ("2", "5", "3"):
        with pytest.raises(ParameterError, match=f"no trace '{column}' for column"):
            choose(found, column)
    plain = read("\n".join(["nm,a,b", *(f"{x},{y},1" for x, y in zip(X, Y, strict=True))]))
    is_spectrum(choose(plain, "2"))


def test_a_transient_is_what_the_pump_changed(read):
    found = read(written_by.surface_xplorer(X, DELAYS))
    at = at_delay(found, 10.0)
    is_spectrum(at, 0.5 * Y - 0.03)
    assert at.notes[-2:] == (
        "delays averaged: 10 ps",
        "less the average of 2 delays before time zero",
    )
    is_spectrum(at_delay(found, 8.0), 0.5 * Y - 0.03)
    is_spectrum(at_delay(found, 0.5, 50.0), 0.75 * Y - 0.03)
    assert at_delay(found, 1.0, 10.0).name == "1.00000E+00 to 1.00000E+01"
    in_fs = written_by.surface_xplorer(X, {str(1e3 * float(t)): y for t, y in DELAYS.items()})
    is_spectrum(at_delay(read(in_fs.replace("units: ps", "units: fs")), 10.0), 0.5 * Y - 0.03)


def test_a_transient_is_chosen_by_delay_range_or_name(read):
    found = read(written_by.matrix(X, DELAYS))
    for wanted in ("10", "10.0", "8:12"):
        is_spectrum(choose_transient(found, wanted), 0.5 * Y - 0.03)
    is_spectrum(choose_transient(found, "0.9 : 20"), 0.75 * Y - 0.03)
    with pytest.raises(ParameterError, match="have not relaxed yet"):
        choose_transient(found, "1", earliest_ps=2.0)
    with pytest.raises(ParameterError, match="no trace 'late' for --column"):
        choose_transient(found, "late", "--column")
    with pytest.raises(ParameterError, match="5 traces: choose one by column"):
        choose_transient(found)
    plain = read(written_by.cary(X, THREE))
    is_spectrum(choose_transient(plain, "ref"), THREE["ref"])
    in_fs = read(written_by.matrix(X, {f"{1e3 * float(t):g} fs": y for t, y in DELAYS.items()}))
    is_spectrum(choose(in_fs, "10"), 0.5 * Y)
    is_spectrum(choose(in_fs, "10000"), 0.5 * Y)


@pytest.mark.parametrize(
    ("delays", "why"),
    [
        ((0.2,), "at a delay of 0.2 ps excitons have not relaxed yet: choose 0.5 ps or later"),
        ((0.2, 20.0), "have not relaxed yet"),
        ((500.0,), "nothing was measured at a delay of 500 ps: its delays are -1.5 to 100 ps"),
        ((20.0, 30.0), "nothing was measured at a delay of 20 to 30 ps"),
    ],
)
def test_delays_that_give_no_transient_are_refused(read, delays, why):
    with pytest.raises(ParameterError, match=why):
        at_delay(read(written_by.matrix(X, DELAYS)), *delays, earliest_ps=0.5)


def test_traces_without_delays_have_no_transient(read):
    with pytest.raises(ParameterError, match="not called by delays"):
        at_delay(read(written_by.cary(X, THREE)), 10.0)


# Files from anywhere.


def test_nul_and_every_encoding(read):
    text = "Größe: 5\nWavelength (nm),A\n" + "\n".join(
        f"{x},{y}" for x, y in zip(X, Y, strict=True)
    )
    is_spectrum(read(text.encode() + bytes(5000))[0])
    is_spectrum(read(text.replace("\n", "\n\0\0").encode())[0])
    for encoding in (
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-8-sig",
        "utf-32",
        "latin-1",
        "cp1252",
    ):
        is_spectrum(read(text, encoding)[0])


def test_a_name_cannot_command_the_terminal(read):
    lines = [f"{x},{y},{y}" for x, y in zip(X, Y, strict=True)]
    text = "\n".join(["nm,red\x1b[2Jdots\x07,b\u202elue", *lines])
    found = read(text, name="a\x1b[31m\nb.csv")
    with pytest.raises(ParameterError) as refusal:
        choose(found, "gr\x1b[0meen")
    assert str(refusal.value).isprintable()
    assert found[0].name == "red\ufffd[2Jdots\ufffd"


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/stdin", tmp_path):
        with pytest.raises(ParameterError, match=r"cannot be opened \(it is not a plain file\)"):
            traces(path)
    with pytest.raises(ParameterError, match=r"cannot be opened \(embedded null byte\)"):
        traces("a\0b")


def test_no_more_than_the_limits_is_read(read, monkeypatch):
    monkeypatch.setattr(text, "MOST_VALUES", 1000)
    with pytest.raises(ParameterError, match="more than the 1000 values"):
        read("500,1,2,3,4\n" * 201)
    with pytest.raises(ParameterError, match="more than the 200000 lines"):
        read("\n" * 200_001)
    with pytest.raises(ParameterError, match="no table of numbers"):
        read('"' * 200_000)
    with pytest.raises(ParameterError, match="a line is longer than the 1048576 characters"):
        read("1," * 600_000)
    monkeypatch.setattr(instrument_file, "MOST_BYTES", 1000)
    with pytest.raises(ParameterError, match="larger than 1000 bytes"):
        read(b"1,2\n" * 300)


def every_file():
    names = (*SINGLE, *SEVERAL, *MATRICES, "cary_of_unequal_length", "labram_map")
    for name in names:
        some = DELAYS if name in MATRICES else ONE if name in SINGLE else THREE
        yield getattr(written_by, name)(X, some).encode()
    for encoding in written_by.ENCODINGS.values():
        yield written_by.jcamp_block(X, Y, encoding=encoding).encode()
    yield written_by.jcamp_pairs(X, Y).encode()
    for version in (0x4B, 0x4C, 0x4D):
        yield written_by.spc(X, {"1": Y, "2": Y}, version=version)
        yield written_by.spc(X, {"1": Y}, version=version, exponent=2, words=2)
    yield written_by.spc(X, {"1": Y, "2": Y}, own_x=True)


FILES = list(every_file())


@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_one_sentence(tmp_path_factory, data):
    raw = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        new = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b",", b"1e9", b"##"]))
        )
        raw[at : at + data.draw(st.integers(0, 30))] = new
    path = tmp_path_factory.getbasetemp() / "damaged.dat"
    path.write_bytes(bytes(raw))
    said, found = "", ()
    try:
        found = traces(path)
    except ParameterError as refusal:
        said = str(refusal)
    assert said.isprintable()
    for trace in found:
        assert trace.refusal or (np.isfinite(trace.values).all() and (trace.energy_eV > 0).all())
        assert trace.refusal or (np.diff(trace.energy_eV) > 0).all()


def test_the_books_table_names_every_dialect():
    described = formats.described()
    assert len(described) >= 8
    assert all(programs and how for programs, how in described)
    for program in ("Cary", "Edinburgh", "JCAMP-DX", "GRAMS SPC", "Workbooks", "KiMoPack"):
        assert any(program in programs for programs, _ in described)


def test_the_jacobian_is_left_to_who_fits(read):
    (trace,) = read(written_by.hitachi(X, ONE))
    per_eV = intensity_per_eV(trace.energy_eV, trace.values)
    assert per_eV[0] / trace.values[0] > per_eV[-1] / trace.values[-1]
