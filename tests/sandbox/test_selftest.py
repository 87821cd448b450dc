"""The operator reads which walls stand, or in plain words that none does."""

from skinsite.sandbox.selftest import Standing, standing


def test_this_machine_is_tried_once() -> None:
    found = standing()
    assert found is standing()
    assert found.walls or found.lacking
    assert ("behind these walls" in found.sentence(unconfined=False)) is found.is_confined


def test_a_machine_that_lacks_a_wall_says_so() -> None:
    bare = Standing(walls=("seccomp",), lacking=("Landlock: not supported",))
    assert not bare.is_confined
    assert bare.sentence(unconfined=True).startswith("DANGER")
    assert "SKINSITE_UNCONFINED_ADMISSION=1" in bare.sentence(unconfined=True)
    assert bare.sentence(unconfined=False).startswith("No model file can be registered")
    assert "Landlock: not supported" in bare.sentence(unconfined=False)
