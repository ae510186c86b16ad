"""Trajectories of single layers: each case is a layer in PyTorch and the same layer in the language.

A network holds one layer called `layer` and learns random targets by plain gradient descent. Where PyTorch has no
such layer, its formula is written out here.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

CASES = []


class Net(nn.Module):
    """The layer by itself, so that parameters are called `layer.weight`, …"""

    def __init__(self, layer, forward=None):
        super().__init__()
        self.layer = layer
        self.call = forward or (lambda net, *inputs: net.layer(*inputs))

    def forward(self, *inputs):
        return self.call(self, *inputs)


def layer(name, shapes, module, text, forward=None, body="layer(x)", extra="", rows=8, batch=4):
    """`shapes` maps inputs to the shape of a row, or to (kind, shape) for class numbers and masks."""
    CASES.append((name, shapes, lambda: Net(module(), forward), text, body, extra, rows, batch))


# Linear layers.
layer("linear_no_bias", {"x": [5]}, lambda: nn.Linear(5, 3, bias=False), "Linear(3, bias = false)")
layer("linear_sequence", {"x": [4, 5]}, lambda: nn.Linear(5, 3), "Linear(3)")
layer("bilinear", {"x": [3], "z": [4]}, lambda: nn.Bilinear(3, 4, 2), "Bilinear(2)", body="layer(x, z)")
layer("prelu", {"x": [6]}, lambda: nn.PReLU(), "PReLU()")
layer("prelu_channels", {"x": [3, 4]}, lambda: nn.PReLU(3), "PReLU(channels = 3)")

# Convolutions.
layer("conv1d_same", {"x": [4, 9]}, lambda: nn.Conv1d(4, 6, 4, padding="same", dilation=2, groups=2), 'Conv1d(6, 4, padding = "same", dilation = 2, groups = 2)')
layer("conv2d_pairs", {"x": [4, 7, 6]}, lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), "Conv2d(6, [3, 2], stride = [2, 1], padding = [1, 0], dilation = [1, 2], groups = 2)")
layer("conv2d_same", {"x": [2, 6, 5]}, lambda: nn.Conv2d(2, 3, 4, padding="same"), 'Conv2d(3, 4, padding = "same")')
layer("conv2d_valid", {"x": [2, 6, 5]}, lambda: nn.Conv2d(2, 3, 3, padding="valid"), 'Conv2d(3, 3, padding = "valid")')
layer("conv2d_depthwise", {"x": [3, 6, 5]}, lambda: nn.Conv2d(3, 6, 3, groups=3, bias=False), "Conv2d(6, 3, groups = 3, bias = false)")
layer("conv3d", {"x": [2, 4, 5, 4]}, lambda: nn.Conv3d(2, 3, 3, stride=2, padding=1), "Conv3d(3, 3, stride = 2, padding = 1)")
layer("conv3d_lists", {"x": [4, 4, 5, 4]}, lambda: nn.Conv3d(4, 2, (3, 2, 1), stride=(1, 2, 1), padding=(1, 0, 0), groups=2), "Conv3d(2, [3, 2, 1], stride = [1, 2, 1], padding = [1, 0, 0], groups = 2)")
layer("conv_transpose1d", {"x": [4, 5]}, lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), "ConvTranspose1d(6, 3, stride = 2, padding = 1, output_padding = 1, groups = 2)")
layer("conv_transpose2d_groups", {"x": [4, 3, 4]}, lambda: nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, groups=2), "ConvTranspose2d(2, 3, stride = 2, padding = 1, output_padding = 1, groups = 2)")
layer("conv_transpose2d_pairs", {"x": [2, 3, 4]}, lambda: nn.ConvTranspose2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), "ConvTranspose2d(3, [3, 2], stride = [2, 1], padding = [1, 0], dilation = [1, 2])")

# Normalisation.
layer("batch_norm1d", {"x": [5]}, lambda: nn.BatchNorm1d(5), "BatchNorm1d()")
layer("batch_norm1d_sequence", {"x": [3, 4]}, lambda: nn.BatchNorm1d(3, momentum=0.3), "BatchNorm1d(momentum = 0.3)")
layer("layer_norm_axes", {"x": [3, 2, 4]}, lambda: nn.LayerNorm([2, 4]), "LayerNorm(axes = 2)")
layer("layer_norm_no_bias", {"x": [3, 4]}, lambda: nn.LayerNorm(4, bias=False), "LayerNorm(bias = false)")
layer("rms_norm_default", {"x": [3, 4]}, lambda: nn.RMSNorm(4), "RMSNorm()")
layer("group_norm_layer", {"x": [4, 3, 2]}, lambda: nn.GroupNorm(2, 4), "GroupNorm(2)")
layer("instance_norm1d", {"x": [3, 5]}, lambda: nn.InstanceNorm1d(3, affine=True), "InstanceNorm1d(affine = true)")
layer("instance_norm2d", {"x": [3, 4, 3]}, lambda: nn.InstanceNorm2d(3, affine=True), "InstanceNorm2d(affine = true)")
layer("local_response_norm", {"x": [6, 2, 2]}, lambda: nn.Conv2d(6, 6, 1), "Conv2d(6, 1)",
      forward=lambda net, x: F.local_response_norm(net.layer(x), 4, alpha=0.1, beta=0.75, k=2.0), body="layer(x) |> LocalResponseNorm(4, alpha = 0.1, k = 2)")

# Embeddings and recurrent layers.
layer("embedding_padding", {"x": (7, [5])}, lambda: nn.Embedding(7, 3, padding_idx=2), "Embedding(7, 3, padding = 2)")
layer("rnn_relu", {"x": [4, 3]}, lambda: nn.RNN(3, 4, nonlinearity="relu", batch_first=True), "RNN(4, act = relu)", forward=lambda net, x: net.layer(x)[0])
layer("rnn_bidirectional", {"x": [4, 3]}, lambda: nn.RNN(3, 4, num_layers=2, bidirectional=True, batch_first=True), "RNN(4, layers = 2, bidirectional = true)", forward=lambda net, x: net.layer(x)[0])
layer("lstm_no_bias", {"x": [4, 3]}, lambda: nn.LSTM(3, 4, num_layers=2, bias=False, batch_first=True), "LSTM(4, layers = 2, bias = false)", forward=lambda net, x: net.layer(x)[0])
layer("lstm_last", {"x": [4, 3]}, lambda: nn.LSTM(3, 4, bidirectional=True, batch_first=True), "LSTM(4, bidirectional = true, last = true)",
      forward=lambda net, x: torch.cat(list(net.layer(x)[1][0]), dim=-1))
layer("lstm_start", {"x": [4, 3], "h": [4], "c": [4]}, lambda: nn.LSTM(3, 4, batch_first=True), "LSTM(4)",
      forward=lambda net, x, h, c: net.layer(x, (h[None], c[None]))[0], body="layer(x, h0 = stack([h], axis = 0), c0 = stack([c], axis = 0))")
layer("lstm_states", {"x": [4, 3]}, lambda: nn.LSTM(3, 4, num_layers=2, batch_first=True), "LSTM(4, layers = 2, states = true)",
      forward=lambda net, x: torch.cat([net.layer(x)[1][0][1], net.layer(x)[1][1][0]], dim=-1), body="(_, h, c) = layer(x)\n    concat([h[1], c[0]], axis = -1)")
layer("gru_bidirectional", {"x": [4, 3]}, lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True), "GRU(4, layers = 2, bidirectional = true)", forward=lambda net, x: net.layer(x)[0])
layer("gru_start", {"x": [4, 3], "h": [4]}, lambda: nn.GRU(3, 4, bias=False, batch_first=True), "GRU(4, bias = false)",
      forward=lambda net, x, h: net.layer(x, h[None])[0], body="layer(x, h0 = stack([h], axis = 0))")

# Attention.
def attend(mask=False, causal=False, memory=False):
    def forward(net, x, *more):
        more = list(more)
        z = more.pop(0) if memory else x
        key_padding = more.pop(0) if mask else None
        upper = torch.triu(torch.ones(x.shape[1], z.shape[1], dtype=torch.bool), 1) if causal else None
        return net.layer(x, z, z, key_padding_mask=key_padding, attn_mask=upper, need_weights=False)[0]
    return forward


layer("attention_self", {"x": [4, 6]}, lambda: nn.MultiheadAttention(6, 2, batch_first=True), "MultiheadAttention(2)", forward=attend())
layer("attention_causal", {"x": [4, 6]}, lambda: nn.MultiheadAttention(6, 3, bias=False, batch_first=True), "MultiheadAttention(3, bias = false)", forward=attend(causal=True), body="layer(x, causal = true)")
layer("attention_padding", {"x": [4, 6], "m": ("mask", [4])}, lambda: nn.MultiheadAttention(6, 2, batch_first=True), "MultiheadAttention(2)", forward=attend(mask=True), body="layer(x, mask = m)")
layer("attention_cross", {"x": [4, 6], "z": [3, 5], "m": ("mask", [3])}, lambda: nn.MultiheadAttention(6, 2, kdim=5, vdim=5, batch_first=True), "MultiheadAttention(2)", forward=attend(mask=True, memory=True), body="layer(x, z, mask = m)")
layer("encoder_layer", {"x": [4, 6], "m": ("mask", [4])}, lambda: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True), "TransformerEncoderLayer(2, feedforward = 8, dropout = 0)",
      forward=lambda net, x, m: net.layer(x, src_key_padding_mask=m), body="layer(x, mask = m)")
layer("encoder_pre_norm", {"x": [4, 6]}, lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, activation="gelu", norm_first=True, batch_first=True), 2, norm=nn.LayerNorm(6), enable_nested_tensor=False),
      "TransformerEncoder(2, heads = 2, feedforward = 8, dropout = 0, act = gelu, norm_first = true, norm = true)")
layer("decoder_pre_norm", {"x": [4, 6], "z": [3, 6]}, lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0, norm_first=True, batch_first=True), 2),
      "TransformerDecoder(2, heads = 2, feedforward = 8, dropout = 0, norm_first = true)", forward=lambda net, x, z: net.layer(x, z, tgt_mask=torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)), body="layer(x, z)")
layer("decoder_layer", {"x": [4, 6], "z": [3, 6], "m": ("mask", [4]), "k": ("mask", [3])}, lambda: nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0, batch_first=True),
      "TransformerDecoderLayer(2, feedforward = 8, dropout = 0)", forward=lambda net, x, z, m, k: net.layer(x, z, tgt_key_padding_mask=m, memory_key_padding_mask=k), body="layer(x, z, causal = false, mask = m, memory_mask = k)")

# Graphs: a batch is a graph of six nodes.
SOURCE, TARGET = [0, 1, 2, 3, 0, 4, 5, 2], [1, 0, 3, 2, 2, 5, 4, 0]
EDGES = f"const SOURCE = {SOURCE}\nconst TARGET = {TARGET}\n"


def adjacency():
    a = torch.zeros(6, 6)
    for s, t in zip(SOURCE, TARGET):
        a[t, s] = 1.0
    return a


class GCN(nn.Module):
    """The formula of Kipf and Welling, with the names of PyTorch Geometric's GCNConv."""

    def __init__(self, width, out):
        super().__init__()
        self.lin = nn.Linear(width, out, bias=False)
        self.bias = nn.Parameter(torch.randn(out))

    def forward(self, x):
        near = adjacency() + torch.eye(6)
        scale = near.sum(1).rsqrt()
        return scale[:, None] * near * scale[None, :] @ self.lin(x) + self.bias


class GAT(nn.Module):
    """The formula of Veličković and others, with the names of PyTorch Geometric's GATConv."""

    def __init__(self, width, out, heads, join):
        super().__init__()
        self.lin = nn.Linear(width, heads * out, bias=False)
        self.att_src = nn.Parameter(torch.randn(1, heads, out))
        self.att_dst = nn.Parameter(torch.randn(1, heads, out))
        self.bias = nn.Parameter(torch.randn(heads * out if join else out))
        self.join = join

    def forward(self, x):
        h = self.lin(x).view(6, *self.att_src.shape[1:])
        score = (h * self.att_src).sum(-1)[None, :, :] + (h * self.att_dst).sum(-1)[:, None, :]
        near = (adjacency() + torch.eye(6)).bool()[:, :, None]
        share = torch.softmax(F.leaky_relu(score, 0.2).masked_fill(~near, -math.inf), dim=1)
        y = torch.einsum("tsk,sko->tko", share, h)
        return (y.flatten(1) if self.join else y.mean(1)) + self.bias


layer("graph_conv", {"x": [4]}, lambda: GCN(4, 3), "GraphConv(3)", body="layer(x, SOURCE, TARGET)", extra=EDGES, rows=6, batch=6)
layer("graph_conv_dense", {"x": [4]}, lambda: GCN(4, 3), "DenseGraphConv(3)", body="layer(x, adjacency(B))", rows=6, batch=6,
      extra=EDGES + "fn adjacency(N) -> [N, N] {\n    a: [N, N]\n    a[TARGET[e], SOURCE[e]] += 1.0\n    a\n}\n")
layer("graph_attention", {"x": [4]}, lambda: GAT(4, 3, 2, True), "GraphAttention(3, heads = 2)", body="layer(x, SOURCE, TARGET)", extra=EDGES, rows=6, batch=6)
layer("graph_attention_mean", {"x": [4]}, lambda: GAT(4, 3, 2, False), "GraphAttention(3, heads = 2, join = false)", body="layer(x, SOURCE, TARGET)", extra=EDGES, rows=6, batch=6)


# Spiking neurons.
class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).float()

    @staticmethod
    def backward(ctx, g):
        (v,) = ctx.saved_tensors
        return g / (1 + (math.pi * v) ** 2)


def fire(net, x):
    current, u, out = 3 * net.layer(x), torch.zeros(x.shape[0], 4), []
    for t in range(x.shape[1]):
        u = 0.8 * u + current[:, t] - Spike.apply(u - 1.0).detach()
        out.append(torch.cat([Spike.apply(u - 1.0), u], dim=-1))
    return torch.stack(out, dim=1)


layer("lif", {"x": [6, 3]}, lambda: nn.Linear(3, 4), "Linear(4)", forward=fire,
      body="(spikes, u) = LIF(beta = 0.8, membrane = true)(3 * layer(x))\n    concat([spikes, u], axis = -1)")
