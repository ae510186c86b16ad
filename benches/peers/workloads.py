"""The sizes of the workloads, as the programs `benches/*.nn` have them; no framework.

A step is forward pass, backward pass and update on one batch that is in memory.
"""

WORKLOADS = {
    "xor": dict(kind="mlp", dims=[2, 8, 1], act="tanh", loss="bce", opt="sgd", lr=0.5, batch=4),
    "iris": dict(kind="mlp", dims=[4, 16, 3], act="relu", loss="ce", opt="adam", lr=1e-3, batch=16),
    "mnist_mlp": dict(kind="mlp", dims=[784, 128, 10], act="relu", loss="ce", opt="adam", lr=1e-3, batch=64),
    "wide_mlp": dict(kind="mlp", dims=[784, 512, 512, 10], act="relu", loss="ce", opt="momentum", lr=1e-2, batch=128),
    "deep_mlp": dict(kind="mlp", dims=[64] * 32 + [10], act="tanh", loss="ce", opt="sgd", lr=1e-2, batch=32),
    "logreg": dict(kind="mlp", dims=[30, 1], act="relu", loss="bce", opt="sgd", lr=1e-2, batch=65536),
    "lenet5": dict(kind="lenet", opt="sgd", lr=1e-2, batch=64),
    "cnn": dict(kind="cnn", opt="adam", lr=1e-3, batch=64),
    "lstm": dict(kind="lstm", vocab=65, embed=64, hidden=128, seq=64, opt="adam", lr=1e-3, batch=32),
    "gpt": dict(kind="gpt", vocab=65, dim=128, heads=4, layers=4, seq=64, opt="adamw", lr=1e-3, batch=16),
    "pinn": dict(kind="pinn", dims=[2, 64, 64, 1], opt="adam", lr=1e-3, batch=1024),
}

# Whose answers for one row are timed against onnxruntime.
INFERENCE = ["mnist_mlp", "lenet5", "gpt"]
