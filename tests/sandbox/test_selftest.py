"""The operator reads how a model file is isolated, or in plain words that it is not."""

from skinsite.sandbox.selftest import SelfTest, run_selftest


def test_this_machine_is_tried_once() -> None:
    found = run_selftest()
    assert found is run_selftest()
    assert found.isolation or found.lacking
    assert ("opened in isolation" in found.sentence(unconfined=False)) is found.is_confined


def test_a_machine_that_lacks_a_measure_says_so() -> None:
    bare = SelfTest(isolation=("seccomp",), lacking=("Landlock: not supported",))
    assert not bare.is_confined
    assert bare.sentence(unconfined=True).startswith("DANGER")
    assert "SKINSITE_UNCONFINED_ADMISSION=1" in bare.sentence(unconfined=True)
    assert bare.sentence(unconfined=False).startswith("No model file can be registered")
    assert "Landlock: not supported" in bare.sentence(unconfined=False)
