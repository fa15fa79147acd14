"""Synthetic spectra as the programs of instruments write them: one function a dialect."""

import io
import struct

import numpy as np
import openpyxl


def _join(lines, end="\r\n"):
    return end.join(lines) + end


def _table(columns, separator=",", decimal=".", form="{:.6g}", tail=""):
    rows = zip(*columns, strict=True)
    return [separator.join(map(form.format, row)).replace(".", decimal) + tail for row in rows]


def cary(x, spectra):
    names = "".join(f"{name},," for name in spectra)
    axes = "Wavelength (nm),Abs," * len(spectra)
    rows = _table([column for y in spectra.values() for column in (x, y)], tail=",")
    log = [
        "",
        "first",
        "Collection Time: 1/15/2030 4:57:46 PM",
        "UV-Vis Scan Rate (nm/min) 600.000",
    ]
    return _join([names, axes, *rows[::-1], *log, "Baseline Changed: 1/15/2030, Old:0, New:1"])


def cary_of_unequal_length(x, spectra):
    """Each trace has an axis of its own, and each is three points shorter than the next."""
    cuts = {name: 3 * i for i, name in enumerate(reversed(list(spectra)))}
    lines = ["".join(f"{name},," for name in spectra), "Wavelength (nm),Abs," * len(spectra)]
    for i in range(x.size):
        cells = (
            f"{x[i]:.6g},{y[i]:.6g}" if i < x.size - cuts[name] else ","
            for name, y in spectra.items()
        )
        lines.append(",".join(cells) + ",")
    return _join(lines)


def shimadzu(x, spectra):
    (y,) = spectra.values()
    return _join(['"dots.spc - RawData"', '"Wavelength nm."\t"Abs."', *_table((x, y), "\t")])


def jasco(x, spectra):
    (y,) = spectra.values()
    head = ["TITLE\t", "ORIGIN\tJASCO", "DATE\t30/01/25", "DELTAX\t-1", "XUNITS\tNANOMETERS"]
    head += ["YUNITS\tABSORBANCE", f"FIRSTX\t{x[-1]:g}", f"NPOINTS\t{x.size}", "XYDATA"]
    return _join(
        [*head, *_table((x, y), "\t")[::-1], "", "##### Extended Information", "[Comment]"]
    )


def edinburgh(x, spectra):
    many = len(spectra)
    rows = [["Labels", *spectra], ["Type", *["Emission Scan"] * many], ["Comment", *[""] * many]]
    rows += [["Start", *["500.00"] * many], ["Xaxis", *["Wavelength"] * many]]
    rows += [["Yaxis", *["Counts"] * many], ["Detector", *["Detector 1"] * many]]
    lines = ["\t".join(row) + "\t" for row in rows]
    return _join(["M0", "", *lines, "", *_table((x, *spectra.values()), "\t", tail="\t")], "\n")


def fluoressence(x, spectra):
    pairs = [column for y in spectra.values() for column in (x, y)]
    letters = "\t".join(f"{chr(65 + i)}\tS1c{i}" for i in range(len(spectra)))
    names = "\t".join(f"Wavelength\t{name}" for name in spectra)
    units = "\t".join("nm\tCPS" for _ in spectra)
    return _join([letters, names, units, *_table(pairs, "\t")], "\n")


def worksheet(x, spectra):
    many = len(spectra)
    head = [["Short Name", *"ABCDEFGH"[: many + 1]], ["Long Name", "Wavelength", *spectra]]
    head += [["Units", "nm", *["CPS"] * many], ["SourceName", "", *["S1c / R1c"] * many]]
    head += [["CycleNumber", "", *map(str, range(1, many + 1))], ["Comments", "", *["hot"] * many]]
    rows = [f"{i}\t{row}" for i, row in enumerate(_table((x, *spectra.values()), "\t"), start=1)]
    return _join([*("\t".join(row) for row in head), *rows], "\n")


def fl_winlab(x, spectra, quantity="INT"):
    ((name, y),) = spectra.items()
    head = [
        "PE FL       SPECTRUM    ASCII       PEDS        1.60        ",
        "  -1",
        name,
        "30/03/15",
    ]
    head += ["16:01:04.00", "", f"{x[0]:.6f}", "1", "LS55", "328.00", "SCAN", "20", "539 328 "]
    head += ["1 0 0", "#HDR", "-1", "-1", "#GR", "NM", quantity, "0.00002384", "0.0"]
    head += [f"{x[0]:.6f}", "0.5", f"{x.size}", "8", "65.28", "4.93", "#DATA"]
    return _join([*head, *_table((x, y), "\t", tail=" "), ""], "\n")


def hitachi(x, spectra):
    (y,) = spectra.values()
    head = [
        "Sample:\tdots",
        "File name:\tdots.FD3",
        "Comment:\t",
        "EX WL:\t400.0 nm",
        "Response:\t0.5 s",
    ]
    return _join([*head, "", "Data Points", "nm\tData", *_table((x, y), "\t")])


def ocean(x, spectra):
    (y,) = spectra.values()
    head = ["Data from dots.txt Node", "", "Date: Thu Jan 03 11:36:13 CET 2030", "User: someone"]
    head += ["Integration Time (sec): 1.000000E-1", "XAxis mode: Wavelengths"]
    head += [f"Number of Pixels in Spectrum: {x.size}", ">>>>>Begin Spectral Data<<<<<"]
    return _join([*head, *_table((x, y), "\t"), ">>>>>End Spectral Data<<<<<"], "\n")


def avantes(x, spectra):
    head = [
        "Integration time [ms]:  10,000",
        "Averaging Nr. [scans]: 1",
        "Timestamp [0.01 millisec]: 1",
    ]
    names = "Wave   ;" + "".join(f"{name};" for name in spectra)
    units = "[nm]   ;" + "[counts];" * len(spectra)
    rows = _table((x, *spectra.values()), ";", ",", "{:9.4f}", tail=";")
    return _join([*head, names, units, " ", *rows])


def wasatch(x, spectra):
    head = ["ENLIGHTEN Version,4.1.0", "Integration Time,100", "Laser Wavelength,785.0", ""]
    names = ",".join(["Pixel,Wavelength,Wavenumber", *spectra])
    shift = 1e7 * (1 / 785 - 1 / x)
    return _join([*head, names, *_table((np.arange(x.size), x, shift, *spectra.values()))], "\n")


def labram(x, spectra):
    (y,) = spectra.values()
    head = ["#Acq. time (s)=\t10", "#Grating (gr/mm)=\t150", "#AxisType[0]=\tIntens"]
    head += ["#AxisUnit[0]=\tCnt", "#AxisType[1]=\tSpectr", "#AxisUnit[1]=\tnm"]
    return _join([*head, *_table((x, y), "\t")])


def labram_map(x, spectra):
    """Spectra in rows, each behind the place where it was taken."""
    places = [f"{i}.5\t{2 * i}.25" for i in range(len(spectra))]
    rows = ["\t".join(f"{value:.6g}" for value in y) for y in spectra.values()]
    lines = [f"{place}\t{row}" for place, row in zip(places, rows, strict=True)]
    return _join(["#AxisUnit[1]=\tnm", "\t\t" + "\t".join(f"{v:g}" for v in x), *lines])


def kimopack(x, spectra):
    """Wavelengths across, delays down."""
    rows = ["\t".join([name, *(f"{v:.6g}" for v in y)]) for name, y in spectra.items()]
    return _join(["\t" + "\t".join(f"{v:g}" for v in x), *rows], "\n")


def matrix(x, spectra):
    """Wavelengths down, delays across, the corner empty."""
    return _join(["\t" + "\t".join(spectra), *_table((x, *spectra.values()), "\t")], "\n")


def glotaran_time(x, spectra):
    head = ["a streak image", "", " Time explicit", f" Intervalnr  {len(spectra)}"]
    return _join([*head, " " + " ".join(spectra), *_table((x, *spectra.values()), " ")], "\n")


def glotaran_wavelength(x, spectra):
    head = ["a streak image", "", "Wavelength explicit", f"Intervalnr {x.size}"]
    rows = [" ".join([name, *(f"{v:.6g}" for v in y)]) for name, y in spectra.items()]
    return _join([*head, " ".join(f"{v:g}" for v in x), *rows], "\n")


def surface_xplorer(x, spectra):
    head = "0.00000E+0," + ",".join(f"{float(name):.5E}" for name in spectra)
    rows = _table((x, *spectra.values()), form="{:.5E}")
    info = ["file info:Date: January 2, 2030", "Sample: dots", "Time units: ps", "Z axis title: dA"]
    return _join([head, *rows, *info], "\n")


# JCAMP-DX, in each of its encodings.


def affn(values):
    return "".join(f" {v}" for v in values), False


def pac(values):
    return "".join(f"{v:+d}" for v in values), False


def _first(value, positive, negative):
    digits = str(abs(value))
    head = (positive if value >= 0 else negative)[int(digits[0])]
    return head + digits[1:]


def sqz(values):
    return "".join(_first(v, "@ABCDEFGHI", "@abcdefghi") for v in values), False


def _repeats(tokens):
    text, i = "", 0
    while i < len(tokens):
        same = next((j for j in range(i, len(tokens)) if tokens[j] != tokens[i]), len(tokens)) - i
        text += tokens[i]
        # A count is written like any number, its first digit replaced.
        text += "" if same == 1 else "@STUVWXYZs"[int(str(same)[0])] + str(same)[1:]
        i += same
    return text


def squeezed_duplicates(values):
    return _repeats([_first(v, "@ABCDEFGHI", "@abcdefghi") for v in values]), False


def dif(values):
    steps = [_first(int(d), "%JKLMNOPQR", "%jklmnopqr") for d in np.diff(values)]
    return _first(values[0], "@ABCDEFGHI", "@abcdefghi") + "".join(steps), len(values) > 1


def difdup(values):
    steps = [_first(int(d), "%JKLMNOPQR", "%jklmnopqr") for d in np.diff(values)]
    return _first(values[0], "@ABCDEFGHI", "@abcdefghi") + _repeats(steps), len(values) > 1


ENCODINGS = {f.__name__: f for f in (affn, pac, sqz, squeezed_duplicates, dif, difdup)}


def jcamp_block(
    x, y, title="dots", *, encoding=difdup, units=("NANOMETERS", "ABSORBANCE"), factor=1e-6
):
    whole = [round(v / factor) for v in y]
    head = [f"##TITLE= {title}", "##JCAMP-DX= 4.24 $$ a comment", "##DATA TYPE= UV/VIS SPECTRUM"]
    head += [f"##XUNITS= {units[0]}", f"##YUNITS= {units[1]}", "##XFACTOR= 1.0"]
    head += [f"##YFACTOR= {factor:g}", f"##FIRSTX= {x[0]:.9g}", f"##LASTX= {x[-1]:.9g}"]
    head += [f"##NPOINTS= {x.size}", "##XYDATA= (X++(Y..Y))"]
    lines, i = [], 0
    while i < len(whole):
        text, check = encoding(whole[i : i + 7])
        lines.append(f"{x[i]:.9g}{text}")
        last = i + 7 >= len(whole)
        i += 6 if check and not last else 7
    if check:
        lines.append(f"{x[-1]:.9g}{_first(whole[-1], '@ABCDEFGHI', '@abcdefghi')}")
    return _join([*head, *lines, "##END="])


def jcamp_pairs(x, y, title="dots", label="XYPOINTS"):
    head = [f"##TITLE={title}", "##XUNITS=NANOMETERS", "##YUNITS=ABSORBANCE", f"##{label}=(XY..XY)"]
    pairs = [f"{a:.9g}, {b:.9g}" for a, b in zip(x, y, strict=True)]
    return _join([*head, *("; ".join(pairs[i : i + 3]) for i in range(0, len(pairs), 3)), "##END="])


def linked(*blocks):
    head = ["##TITLE= linked", "##DATA TYPE= LINK", f"##BLOCKS= {len(blocks)}"]
    return _join(head) + "".join(blocks) + "##END= $$ of all\r\n"


# SPC.


def spc(x, spectra, *, version=0x4B, exponent=0x80, words=4, given_x=False, own_x=False, x_type=3):
    """Of either byte order (0x4B, 0x4C) or old (0x4D); floats, or integers of 2 or 4 bytes."""
    order = ">" if version == 0x4C else "<"
    many = len(spectra)
    flags = (words == 2) + 4 * (many > 1) + 0x40 * own_x + 0x80 * (given_x or own_x)
    xs = np.asarray(x, dtype=order + "f4").tobytes()
    if version == 0x4D:
        head = struct.pack("<BBhfffBB", flags, version, exponent, x.size, x[0], x[-1], x_type, 2)
        head = head.ljust(64, b"\0") + b"the old kind".ljust(160, b"\0")
    else:
        kind = "BBBBIddIBB"
        points = 0 if own_x else x.size
        values = (flags, version, 0, exponent, points, x[0], x[-1], many, x_type, 2)
        head = struct.pack(order + kind, *values).ljust(88, b"\0")
        head = (head + b"dots").ljust(512, b"\0") + (xs if given_x and not own_x else b"")
    for i, (name, y) in enumerate(spectra.items()):
        sub = struct.pack(order + "BBHfffI", 0, exponent, i, float(name), 0.0, 0.0, x.size)
        head += sub.ljust(32, b"\0") + (xs if own_x else b"")
        if exponent == 0x80:
            head += np.asarray(y, dtype=order + "f4").tobytes()
            continue
        whole = np.round(np.asarray(y) / 2.0 ** (exponent - 8 * words)).astype(order + f"i{words}")
        if version == 0x4D and words == 4:
            whole = whole.view("<u2").reshape(-1, 2)[:, ::-1].copy()
        head += whole.tobytes()
    return head


def workbook(sheets):
    """Of sheets of rows of cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
