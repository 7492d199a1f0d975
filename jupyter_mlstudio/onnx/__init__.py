"""Everything the studio does with ONNX itself: open it, look into it, compare its answers, speak its protocol."""
