"""Settings that must be there before a framework is imported."""

import os

# Half of the contract is about float64, which JAX has only when asked.
os.environ.setdefault("JAX_ENABLE_X64", "1")
