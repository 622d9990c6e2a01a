"""Generalised least squares: fits to correlated points with their full covariance, and how good they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import least_squares
from scipy.special import fdtrc

from mesogpu.errors import PhysicsError


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model.

    parameters         : (P,) best values
    covariance         : (P, P) of the parameters, from the data's covariance
    chi_square         : r^T C^-1 r at the best values
    degrees_of_freedom : data minus parameters
    p_value            : probability of a chi-square at least this large if the model holds; NaN without freedom
    """

    parameters: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi_square: float
    degrees_of_freedom: int
    p_value: float


def fit_correlated(
    model: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    start: ArrayLike,
    samples: int,
) -> Fit:
    """Fit a model to correlated data by generalised least squares.

    minimises chi^2 = r^T C^-1 r, r = values - model(parameters)

    C is itself estimated from the samples, so chi^2 follows Hotelling's law, which tends to the chi-square law
    for many samples.

    model      : parameters (P,) -> predictions (D,)
    values     : (D,) data
    covariance : (D, D) C, estimated from `samples` realizations
    start      : (P,) where to begin
    raises     : PhysicsError where C is not positive definite, or too few realizations estimate it
    source     : Anderson, An Introduction to Multivariate Statistical Analysis (2003), ch. 5
    """
    data, matrix = np.asarray(values, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    first = np.atleast_1d(np.asarray(start, dtype=np.float64))
    freedom = len(data) - len(first)
    if freedom < 0 or samples <= len(data) + 1:
        raise PhysicsError(
            f"fit: {len(data)} data from {samples} realizations for {len(first)} parameters; "
            "record more lengths or run more realizations"
        )
    errors = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    singular = PhysicsError(
        "fit: the data's covariance is singular; run more realizations, or leave out a datum without scatter"
    )
    if not (errors > 0.0).all():
        raise singular
    try:
        # The correlation matrix, not the covariance: data of very different size must not spoil the factorisation.
        factor = np.linalg.cholesky(matrix / np.outer(errors, errors)) * errors[:, None]
    except np.linalg.LinAlgError:
        raise singular from None

    def whitened(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            residual = data - model(parameters)
        if not np.isfinite(residual).all():
            raise PhysicsError(
                "fit: the data lead to parameters at which the model has no value; they do not follow it, or there are "
                "too few realizations"
            )
        return np.asarray(solve_triangular(factor, residual, lower=True))

    solution = least_squares(whitened, first, x_scale=np.abs(first), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    chi_square = float(np.sum(solution.fun**2))
    jacobian = np.asarray(solution.jac)
    try:
        spread = np.linalg.inv(jacobian.T @ jacobian)
    except np.linalg.LinAlgError:
        raise PhysicsError("fit: the data do not tell the parameters apart; fix one, or add data") from None
    return Fit(
        parameters=np.asarray(solution.x),
        covariance=spread,
        chi_square=chi_square,
        degrees_of_freedom=freedom,
        p_value=_hotelling_tail(chi_square, freedom, samples),
    )


def _hotelling_tail(chi_square: float, freedom: int, samples: int) -> float:
    if freedom == 0:
        return float("nan")
    rest = samples - freedom
    return float(fdtrc(freedom, rest, chi_square * rest / (freedom * (samples - 1.0))))
