"""The sizes of the workloads, as the programs `benches/*.nn` and `benches/sizes/*.nn` have them; no framework.

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
    "cnn": dict(kind="cnn", image=(1, 28), channels=[32, 64], kernel=3, hidden=128, opt="adam", lr=1e-3, batch=64),
    "lstm": dict(kind="lstm", vocab=65, embed=64, hidden=128, seq=64, opt="adam", lr=1e-3, batch=32),
    "gpt": dict(kind="gpt", vocab=65, dim=128, heads=4, layers=4, seq=64, opt="adamw", lr=1e-3, batch=16),
    "pinn": dict(kind="pinn", dims=[2, 64, 64, 1], opt="adam", lr=1e-3, batch=1024),
}

# Sizes that no kernel was made for.
OTHER_SIZES = {
    "sizes/odd_mlp": dict(kind="mlp", dims=[123, 77, 45, 7], act="relu", loss="ce", opt="adam", lr=1e-3, batch=50),
    "sizes/single": dict(kind="mlp", dims=[784, 128, 10], act="relu", loss="ce", opt="sgd", lr=1e-2, batch=1),
    "sizes/narrow_mlp": dict(kind="mlp", dims=[10] + [24] * 12 + [3], act="relu", loss="ce", opt="adam", lr=1e-3, batch=20),
    "sizes/large_batch": dict(kind="mlp", dims=[256, 256, 256, 10], act="tanh", loss="ce", opt="momentum", lr=1e-2, batch=1000),
    "sizes/softmax_regression": dict(kind="mlp", dims=[784, 10], act="relu", loss="ce", opt="sgd", lr=1e-2, batch=500),
    "sizes/wide_logreg": dict(kind="mlp", dims=[101, 1], act="relu", loss="bce", opt="sgd", lr=1e-2, batch=10000),
    "sizes/small_lenet5": dict(kind="lenet", opt="sgd", lr=1e-2, batch=17),
    "sizes/colour_cnn": dict(kind="cnn", image=(3, 32), channels=[20, 50], kernel=5, hidden=100, opt="adam", lr=1e-3, batch=24),
    "sizes/odd_lstm": dict(kind="lstm", vocab=40, embed=50, hidden=100, seq=37, opt="adam", lr=1e-3, batch=20),
    "sizes/odd_gpt": dict(kind="gpt", vocab=90, dim=96, heads=3, layers=2, seq=50, opt="adamw", lr=1e-3, batch=7),
    "sizes/long_gpt": dict(kind="gpt", vocab=65, dim=64, heads=2, layers=1, seq=256, opt="adamw", lr=1e-3, batch=4),
    "sizes/unet": dict(kind="unet", image=(1, 64), channels=[16, 32, 64], opt="adam", lr=1e-3, batch=8),
    "sizes/resnet20": dict(kind="resnet", image=(3, 32), channels=[16, 32, 64], blocks=3, opt="momentum", lr=1e-2, batch=32),
    "sizes/mobilenet": dict(kind="mobilenet", image=(3, 32), channels=[32, 64, 128, 128, 256, 256], strides=[1, 2, 1, 2, 1], opt="momentum", lr=1e-2, batch=32),
    "sizes/words": dict(kind="words", vocab=50_000, embed=256, seq=64, opt="sgd", lr=1e-2, batch=64),
    "sizes/tables": dict(kind="tables", tables=8, rows=10_000, embed=16, numbers=13, dims=[141, 128, 64, 1], opt="sgd", lr=1e-2, batch=1024),
    "sizes/tables_adam": dict(kind="tables", tables=8, rows=10_000, embed=16, numbers=13, dims=[141, 128, 64, 1], opt="adam", lr=1e-3, batch=1024),
    "sizes/small_pinn": dict(kind="pinn", dims=[2, 40, 40, 40, 1], opt="adam", lr=1e-3, batch=500),
}
ALL = WORKLOADS | OTHER_SIZES

# Whose answers for one row are timed against onnxruntime.
INFERENCE = ["mnist_mlp", "lenet5", "gpt", "sizes/unet", "sizes/resnet20", "sizes/mobilenet"]
