from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain.states import DeploymentState, IllegalTransition, check_transition

P, R, V, OK, NO, BAD = (
    DeploymentState.PLANNED,
    DeploymentState.ROLLING_OUT,
    DeploymentState.VERIFYING,
    DeploymentState.VERIFIED,
    DeploymentState.REJECTED,
    DeploymentState.BROKEN,
)
# Written out once more, on purpose: whoever changes the table says here that it was meant.
ALLOWED = {(P, R), (P, BAD), (R, V), (R, NO), (R, BAD), (V, OK), (V, NO), (V, BAD), (BAD, R), (OK, R)}


@pytest.mark.parametrize(("before", "after"), list(product(DeploymentState, repeat=2)))
def test_every_pair_is_allowed_or_not_as_the_table_says(before: DeploymentState, after: DeploymentState) -> None:
    """Of all 36 pairs, staying and the ten listed ones are allowed; any other names both states and what may follow."""
    if before == after or (before, after) in ALLOWED:
        check_transition(before, after)
        return
    with pytest.raises(IllegalTransition, match=f"{before} cannot become {after}") as caught:
        check_transition(before, after)
    following = sorted(state for state in DeploymentState if (before, state) in ALLOWED)
    assert str(caught.value).endswith(", ".join(following) if following else "nothing: it is final")


def test_every_state_can_be_reached_and_left_for_an_end() -> None:
    """From planned every state can be reached, and from every state a final one."""
    reached = {P}
    for _ in DeploymentState:
        reached |= {after for before, after in ALLOWED if before in reached}
    assert reached == set(DeploymentState)
    ending = {OK, NO}
    for _ in DeploymentState:
        ending |= {before for before, after in ALLOWED if after in ending}
    assert ending == set(DeploymentState)


@given(st.lists(st.sampled_from(DeploymentState), max_size=12))
def test_nothing_is_verified_without_rolling_out_and_verifying(wishes: list[DeploymentState]) -> None:
    """Whatever is asked for, a deployment that ends verified was rolled out and then verified, and stays as it ends."""
    path = [P]
    for wish in wishes:
        try:
            check_transition(path[-1], wish)
        except IllegalTransition:
            continue
        if wish != path[-1]:
            assert path[-1] is not NO
            path.append(wish)
    if path[-1] is OK:
        assert path[-3:] == [R, V, OK]
