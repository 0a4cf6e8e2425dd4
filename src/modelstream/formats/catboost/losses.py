"""CatBoost's loss functions: what its `predict`, or `predict_proba`, makes of the sums."""

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.trees.ensemble import Link

_NUMBERS = (
    "RMSE", "MAE", "Quantile", "MultiQuantile", "GroupQuantile", "LogLinQuantile", "MAPE", "Lq",
    "Huber", "Expectile", "LogCosh", "Cox", "SurvivalAft", "MultiRMSE",
    "MultiRMSEWithMissingValues", "PairLogit", "PairLogitPairwise", "YetiRank", "YetiRankPairwise",
    "QueryRMSE", "QuerySoftMax", "QueryCrossEntropy", "StochasticRank", "StochasticFilter",
    "LambdaMart", "PythonUserDefinedPerObject", "PythonUserDefinedMultiTarget",
)  # fmt: skip
_LINKS: dict[str, Link] = {
    **dict.fromkeys(_NUMBERS, "identity"),
    **dict.fromkeys(("Poisson", "Tweedie"), "exp"),
    **dict.fromkeys(("Logloss", "CrossEntropy", "Focal"), "sigmoid"),
    "MultiClass": "softmax",
    "MultiClassOneVsAll": "one_vs_all",
}


def link_of(loss: str, sums: int, classes: int) -> Link:
    """Return what the sums become; a model that does not tell its loss is known by its classes.

    Raises InvalidModel, UnsupportedModel.
    """
    if not loss and not classes:
        loss = "RMSE"
    elif not loss:
        loss = "Logloss" if sums == 1 else "MultiClass"
    if loss not in _LINKS:
        raise UnsupportedModel(
            f"loss function {loss!r} is not evaluated; known are {', '.join(sorted(_LINKS))}"
        )
    link = _LINKS[loss]
    if (link in {"sigmoid", "exp"} and sums != 1) or (link == "softmax" and sums < 2):
        raise InvalidModel(f"loss function {loss!r} does not fit {sums} values a leaf")
    return link
