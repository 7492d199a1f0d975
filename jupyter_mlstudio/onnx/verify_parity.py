"""Compares model.onnx with the original's answers in parity.npz, both beside this file; needs numpy and onnxruntime."""

import json
import os
from pathlib import Path

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before it is loaded: it reports to its maker otherwise
import onnxruntime

here = Path(__file__).parent
kept = np.load(here / "parity.npz", allow_pickle=False)
names = {kind: [name for name in kept if name.startswith(kind + ":")] for kind in ("input", "label", "number")}
feeds = {name[6:]: kept[name].astype(object) if kept[name].dtype.kind == "U" else kept[name] for name in names["input"]}
outputs = [name.partition(":")[2] for name in names["label"] + names["number"]]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # several threads add up trees in another order
session = onnxruntime.InferenceSession(here / "model.onnx", options, providers=["CPUExecutionProvider"])
found = dict(zip(outputs, session.run(outputs, feeds), strict=True))
rows = len(kept[(names["label"] + names["number"])[0]])
flips = np.zeros(rows, bool)
for name in names["label"]:
    labels = found[name[6:]].reshape(kept[name].shape)
    differ = kept[name] != (labels.astype(np.int64) if labels.dtype.kind in "bf" else labels).astype(str)
    flips |= differ.reshape(rows, -1).any(axis=1)
differences = flips.astype(float)
for name in names["number"]:
    native, onnx = (np.asarray(one, float).reshape(rows, -1) for one in (kept[name], found[name[7:]]))
    scale = np.maximum(np.sqrt(np.mean(native**2, axis=0)), 1) if not names["label"] else 1
    differences = np.max(np.where(native == onnx, 0, np.abs(native - onnx)) / scale, axis=1)
report: dict[str, float | None] = {"rows": rows, "label_flips": int(flips.sum()) if names["label"] else None}
report |= {"max_abs_difference": float(differences.max()), "mean_abs_difference": float(differences.mean())}
quantiles = {f"{q:g}": float(np.quantile(differences, q, method="higher")) for q in (0.5, 0.9, 0.99, 0.999)}
print(json.dumps(report | {"quantiles": quantiles}))
