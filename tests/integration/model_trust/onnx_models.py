"""ONNX models for tests: a good one, and parts to make bad ones of."""

from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, helper

WEIGHTS = 64  # bytes of a 4 x 4 tensor of floats


def model(
    tensor: TensorProto | None = None,
    nodes: tuple[NodeProto, ...] | None = None,
    functions: tuple[FunctionProto, ...] = (),
    ir_version: int = 10,
    **opsets: int,
) -> ModelProto:
    """One matrix product, or other nodes. opsets: domain to version, with `_` for a dot."""
    chosen = nodes if nodes is not None else (helper.make_node("MatMul", ["x", "w"], ["y"]),)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph(list(chosen), "graph", ends[:1], ends[1:], [tensor or dense()])
    imports = [helper.make_opsetid(domain.replace("_", "."), version) for domain, version in ({"": 20} | opsets).items()]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=ir_version)


def dense(**changes: object) -> TensorProto:
    """The weights, in the model's own file."""
    return TensorProto(**({"name": "w", "data_type": 1, "dims": [4, 4], "raw_data": bytes(WEIGHTS)} | changes))


def external(location: str, dims: tuple[int, ...] = (4, 4), **told: int) -> TensorProto:
    """The weights, in another file. told: offset and length."""
    tensor = TensorProto(name="w", data_type=1, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **told}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def function(name: str, *calls: str) -> FunctionProto:
    """A function `local.name` that calls others one after the other."""
    names = ["a", *(f"t{number}" for number in range(1, len(calls))), "b"]
    nodes = [
        helper.make_node(call, [names[number]], [names[number + 1]], domain="" if call == "Neg" else "local")
        for number, call in enumerate(calls)
    ]
    return helper.make_function("local", name, ["a"], ["b"], nodes, [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)])
