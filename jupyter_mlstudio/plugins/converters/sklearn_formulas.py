"""Formulas of scikit-learn's models for which skl2onnx has none, or a wrong one. Each is its method in tensors.

A formula takes the fitted model and its rows, and answers a matrix: transformed rows, values, or class probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.refused import Refused
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside, squared_distances

Formula = Callable[[Any, Tensor], Tensor]

UFUNCS: dict[str, Callable[[Tensor], Tensor]] = {
    "log1p": lambda x: (x + 1.0).log(), "expm1": lambda x: x.exp() - 1.0, "log": lambda x: x.log(),
    "exp": lambda x: x.exp(), "sqrt": lambda x: x.sqrt(), "square": lambda x: x * x, "absolute": lambda x: x.abs(),
    "log2": lambda x: x.log() / np.log(2.0), "log10": lambda x: x.log() / np.log(10.0), "sin": lambda x: x.op("Sin"),
    "cos": lambda x: x.op("Cos"), "tanh": lambda x: x.op("Tanh"), "sign": lambda x: x.op("Sign"),
    "negative": lambda x: x * -1.0, "reciprocal": lambda x: 1.0 - (x - 1.0) / x, "identity": lambda x: x,
}  # fmt: skip
"""numpy's functions that can be told by their name."""


def of_function(function: Any, values: Tensor, what: str) -> Tensor:
    """Applies one of numpy's functions.

    Raises:
        Refused: it is another function.
    """
    if function is None:
        return values
    name = getattr(function, "__name__", "")
    if not isinstance(function, np.ufunc) or name not in UFUNCS:
        known = ", ".join(sorted(set(UFUNCS) - {"identity"}))
        raise Refused(f"{what} of {name or function!r} has no ONNX form: of numpy's functions {known} have one")
    return UFUNCS[name](values)


def linear(center: Any, weights: Any, after: Any = 0.0) -> Callable[[Tensor], Tensor]:
    """``(rows - center) @ weights + after``."""
    return lambda x: (x - center) @ weights + after


def kernel(name: str, model: Any, rows: Tensor, points: Any, gamma: float | None) -> Tensor:
    """Kernel of rows and constant points, as in ``sklearn.metrics.pairwise``.

    Raises:
        Refused: it is another kernel.
    """
    points = np.asarray(points, dtype=np.float64)
    gamma = 1.0 / points.shape[1] if gamma is None else gamma
    offset, degree = getattr(model, "coef0", 1) or 0.0, getattr(model, "degree", 3) or 3
    if name == "rbf":
        return (squared_distances(rows, points) * -gamma).exp()
    product = rows @ points.T
    if name == "linear":
        return product
    if name == "sigmoid":
        return (product * gamma + offset).op("Tanh")
    if name in ("poly", "polynomial"):
        return (product * gamma + offset) ** float(degree)
    raise Refused(f"kernel={name!r} has no ONNX form: use rbf, linear, poly or sigmoid")


def factor_analysis(model: Any, x: Tensor) -> Tensor:
    scaled = model.components_ / model.noise_variance_
    inverse = np.linalg.inv(np.eye(len(model.components_)) + scaled @ model.components_.T)
    return (x - model.mean_) @ (scaled.T @ inverse)


def sparse_components(model: Any, x: Tensor) -> Tensor:
    """Ridge regression of each row on the components, which is linear in the row."""
    components = model.components_
    gram = components @ components.T + model.ridge_alpha * np.eye(len(components))
    return (x - model.mean_) @ np.linalg.solve(gram, components).T


def agglomeration(model: Any, x: Tensor) -> Tensor:
    if model.pooling_func is not np.mean:
        raise Refused("FeatureAgglomeration with another pooling_func than numpy.mean has no ONNX form")
    member = (model.labels_[:, np.newaxis] == np.arange(model.n_clusters_)).astype(np.float64)
    return x @ (member / member.sum(axis=0))


def spline(model: Any, x: Tensor) -> Tensor:
    """Each spline is a polynomial between two knots: its coefficients are looked up by interval (PPoly of scipy)."""
    from scipy.interpolate import PPoly

    if model.extrapolation not in ("constant", "error"):
        raise Refused(f"SplineTransformer with extrapolation={model.extrapolation!r} has no ONNX form: use 'constant'")
    columns = []
    for number, bases in enumerate(model.bsplines_):
        degree = bases.k
        pieces = [PPoly.from_spline((bases.t, one, degree)).c for one in bases.c.T]
        starts = bases.t[degree : -degree - 1] if degree else bases.t[:-1]
        low, high = float(bases.t[degree]), float(bases.t[len(bases.t) - degree - 1])
        own = np.stack(pieces, axis=2)[:, degree : degree + len(starts), :]
        count = own.shape[2] - (0 if model.include_bias else 1)
        value = x.columns([number]).clip(low, high)
        interval = (value.flags("GreaterOrEqual", starts[1:]).sum(1, keep=False)).whole()
        offset = value - value.pick(starts[:, np.newaxis], interval)
        total = value.pick(own[0][:, :count], interval)
        for coefficients in own[1:]:
            total = total * offset + value.pick(coefficients[:, :count], interval)
        columns.append(total)
    return beside(columns)


def isotonic(model: Any, x: Tensor) -> Tensor:
    xs, ys = np.asarray(model.X_thresholds_, float), np.asarray(model.y_thresholds_, float)
    if len(xs) == 1:
        return x * 0.0 + ys[0]
    if model.out_of_bounds != "clip":
        x = x.where(x.flags("GreaterOrEqual", xs[0]) * x.flags("LessOrEqual", xs[-1]), np.nan)
    slopes = np.diff(ys) / np.diff(xs)
    inside = x.clip(xs[0], xs[-1])
    interval = inside.flags("GreaterOrEqual", xs[1:-1]).sum(1, keep=False).whole() if len(xs) > 2 else (
        inside * 0.0).sum(1, keep=False).whole()  # fmt: skip
    table = np.c_[xs[:-1], ys[:-1], slopes]
    found = inside.pick(table, interval)
    return found.columns([1]) + (inside - found.columns([0])) * found.columns([2])


def neighbours(model: Any, x: Tensor) -> tuple[Tensor, str]:
    """Weights of the nearest fitted rows and their numbers; distances are measured anew, without expansion."""
    metric, p = model.effective_metric_, model.effective_metric_params_.get("p", 2)
    if metric != "euclidean" and not (metric == "minkowski" and p == 2):
        raise Refused(f"{type(model).__name__} with metric={metric!r} has no ONNX form: use the Euclidean one")
    fitted = np.asarray(model._fit_X, dtype=np.float64)
    _, numbers = squared_distances(x, fitted).smallest(model.n_neighbors)
    apart = x.unsqueeze(1) - x.pick(fitted, numbers)
    distances = (apart * apart).sum(2, keep=False).sqrt()
    if model.weights == "uniform":
        return distances * 0.0 + 1.0, numbers
    if model.weights != "distance":
        raise Refused(f"{type(model).__name__} with weights of your own has no ONNX form: use 'uniform' or 'distance'")
    same = distances.flags("Equal", 0.0)
    any_same = same.sum(1).flags("Greater", 0.0)
    return same.where(any_same, (distances + same).op("Reciprocal")), numbers


def neighbours_classes(model: Any, x: Tensor) -> Tensor:
    weights, numbers = neighbours(model, x)
    member = np.eye(len(model.classes_))[np.asarray(model._y).ravel()]
    votes = (weights.unsqueeze(2) * weights.pick(member, numbers)).sum(1, keep=False)
    return votes / votes.sum(1)


def neighbours_values(model: Any, x: Tensor) -> Tensor:
    weights, numbers = neighbours(model, x)
    targets = np.asarray(model._y, dtype=np.float64).reshape(len(model._y), -1)
    total = (weights.unsqueeze(2) * weights.pick(targets, numbers)).sum(1, keep=False)
    return total / weights.sum(1)


def quadratic(model: Any, x: Tensor) -> Tensor:
    columns = []
    for mean, rotation, scaling, prior in zip(
        model.means_, model.rotations_, model.scalings_, model.priors_, strict=True
    ):
        apart = (x - mean) @ (rotation * scaling**-0.5)
        columns.append((apart * apart).sum(1) * -0.5 + (np.log(prior) - 0.5 * np.sum(np.log(scaling))))
    return beside(columns).softmax()


def propagation(model: Any, x: Tensor) -> Tensor:
    if model.kernel != "rbf":
        raise Refused(f"{type(model).__name__} with kernel={model.kernel!r} has no ONNX form: use kernel='rbf'")
    votes = kernel("rbf", model, x, model.X_, model.gamma) @ model.label_distributions_
    return votes / votes.sum(1)


def dummy_classes(model: Any, x: Tensor) -> Tensor:
    if model.strategy in ("stratified", "uniform"):
        raise Refused(f"DummyClassifier with strategy={model.strategy!r} answers at random")
    proba = np.asarray(model.predict_proba(np.zeros((1, model.n_features_in_))), dtype=np.float64)
    return x.sum(1) * 0.0 + proba


def pls(model: Any, x: Tensor) -> Tensor:
    return (x - model._x_mean) @ model.coef_.T + model.intercept_


def additive_chi2(model: Any, x: Tensor) -> Tensor:
    """Eq. 8 to 10 of Vedaldi and Zisserman, as ``AdditiveChi2Sampler`` has them."""
    interval = model.sample_interval or {1: 0.8, 2: 0.5, 3: 0.4}[model.sample_steps]
    positive = x.flags("Greater", 0.0)
    safe = x.where(positive, 1.0)
    parts = [(safe * interval).sqrt() * positive]
    logs = safe.log() * interval
    for step in range(1, model.sample_steps):
        factor = (safe * (2 * interval / np.cosh(np.pi * step * interval))).sqrt() * positive
        parts += [factor * (logs * step).op("Cos"), factor * (logs * step).op("Sin")]
    return beside(parts)


def support_vectors(model: Any, x: Tensor) -> Tensor:
    """``libsvm``'s decision function in the type of the rows; onnxruntime's own operator for it knows float32 alone."""
    vectors, weights = (
        one.toarray() if hasattr(one, "toarray") else one for one in (model.support_vectors_, model.dual_coef_)
    )
    return kernel(model.kernel, model, x, vectors, model._gamma) @ weights.T + model.intercept_


def sampler(model: Any, x: Tensor) -> Tensor:
    angles = x @ model.random_weights_ + model.random_offset_
    return angles.op("Cos") * np.sqrt(2.0 / model.random_weights_.shape[1])


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x, "relu": lambda x: x.op("Relu"), "tanh": lambda x: x.op("Tanh"),
    "logistic": lambda x: x.sigmoid(), "exp": lambda x: x.exp(),
}  # fmt: skip


def network(model: Any, x: Tensor) -> Tensor:
    """``MLPRegressor`` with any number of targets (``BaseMultilayerPerceptron._forward_pass_fast``)."""
    for weights, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        x = ACTIVATIONS[model.activation](x @ weights + bias)
    return ACTIVATIONS[model.out_activation_](x @ model.coefs_[-1] + model.intercepts_[-1])


FORMULAS: dict[str, Formula] = {
    "MLPRegressor": network,
    "AdditiveChi2Sampler": additive_chi2,
    "BernoulliRBM": lambda m, x: (x @ m.components_.T + m.intercept_hidden_).sigmoid(),
    "FactorAnalysis": factor_analysis,
    "FastICA": lambda m, x: (x - (m.mean_ if m.whiten else 0.0)) @ m.components_.T,
    "FeatureAgglomeration": agglomeration,
    "FunctionTransformer": lambda m, x: of_function(m.func, x, "FunctionTransformer"),
    "MissingIndicator": lambda m, x: x.columns(m.features_).missing(),
    "Nystroem": lambda m, x: kernel(m.kernel, m, x, m.components_, m.gamma) @ m.normalization_.T,
    "RBFSampler": sampler,
    "SkewedChi2Sampler": lambda m, x: sampler(m, (x + m.skewedness).log()),
    "SparsePCA": sparse_components,
    "MiniBatchSparsePCA": sparse_components,
    "PLSSVD": lambda m, x: ((x - m._x_mean) / m._x_std) @ m.x_weights_,
    "SparseRandomProjection": lambda m, x: x @ (
        m.components_.toarray() if hasattr(m.components_, "toarray") else m.components_).T,
    "SplineTransformer": spline,
    "RFE": lambda m, x: x.columns(np.flatnonzero(m.support_)),
    "RFECV": lambda m, x: x.columns(np.flatnonzero(m.support_)),
    "SequentialFeatureSelector": lambda m, x: x.columns(np.flatnonzero(m.support_)),
    "CCA": pls, "PLSCanonical": pls,
    "DummyRegressor": lambda m, x: x.sum(1) * 0.0 + np.asarray(m.constant_, dtype=np.float64),
    "IsotonicRegression": isotonic,
    "KernelRidge": lambda m, x: kernel(m.kernel, m, x, m.X_fit_, m.gamma) @ m.dual_coef_.reshape(len(m.X_fit_), -1),
    "SVR": support_vectors, "NuSVR": support_vectors,
    "KNeighborsRegressor": neighbours_values,
    "KNeighborsClassifier": neighbours_classes,
    "LabelPropagation": propagation, "LabelSpreading": propagation,
    "QuadraticDiscriminantAnalysis": quadratic,
    "DummyClassifier": dummy_classes,
}  # fmt: skip
"""By the name of the class."""


def elliptic(model: Any, x: Tensor) -> Tensor:
    apart = x - model.location_
    return ((apart @ model.precision_) * apart).sum(1) * -1.0 - model.offset_


CENTERS: dict[str, Callable[[Any], Any]] = {
    "AffinityPropagation": lambda m: m.cluster_centers_,
    "Birch": lambda m: m.subcluster_centers_,
    "MeanShift": lambda m: m.cluster_centers_,
    "KMeans": lambda m: m.cluster_centers_,
    "MiniBatchKMeans": lambda m: m.cluster_centers_,
}
"""Models whose answer is the nearest of these points."""

OUTLIERS: dict[str, Formula] = {
    "EllipticEnvelope": elliptic,
    "OneClassSVM": support_vectors,
}
"""Decision functions: negative for what lies apart."""
