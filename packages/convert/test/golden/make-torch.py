"""Writes exported/*.onnx and torch.json: small networks as both exporters of PyTorch write them (torch.export's, and TorchScript's at operator set 17), with what PyTorch answers.

    pip install numpy onnx onnxscript torch==2.15.0
    python packages/convert/test/golden/make-torch.py
"""

import json
import pathlib

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional

HERE = pathlib.Path(__file__).parent


class Images(nn.Module):
    """Convolutions, plain, depthwise and pointwise, around a shortcut."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.pointwise = nn.Conv2d(6, 8, 1)
        self.other_norm = nn.BatchNorm2d(8)
        self.around = nn.Conv2d(8, 8, 3, padding=1)
        self.dense = nn.Linear(8 * 9, 16)
        self.layer_norm = nn.LayerNorm(16)
        self.logits = nn.Linear(16, 10)

    def forward(self, x):
        h = functional.max_pool2d(functional.relu6(self.norm(self.first(x))), 2)
        h = functional.silu(self.other_norm(self.pointwise(self.depthwise(h))))
        h = functional.avg_pool2d(h + torch.relu(self.around(h)), 2)
        return self.logits(functional.gelu(self.layer_norm(self.dense(h.flatten(1)))))


class Text(nn.Module):
    """torch.nn's own transformer."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 16)
        self.positions = nn.Parameter(0.1 * torch.randn(1, 12, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 24, activation="gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.logits = nn.Linear(16, 5)

    def forward(self, x):
        return self.logits(self.layers(self.words(x) + self.positions[:, : x.shape[1]]).mean(1))


class Sequence(nn.Module):
    """An LSTM in both directions, two layers of it."""

    def __init__(self):
        super().__init__()
        self.cells = nn.LSTM(4, 6, 2, batch_first=True, bidirectional=True)
        self.logits = nn.Linear(12, 3)

    def forward(self, x):
        return self.logits(self.cells(x)[0])


class Signs(nn.Module):
    """Binary weights and activations with the straight-through estimator that `detach` makes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(0.5 * torch.randn(32, 20))
        self.norm = nn.BatchNorm1d(32)
        self.second = nn.Parameter(0.5 * torch.randn(24, 32))
        self.other_norm = nn.BatchNorm1d(24)
        self.logits = nn.Linear(24, 4)

    @staticmethod
    def sign(x):
        clipped = x.clamp(-1, 1)
        return (torch.sign(x) - clipped).detach() + clipped

    def forward(self, x):
        h = self.sign(self.norm(x @ self.sign(self.first).t()))
        return self.logits(self.other_norm(h @ self.sign(self.second).t()))


def strip(path):
    """Takes out where in the source each node comes from: most of the file, and of no meaning elsewhere."""
    model = onnx.load(path)
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
        del part.metadata_props[:]
        part.ClearField("doc_string")
    onnx.save(model, path)


torch.manual_seed(1)
batch, length = torch.export.Dim("N"), torch.export.Dim("S", max=12)
NETWORKS = {
    "images": (Images(), torch.rand(3, 1, 12, 12), {0: batch}),
    "text": (Text(), torch.randint(0, 20, (3, 7)), {0: batch, 1: length}),
    "sequence": (Sequence(), torch.randn(3, 5, 4), {0: batch}),
    # torch 2.15's newer exporter writes a Clip whose bounds are nowhere in the file, which onnxruntime refuses too.
    "signs": (Signs(), torch.randn(3, 20), None),
}

golden = {}
(HERE / "exported").mkdir(exist_ok=True)
for name, (model, x, dynamic) in NETWORKS.items():
    # Statistics of batch normalization that are not those of the first day.
    model.train()(torch.randn(200, *x.shape[1:]) if x.is_floating_point() else x)
    model.eval()
    files = []
    if dynamic:
        files.append(f"{name}-export.onnx")
        torch.onnx.export(model, (x,), HERE / "exported" / files[-1], input_names=["x"], output_names=["y"],
                          dynamic_shapes={"x": dynamic}, dynamo=True, external_data=False)
    files.append(f"{name}-script.onnx")
    axes = {"x": {axis: str(dim.__name__) for axis, dim in (dynamic or {0: batch}).items()}, "y": {0: "N"}}
    torch.onnx.export(model, (x,), HERE / "exported" / files[-1], input_names=["x"], output_names=["y"],
                      dynamic_axes=axes, opset_version=17, dynamo=False)
    for file in files:
        strip(HERE / "exported" / file)
    y = model(x).detach().numpy()
    golden[name] = {
        "files": files,
        "x": {"dtype": "f32" if x.is_floating_point() else "int64", "shape": list(x.shape), "data": [round(float(v), 6) for v in x.flatten()]},
        "y": {"shape": list(y.shape), "data": []},
    }
    # The rounded inputs are the inputs.
    exact = torch.tensor(np.array(golden[name]["x"]["data"], np.float32 if x.is_floating_point() else np.int64)).reshape(x.shape)
    golden[name]["y"]["data"] = [float(v) for v in model(exact).detach().numpy().flatten()]
(HERE / "torch.json").write_text(json.dumps(golden) + "\n")
