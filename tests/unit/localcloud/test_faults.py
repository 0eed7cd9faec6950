"""The faults that have a name."""

import pytest

from localcloud.arm.faults import parse_fault
from localcloud.named_faults import NAMED_FAULTS, NamedFault


@pytest.mark.parametrize("fault", NAMED_FAULTS, ids=lambda fault: fault.name)
def test_the_simulator_takes_every_named_fault(fault: NamedFault) -> None:
    if fault.simulator is None:
        assert fault.deliver_twice or fault.shuffle
    else:
        assert parse_fault(dict(fault.simulator)).kind == fault.simulator["kind"]
