"""Everything the studio does with ONNX itself: open it, look into it, compare its answers, speak its protocol."""

import os

# onnxruntime's own packages report each process and model to their maker, from before their interface can say no: only
# this variable, set before the library is loaded, leaves nothing to be sent. Who sets it otherwise has said so.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
