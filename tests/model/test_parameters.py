"""The contract refuses what it should, in one sentence, and nothing is written twice."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qdgain
from qdgain.model import parameters
from qdgain.model.parameters import CONTRACT, ParameterError

NUMBERS = [p for p in CONTRACT.values() if p.kind == "number"]
BAD_NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    "60",
    "",
    "60 meV",
    True,
    None,
    [],
    {},
    1j,
    b"1",
    "__import__('os')",
    [1.0, "2"],
    [math.nan, 1.0],
]


@pytest.mark.parametrize("entry", CONTRACT.values(), ids=lambda p: p.name)
def test_default_meets_its_own_contract(entry):
    assert entry.check(entry.default) == entry.default
    assert entry.meaning
    assert entry.symbol
    assert entry.origin.source
    if entry.kind != "word":
        assert math.isfinite(entry.minimum) or isinstance(entry.default, str)


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused_in_one_sentence(value):
    for entry in NUMBERS:
        if value is None and entry.stand_in:
            assert entry.check(value) is None
            continue
        with pytest.raises(ParameterError) as refusal:
            entry.check(value)
        message = str(refusal.value)
        assert message.startswith(entry.name)
        assert "is not allowed: give" in message
        assert message.count("\n") == 0
        assert message.endswith(".")


@pytest.mark.parametrize("entry", NUMBERS, ids=lambda p: p.name)
def test_range_is_closed_and_enforced(entry):
    for edge, beyond in ((entry.minimum, -1), (entry.maximum, 1)):
        assert entry.check(edge) == edge
        outside = np.nextafter(edge, beyond * math.inf)
        with pytest.raises(ParameterError, match=entry.name):
            entry.check(outside)
    with pytest.raises(ParameterError, match=entry.name):
        entry.check([entry.minimum, entry.maximum * 2 + 1])


@pytest.mark.parametrize("value", ["Rabi", "", 1, None, "gauss", ["rabi"]])
def test_words_are_exact(value):
    with pytest.raises(ParameterError, match="one of rabi, poisson, sequential"):
        parameters.check("statistics", value)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ParameterError, match="did you mean stokes_shift_meV"):
        parameters.check("stoke_shift_meV", 1.0)


def test_dot_has_the_contracts_fields_and_defaults_in_its_order():
    fields = dataclasses.fields(qdgain.Dot)
    assert tuple(f.name for f in fields) == parameters.DOT_PARAMETERS
    for field in fields:
        assert field.default == CONTRACT[field.name].default


def test_every_public_field_name_is_kept():
    # Users script against these.
    promised = {
        "absorption_energy_eV",
        "linewidth_meV",
        "stokes_shift_meV",
        "absorptive_binding_meV",
        "emissive_binding_meV",
        "xx_absorption_strength",
        "xx_emission_strength",
    }
    assert promised <= set(parameters.DOT_PARAMETERS)


def test_names_carry_their_unit():
    suffix = {
        "meV": "_meV",
        "eV": "_eV",
        "mJ cm⁻²": "_mJ_cm2",
        "fs": "_fs",
        "ps": "_ps",
        "nm": "_nm",
        "K": "_K",
    }
    for entry in CONTRACT.values():
        if entry.unit in suffix:
            assert entry.name.endswith(suffix[entry.unit])


@given(st.floats(0, 1000))
def test_a_number_is_returned_as_it_was(value):
    assert parameters.check("stokes_shift_meV", value) == value


def test_arrays_are_kept_and_read_only():
    checked = parameters.check("stokes_shift_meV", [1, 2, 3])
    assert checked.dtype == float
    with pytest.raises(ValueError, match="read-only"):
        checked[0] = 5
