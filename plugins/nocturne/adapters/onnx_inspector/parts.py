"""All parts of a model, wherever they are nested: in subgraphs, functions, and graphs for training."""

from collections.abc import Iterator

import onnx


def graphs(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph, those for training, and every graph in an attribute of a node."""
    waiting = [proto.graph, *(graph for info in proto.training_info for graph in (info.initialization, info.algorithm))]
    waiting += [graph for function in proto.functions for node in function.node for graph in subgraphs(node)]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += [inner for node in graph.node for inner in subgraphs(node)]


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs in the attributes of a node."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor with content, dense ones and the parts of sparse ones."""
    for graph in graphs(proto):
        yield from graph.initializer
    for attribute in _attributes(proto):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
    for sparse in sparse_tensors(proto):
        yield sparse.values
        yield sparse.indices


def sparse_tensors(proto: onnx.ModelProto) -> Iterator[onnx.SparseTensorProto]:
    """Every sparse tensor."""
    for graph in graphs(proto):
        yield from graph.sparse_initializer
    for attribute in _attributes(proto):
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor
        yield from attribute.sparse_tensors


def _attributes(proto: onnx.ModelProto) -> Iterator[onnx.AttributeProto]:
    for graph in graphs(proto):
        for node in graph.node:
            yield from node.attribute
    for function in proto.functions:
        yield from function.attribute_proto
        for node in function.node:
            yield from node.attribute
