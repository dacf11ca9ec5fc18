import gc

import pytest

from portal.kit.memory import loading


def test_the_collector_rests_while_modules_are_loaded_and_looks_again_after() -> None:
    with loading():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_a_module_that_can_not_be_loaded_leaves_the_collector_at_work() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError

    assert gc.isenabled()
