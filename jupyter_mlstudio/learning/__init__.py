"""AutoML's engine: a table goes in, an ordinary scikit-learn model comes out. Knows no store and no server."""
