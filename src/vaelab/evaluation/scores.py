"""What a score of images is called: three kinds, in different units."""

from vaelab.language import to_translate


def score_name(levels: int | None, *, grey: bool) -> str:
    """What -log p(x) is: of a likelihood on `levels` a probability's, on values between them no likelihood at all; of others a density's.

    A density has no bound: its negative logarithm may fall below 0, and depends on the scale of the pixels.
    """
    if levels is None:
        return to_translate("negative log-density")
    return to_translate("grey cross-entropy") if grey else to_translate("NLL")


def conditioned(score: str, condition: str) -> str:
    """The name of a score with what it is given."""
    if condition == "given":
        return to_translate("{score} given the label", score=score)
    return to_translate("{score}, marginal over labels", score=score) if condition == "marginal" else score
