"""GeneralRegressionModels in few words."""

from typing import Any

from tests.support.pmml import X, Y, document, schema

F = '<DataField name="f" optype="categorical" dataType="string"/>'
LEVELS = (
    '<DataField name="kind" optype="ordinal" dataType="string">'
    '<Value value="low"/><Value value="mid"/><Value value="high"/></DataField>'
)
PARAMETERS = (
    '<ParameterList><Parameter name="p0" label="Intercept"/><Parameter name="p1"/>'
    '<Parameter name="p2"/><Parameter name="p3"/></ParameterList>'
    '<FactorList><Predictor name="f"/></FactorList><CovariateList><Predictor name="x"/></CovariateList>'
)
# p1 is x, p2 is one where f is "a", p3 is the square of x where f is "b".
CELLS = (
    '<PPMatrix><PPCell value="1" predictorName="x" parameterName="p1"/>'
    '<PPCell value="a" predictorName="f" parameterName="p2"/>'
    '<PPCell value="2" predictorName="x" parameterName="p3"/>'
    '<PPCell value="b" predictorName="f" parameterName="p3"/></PPMatrix>'
)


def cell(parameter: str, beta: float, category: str | None = None) -> str:
    target = "" if category is None else f' targetCategory="{category}"'
    return f'<PCell parameterName="{parameter}" beta="{beta!r}"{target}/>'


def params(cells: str) -> str:
    return f'<PCovMatrix><PCovCell pRow="p0" pCol="p0" value="1"/></PCovMatrix><ParamMatrix>{cells}</ParamMatrix>'


BETAS = {"p0": 0.5, "p1": 2.0, "p2": -1.0, "p3": 0.25}
PLAIN = params("".join(cell(name, beta) for name, beta in BETAS.items()))


def model(inner: str, function: str = "regression", extra: str = "", **attributes: Any) -> str:
    target = "y" if function == "regression" else "kind"
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    fields = schema("x", "f", target=target, extra=extra)
    return (
        f'<GeneralRegressionModel functionName="{function}"{declared}>{fields}'
        f"{inner}</GeneralRegressionModel>"
    )


def general(inner: str = PARAMETERS + CELLS + PLAIN, fields: str = "", **attributes: Any) -> bytes:
    return document(model(inner, **attributes), X + F + Y + fields)


def eta(x: float, f: str, betas: dict[str, float]) -> float:
    parameters = {"p0": 1.0, "p1": x, "p2": float(f == "a"), "p3": x * x * (f == "b")}
    return sum(beta * parameters[name] for name, beta in betas.items())
