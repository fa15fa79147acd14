"""Random dots over the contract's ranges, narrowed to where bands still matter to each other."""

from hypothesis import strategies as st

import qdgain

STATISTICS = st.sampled_from(["rabi", "poisson", "sequential"])


@st.composite
def dots(draw, with_own_widths=False, reading="replacing"):
    """A dot with shifts of up to a few linewidths and strengths from weak to strong.

    In one reading, or with None in any of them.
    """
    if reading is None:
        reading = draw(st.sampled_from(qdgain.model.parameters.CONTRACT["reading"].choices))
    width = draw(st.floats(20, 200))
    shift = st.floats(-2.5, 2.5)
    fields = {
        "reading": reading,
        "absorption_energy_eV": draw(st.floats(1.2, 3.2)),
        "linewidth_meV": width,
        "stokes_shift_meV": width * draw(st.floats(0, 2)),
        "unrelaxed_absorptive_binding_meV": width * draw(shift),
        "absorptive_binding_meV": width * draw(shift),
        "emissive_binding_meV": width * draw(shift),
        "xx_absorption_strength": draw(st.floats(0, 3)),
        "xx_emission_strength": draw(st.floats(0.02, 2)),
    }
    if reading == "mixed":
        fields["remaining_absorption"] = draw(st.floats(0, 1))
        fields["full_dot_absorption"] = draw(st.floats(0, 1))
    if reading == "degenerate":
        fields["electron_states"] = draw(st.integers(2, 4))
        fields["hole_states"] = draw(st.integers(2, 4))
    if with_own_widths:
        for name in (
            "absorption_linewidth_meV",
            "emission_linewidth_meV",
            "xx_absorption_linewidth_meV",
            "xx_emission_linewidth_meV",
        ):
            fields[name] = width * draw(st.floats(0.5, 2))
    return qdgain.Dot(**fields)
