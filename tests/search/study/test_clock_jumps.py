from search.study.clock_jumps import ClockJumpDetector


def steadiness_at(own):
    return ClockJumpDetector(60.0, lambda: own["now"])


def test_a_clock_that_goes_as_ours_is_believed():
    own = {"now": 5.0}
    clock_jumps = steadiness_at(own)
    for seconds in (0, 1, 3600, 7200):
        own["now"] = 5.0 + seconds
        assert not clock_jumps.in_doubt(1000.0 + seconds)


def test_after_a_jump_the_clock_is_in_doubt_until_every_living_worker_has_renewed_its_lease():
    own = {"now": 5.0}
    clock_jumps = steadiness_at(own)
    assert not clock_jumps.in_doubt(1000.0)
    own["now"] = 7.0
    assert clock_jumps.in_doubt(4600.0)  # the machine was suspended for an hour
    own["now"] = 66.0
    assert clock_jumps.in_doubt(4659.0)
    own["now"] = 67.0
    assert not clock_jumps.in_doubt(4660.0)


def test_a_clock_that_is_set_back_lets_no_lease_expire_and_is_believed():
    own = {"now": 5.0}
    clock_jumps = steadiness_at(own)
    assert not clock_jumps.in_doubt(4600.0)
    assert not clock_jumps.in_doubt(1000.0)
