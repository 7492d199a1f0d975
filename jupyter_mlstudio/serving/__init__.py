"""The scoring server that a serve run starts: a process of its own with onnxruntime and numpy, without a framework."""
