"""Every refusal of a guess about more rows says its reason."""

import pytest

from tabbench.verdict.extrapolation import Miss, Obstacle, Refusal
from tabbench.wording.extrapolation import refusal_words


@pytest.mark.parametrize(("refusal", "told"), [
    (None, ""),
    (Refusal(Obstacle.NOT_RUN, 8000, "mlp"), "mlp was not run at 8,000 rows"),
    (Refusal(Obstacle.FAILED, 800, "mlp", 3, 60), "mlp failed in 3 of 60 fits"),
    (Refusal(Obstacle.FEW_SIZES, 800, count=4, of=5), "4 sizes were run, and a curve needs 5"),
    (Refusal(Obstacle.FEW_SIZES, 800, count=1, of=5), "1 size was run, and a curve needs 5"),
    (Refusal(Obstacle.FEW_SIZES_BELOW, 8000, count=2, of=3),
     "2 sizes were run up to half of 8,000 rows, and 3 are needed to test the curves on the larger ones"),
    (Refusal(Obstacle.FEW_SPLITS, 500, count=2, of=3),
     "2 splits were run, too few to show the effect of the training rows; 3 are needed"),
    (Refusal(Obstacle.FEW_SPLITS, 500, count=1, of=3),
     "1 split was run, too few to show the effect of the training rows; 3 are needed"),
    (Refusal(Obstacle.NO_ERRORS, 800), "the two predict the same, or the error of their scores is unknown"),
    (Refusal(Obstacle.IRREGULAR, 8000, miss=Miss(2500, -0.1234, 0.05, -0.8, is_at_largest=True)),
     "the curves are too irregular: from the sizes up to 2,500 rows the difference at 8,000 rows was expected between −0.12 and "
     "0.050, and is −0.80"),
    (Refusal(Obstacle.IRREGULAR, 800, miss=Miss(250, -0.1, 0.1, 0.0, is_at_largest=False)),
     "the curves are too irregular: from the sizes up to 250 rows the larger sizes were missed"),
])
def test_every_refusal_says_its_reason(refusal, told):
    assert refusal_words(refusal) == told
