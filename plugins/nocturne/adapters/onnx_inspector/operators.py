"""Which operators a model uses, and how many nodes it is once its functions are written out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import onnx
import onnx.defs

from nocturne.adapters.onnx_inspector.parts import graphs, subgraphs

_STANDARD = {"", "ai.onnx"}
# Of these domains onnx knows every operator; of the others only the runtime does, which is asked when the app judges the model.
_DEFINED = _STANDARD | {"ai.onnx.ml"}
_KNOWN = _DEFINED | {
    "ai.onnx.training",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
}
_MAX_NODES = 1_000_000
_MAX_DEPTH = 64

Key = tuple[str, str, str]


class TooMuch(Exception):
    """Functions that call themselves, or each other too deeply."""


def operator_faults(proto: onnx.ModelProto) -> Iterator[str]:
    """Unknown domains, versions and operators, and functions that grow beyond measure."""
    functions = {_key(item.domain, item.name, item.overload): item for item in proto.functions}
    domains = _KNOWN | {domain for domain, _, _ in functions}
    for item in chain(proto.opset_import, *(function.opset_import for function in proto.functions)):
        newest = _newest(item.domain)
        if newest and not 1 <= item.version <= newest:
            yield f"it needs version {item.version} of the operators of {_shown(item.domain)}, expected 1 to {newest}"
    nodes = chain(*(graph.node for graph in graphs(proto)), *(function.node for function in proto.functions))
    unknown = Counter((node.domain, node.op_type) for node in nodes if not _is_known(node, domains, functions.keys()))
    for (domain, name), count in unknown.most_common():
        times = f" ({count:,} times)" if count > 1 else ""
        yield f"it uses the operator {name!r} of {_shown(domain)}{times}, which is not known"
    try:
        size = _Sizes(functions).of_nodes(chain(*(graph.node for graph in _roots(proto))), 0)
    except TooMuch as error:
        yield str(error)
    else:
        if size > _MAX_NODES:
            yield f"it has more than {_MAX_NODES:,} nodes once its functions are written out"


class _Sizes:
    """How many nodes each function stands for. Each is counted once, so that functions of functions cannot keep us busy."""

    def __init__(self, functions: dict[Key, onnx.FunctionProto]) -> None:
        self._functions = functions
        self._known: dict[Key, int] = {}
        self._open: set[Key] = set()

    def of_nodes(self, nodes: Iterable[onnx.NodeProto], depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise TooMuch(f"its functions and graphs are nested more than {_MAX_DEPTH} deep")
        return sum(self._of_node(node, depth) for node in nodes)

    def _of_node(self, node: onnx.NodeProto, depth: int) -> int:
        inner = sum(self.of_nodes(graph.node, depth + 1) for graph in subgraphs(node))
        key = _key(node.domain, node.op_type, node.overload)
        return inner + (self._of_function(key, depth) if key in self._functions else 1)

    def _of_function(self, key: Key, depth: int) -> int:
        if key in self._open:
            raise TooMuch(f"its function {key[1]!r} calls itself")
        if key not in self._known:
            self._open.add(key)
            self._known[key] = 1 + self.of_nodes(self._functions[key].node, depth + 1)
            self._open.remove(key)
        return self._known[key]


def _roots(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    yield proto.graph
    for info in proto.training_info:
        yield from (info.initialization, info.algorithm)


def _is_known(node: onnx.NodeProto, domains: set[str], functions: Iterable[Key]) -> bool:
    if _key(node.domain, node.op_type, node.overload) in functions:
        return True
    if node.domain in _DEFINED:
        return bool(onnx.defs.has(node.op_type, domain=_plain(node.domain)))
    return node.domain in domains


def _newest(domain: str) -> int:
    """The newest version of a domain's operators that onnx knows; 0 where it knows none."""
    return {"": onnx.defs.onnx_opset_version(), "ai.onnx.ml": onnx.defs.onnx_ml_opset_version()}.get(_plain(domain), 0)


def _key(domain: str, name: str, overload: str) -> Key:
    return _plain(domain), name, overload


def _plain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _shown(domain: str) -> str:
    return repr(domain or "ai.onnx")
