"""Whether two classifiers that answered the same samples differ, or whether chance alone may have made the difference.

Only the samples that exactly one of the two has right tell anything. Were both equally good, each of those would fall to either
side like a coin, so that their number on one side has a binomial distribution: McNemar's test in its exact, one-sided form.

Sources: Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika 12
(1947) 153-157, https://doi.org/10.1007/BF02295996; for classifiers T. G. Dietterich, Approximate statistical tests for comparing
supervised classification learning algorithms, Neural Computation 10 (1998) 1895-1923, https://doi.org/10.1162/089976698300017197.
"""

import math

_NEGLIGIBLE = 1e-17
_GROWTH = 1.02


def p_value(lost: int, won: int) -> float:
    """How probable (0 to 1) at least so many losses are, if the new one were as good as the old one.

    lost: samples that only the old one has right. won: those that only the new one has right. Without either it is 1.
    """
    discordant = lost + won
    if 2 * lost > discordant:
        return _upper_tail(discordant, lost)
    # The other tail is the small one: a sum of small terms keeps its digits.
    return 1 - _upper_tail(discordant, won + 1)


def samples_needed(lost: int, won: int, samples: int, significance: float) -> int:
    """Roughly how many samples would be needed for the same shares of lost and won ones to be significant.

    samples: how many there were. significance: the largest p-value that counts, above 0. Expects more lost than won.
    Rounded up to two digits.
    """
    size = float(samples)
    while p_value(round(lost * size / samples), round(won * size / samples)) > significance:
        size *= _GROWTH
    unit: int = 10 ** max(0, len(str(math.ceil(size))) - 2)
    return math.ceil(size / unit) * unit


def _upper_tail(throws: int, least: int) -> float:
    """The probability of `least` heads or more in so many throws of a fair coin; `least` is more than half of them."""
    if least > throws:
        return 0.0
    # By logarithms, for the number of ways alone has no float from some thousand throws on.
    ways = math.lgamma(throws + 1) - math.lgamma(least + 1) - math.lgamma(throws - least + 1)
    term = math.exp(ways - throws * math.log(2))
    total = 0.0
    for heads in range(least, throws + 1):
        total += term
        term *= (throws - heads) / (heads + 1)
        if term <= total * _NEGLIGIBLE:
            break
    return min(total, 1.0)
