"""A small real model file: it finds bright places, cell by cell. Its weights are made by hand, so its answers are known."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

Rows = NDArray[np.float32]


def model(path: Path, layout: str, *, classes: int = 2, side: int = 64, strides: tuple[int, ...] = (8, 16, 32)) -> Path:
    """A model at ``path`` for inputs of ``side`` x ``side``. Class 0 is a bright cell; its box is two cells wide and high around the
    cell's point. Only the finest grid answers."""
    nodes, outputs, weights = [], [], []
    per_cell = 5 + classes if layout == "yolox" else classes + 32
    for stride in strides:
        kernel, bias = cell_weights(layout, classes, stride, speaks=stride == strides[0])
        weights += [tensor(f"kernel{stride}", kernel), tensor(f"bias{stride}", bias)]
        shape = np.array([1, per_cell, -1], np.int64)
        weights.append(helper.make_tensor(f"shape{stride}", TensorProto.INT64, [3], shape))
        nodes += [
            helper.make_node("Conv", ["input", f"kernel{stride}", f"bias{stride}"], [f"map{stride}"], kernel_shape=[stride, stride],
                             strides=[stride, stride]),
            helper.make_node("Reshape", [f"map{stride}", f"shape{stride}"], [f"flat{stride}"]),
        ]  # fmt: skip
        outputs.append(f"flat{stride}")
    nodes.append(helper.make_node("Concat", outputs, ["all"], axis=2))
    nodes.append(helper.make_node("Transpose", ["all"], ["rows"], perm=[0, 2, 1]))
    first, last = (4, 5 + classes) if layout == "yolox" else (0, classes)  # columns that are probabilities
    nodes += sliced("rows", first, last, per_cell, weights)
    graph = helper.make_graph(
        nodes, "bright",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, sum((side // s) ** 2 for s in strides), per_cell])],
        weights,
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())
    return path


def cell_weights(layout: str, classes: int, stride: int, *, speaks: bool) -> tuple[Rows, Rows]:
    """Kernel and bias of one grid: a probability that rises with the cell's mean brightness, and figures of the box that are constant."""
    per_cell = 5 + classes if layout == "yolox" else classes + 32
    kernel, bias = np.zeros((per_cell, 3, stride, stride), np.float32), np.zeros(per_cell, np.float32)
    objectness = 4 if layout == "yolox" else 0
    kernel[objectness] = (0.1 if layout == "yolox" else 5.0) / (3 * stride * stride)  # NanoDet's input is normalised: about -2 to 2.6
    bias[objectness] = (-20.0 if layout == "yolox" else -8.0) if speaks else -1000.0  # mean 200 of 255 is where it turns
    if not speaks:
        kernel[objectness] = 0
    if layout == "yolox":
        bias[:2], bias[2:4] = 0.5, np.log(2.0)  # the middle of the cell; two cells wide
        bias[5], bias[6:] = 10.0, -10.0
    else:
        bias[1:classes] = -10.0
        bias[classes + 1 :: 8] = 30.0  # each distance is one cell
    return kernel, bias


def sliced(rows: str, first: int, last: int, columns: int, weights: list[TensorProto]) -> list[onnx.NodeProto]:
    """Nodes that turn columns ``first`` to ``last`` of ``rows`` into probabilities."""
    nodes, parts = [], []
    for name, start, end in (("before", 0, first), ("probable", first, last), ("after", last, columns)):
        if start < end:
            for which, value in (("start", start), ("end", end), ("axis", 2)):
                weights.append(helper.make_tensor(f"{name}_{which}", TensorProto.INT64, [1], [value]))
            nodes.append(helper.make_node("Slice", [rows, f"{name}_start", f"{name}_end", f"{name}_axis"], [name]))
            parts.append(name)
            if name == "probable":
                nodes.append(helper.make_node("Sigmoid", [name], ["probability"]))
                parts[-1] = "probability"
    nodes.append(helper.make_node("Concat", parts, ["output"], axis=2))
    return nodes


def tensor(name: str, values: Rows) -> TensorProto:
    return helper.make_tensor(name, TensorProto.FLOAT, list(values.shape), values.ravel())
