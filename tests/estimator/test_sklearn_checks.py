"""scikit-learn's own checks of an estimator."""

import warnings

from sklearn.utils.estimator_checks import parametrize_with_checks

from vaelab import VAE

EXPECTED_FAILURES: dict[str, str] = {}


@parametrize_with_checks(
    [VAE(latent_dim=1, hidden=(4,), epochs=1, likelihood="gaussian", batch_size=8)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        # some checks warn of themselves: that their optional packages are missing
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
        check(estimator)


def test_few_failures_are_expected():
    assert len(EXPECTED_FAILURES) <= 5
