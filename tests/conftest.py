"""Settings that must be there before a framework is imported."""

import os

# Half of the contract is about float64, which JAX has only when asked.
os.environ.setdefault("JAX_ENABLE_X64", "1")

# TensorFlow talks when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
