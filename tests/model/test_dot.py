"""A dot checks itself, broadcasts, and has the promised presets."""

import dataclasses

import numpy as np
import pytest

import qdgain
from qdgain import Dot, ParameterError


def test_presets_are_the_four_and_without_esa_is_uncorrelated():
    presets = qdgain.presets()
    assert set(presets) == {"3LS", "3LS+ESA", "4LS", "4LS+ESA"}
    for name in ("3LS", "4LS"):
        assert presets[name] == presets[f"{name}+ESA"].uncorrelated()
        assert presets[name].stokes_shift_meV == presets[f"{name}+ESA"].stokes_shift_meV
        assert presets[name].absorptive_binding_meV == 0
        assert presets[name].xx_emission_strength == 1
    assert presets["4LS"].stokes_shift_meV > presets["3LS"].stokes_shift_meV


def test_uncorrelated_keeps_own_widths():
    dot = Dot(absorption_linewidth_meV=50.0, xx_emission_linewidth_meV=20.0).uncorrelated()
    assert dot.xx_absorption_linewidth_meV == 50.0
    assert dot.xx_emission_linewidth_meV is None


def test_is_frozen_equal_and_hashable():
    dot = Dot(stokes_shift_meV=[10.0, 20.0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        dot.linewidth_meV = 3
    assert dot == Dot(stokes_shift_meV=[10.0, 20.0])
    assert hash(dot) == hash(Dot(stokes_shift_meV=[10.0, 20.0]))
    assert dot != Dot(stokes_shift_meV=[10.0, 21.0])
    assert dot != 3


def test_refuses_with_the_name_and_what_is_allowed():
    with pytest.raises(ParameterError, match=r"stokes_shift_meV = -5.0 .* from 0 to 1000 meV"):
        Dot(stokes_shift_meV=-5.0)
    with pytest.raises(ParameterError, match=r"linewidth_meV = '80'"):
        Dot(linewidth_meV="80")
    with pytest.raises(ParameterError, match=r"must broadcast to one shape"):
        Dot(linewidth_meV=[1, 2], stokes_shift_meV=[1, 2, 3])


def test_shape_of_fields_leads_every_result():
    dot = Dot(stokes_shift_meV=np.zeros((3, 1)), linewidth_meV=np.full(2, 60.0))
    energy, mean = np.linspace(1.9, 2.1, 5), np.linspace(0, 2, 4)
    assert dot.shape == (3, 2)
    assert qdgain.bands(dot, energy).xx_absorption.shape == (3, 2, 5)
    assert qdgain.gain(dot, energy, mean).shape == (3, 2, 4, 5)
    assert qdgain.gain(dot, 2.0, mean).shape == (3, 2, 4)
    assert qdgain.threshold_at_energy(dot, energy).shape == (3, 2, 5)
    for threshold in (qdgain.threshold_at_maximum(dot), qdgain.threshold_onset(dot, 0.01)):
        assert threshold.mean_excitons.shape == (3, 2)
        assert threshold.energy_eV.shape == (3, 2)


def test_many_dots_give_what_each_gives_alone():
    shifts = np.linspace(0, 100, 7)
    energy, mean = np.linspace(1.8, 2.1, 9), np.linspace(0, 2, 5)
    together = qdgain.gain(Dot(stokes_shift_meV=shifts), energy, mean)
    onset = qdgain.threshold_onset(Dot(stokes_shift_meV=shifts), 0.01)
    for k, shift in enumerate(shifts):
        alone = Dot(stokes_shift_meV=shift)
        np.testing.assert_array_equal(together[k], qdgain.gain(alone, energy, mean))
        assert onset.mean_excitons[k] == qdgain.threshold_onset(alone, 0.01).mean_excitons
