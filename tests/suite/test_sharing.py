"""How a time limit is shared among tables."""

from hypothesis import given
from hypothesis import strategies as st

from tabbench.suite.sharing import Need, share_out

needs = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.floats(0.1, 50), st.floats(0, 500)).map(
    lambda pair: Need(pair[0], pair[0] + pair[1])), max_size=8)


@given(st.floats(0.5, 2000), needs)
def test_shares_use_the_time_and_leave_no_table_below_its_least(seconds, found):
    shares = share_out(seconds, found)
    assert all(share >= found[name].least - 1e-6 for name, share in shares.items())
    assert sum(shares.values()) <= seconds * (1 + 1e-6) + 1e-5
    if shares:
        assert sum(shares.values()) >= 0.999 * seconds - 1e-4, "nothing is left over"
    absent = found.keys() - shares.keys()
    cheapest = min((found[name].least for name in absent), default=None)
    assert cheapest is None or sum(found[name].least for name in shares) + cheapest > seconds, "none is dropped that would fit"


@given(st.floats(10, 500), needs)
def test_who_gets_more_needs_it_at_least_and_who_gets_less_can_use_no_more(seconds, found):
    shares = share_out(seconds, found)
    if sum(need.most for need in (found[name] for name in shares)) <= seconds:
        return
    for name, share in shares.items():
        more = [other for other in shares if shares[other] > share + 1e-3]
        is_full = share >= found[name].most - 1e-3
        assert is_full or all(shares[other] <= found[other].least + 1e-3 for other in more)


def test_there_may_be_no_table_at_all():
    assert share_out(10, {}) == {} and share_out(1, {"a": Need(2, 3)}) == {}
