"""The calibration page's numbers stand beside the statements that they repeat."""

from qdgain.calibration.rows import TARGETS
from qdgain.figures import calibrated
from qdgain.paper.claims import answered_by


def test_numbers_that_calibrate_stand_beside_the_statements_they_repeat():
    rows = [row for row in calibrated.headlines() if row.repeats]
    assert [row.repeats for row in rows] == list(TARGETS)
    for row in rows:
        assert answered_by(row).id == row.repeats
        assert row.key.startswith("calibration-")
        assert row.key.endswith(row.repeats.partition("-")[2])


def test_counts_stay_whole():
    values = {row.key: row.value for row in calibrated.headlines()}
    assert isinstance(values["calibration-numbers"], int)
    assert isinstance(values["calibration-worst"], float)
