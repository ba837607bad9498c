#!/usr/bin/env python3
"""Writes torch/OPERATOR.txt: PyTorch's results and gradients for the rows of OPERATOR.optest that say torch=NAME.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python tests/ops/make_torch_values.py [OPERATOR...]

Operands are drawn here by the row's generators and rounded to their types; PyTorch computes in double precision.
"""
import math
import pathlib
import re
import struct
import sys
import zlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
WHOLE = {"i8", "i16", "i32", "i64", "u8", "u16"}


def matmul(a, b, bias=None, *, transpose_a=False, transpose_b=False, activation="none"):
    y = (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)
    y = y if bias is None else y + bias
    activations = {"none": lambda x: x, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu}
    return activations[activation](y)


def cross_entropy(logits, classes, weights=None, *, label_smoothing=0.0):
    return F.cross_entropy(logits, classes, weight=weights, reduction="none", label_smoothing=label_smoothing, ignore_index=-1)


def batch_norm(x, scale, shift, mean, variance, *, momentum=0.1, epsilon=1e-5):
    mean, variance = mean.clone(), variance.clone()
    y = F.batch_norm(x, mean, variance, scale, shift, training=True, momentum=momentum, eps=epsilon)
    return y, mean, variance


def attention(q, k, v, mask=None, *, causal=False, scale=0.0):
    """PyTorch's, with keys and values repeated for their groups; its is_causal aligns the first query instead."""
    (b, h, m, d), n = q.shape, k.shape[2]
    k, v = (x.repeat_interleave(h // k.shape[1], 1) for x in (k, v))
    keep = torch.ones(b, 1, m, n, dtype=torch.bool)
    if mask is not None:
        keep = keep & (mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]).bool()
    if causal:
        keep = keep & torch.ones(m, n).tril(n - m).bool()
    scale = scale or d**-0.5
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=keep, scale=scale)
    return y, torch.logsumexp((q @ k.mT * scale).masked_fill(~keep, -torch.inf), -1)


def group_norm(x, scale, shift, *, groups=1, epsilon=1e-5):
    return F.group_norm(x, groups, scale, shift, epsilon)


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def filters_first(f):
    """[kh,kw,c/groups,n] -> [n,c/groups,kh,kw]"""
    return f.permute(3, 2, 0, 1)


def padded(x, padding, value=0.0):
    top, left, bottom, right = padding
    return F.pad(channels_first(x), (left, right, top, bottom), value=value)


def conv2d(x, f, bias=None, *, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1, activation="none"):
    y = F.conv2d(padded(x, padding), filters_first(f), bias, stride=strides, dilation=dilations, groups=groups)
    return channels_last({"none": lambda y: y, "relu": F.relu, "gelu": F.gelu}[activation](y))


def conv2d_transpose(y, f, *, size, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1):
    """PyTorch pads evenly; what the size has beyond its own is its output_padding."""
    (top, left, bottom, right), kernel = padding, f.shape[:2]
    assert (top, left) == (bottom, right)
    least = [(n - 1) * s - 2 * p + d * (k - 1) + 1
             for n, s, p, d, k in zip(y.shape[1:3], strides, (top, left), dilations, kernel)]
    extra = [n - m for n, m in zip(size, least)]
    x = F.conv_transpose2d(channels_first(y), filters_first(f), None, stride=strides, padding=(top, left),
                           output_padding=extra, groups=groups, dilation=dilations)
    return channels_last(x)


def conv2d_filter(x, y, *, kernel, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1):
    f = torch.zeros(y.shape[3], x.shape[3] // groups, *kernel, dtype=x.dtype, requires_grad=True)
    made = F.conv2d(padded(x, padding), f, None, stride=strides, dilation=dilations, groups=groups)
    return torch.autograd.grad(made, f, channels_first(y), create_graph=True)[0].permute(2, 3, 1, 0)


def max_pool(x, *, kernel=(2, 2), strides=(2, 2), padding=(0, 0, 0, 0), dilations=(1, 1), adaptive=None):
    """The numbers of taps, from PyTorch's places in the picture."""
    w = x.shape[2]
    if adaptive:
        y, at = F.adaptive_max_pool2d(channels_first(x), adaptive, return_indices=True)
        first = [[i * n // out for i in range(out)] for n, out in zip(x.shape[1:3], adaptive)]
        width = max(-(-(i + 1) * w // adaptive[1]) - i * w // adaptive[1] for i in range(adaptive[1]))
        dilations = (1, 1)
    else:
        y, at = F.max_pool2d(channels_first(x), kernel, strides, padding[:2], dilations, return_indices=True)
        first = [[i * s - p for i in range(n)] for n, s, p in zip(y.shape[2:], strides, padding)]
        width = kernel[1]
    rows, columns = torch.tensor(first[0])[:, None], torch.tensor(first[1])[None, :]
    taps = (at // w - rows) // dilations[0] * width + (at % w - columns) // dilations[1]
    return channels_last(y), channels_last(taps)


def average_pool(x, *, kernel=(2, 2), strides=(2, 2), padding=(0, 0, 0, 0), dilations=(1, 1), adaptive=None, count_padding=True):
    if adaptive:
        return channels_last(F.adaptive_avg_pool2d(channels_first(x), adaptive))
    return channels_last(F.avg_pool2d(channels_first(x), kernel, strides, padding[:2], count_include_pad=count_padding))


def upsample(x, *, size, mode="nearest"):
    corners = {} if mode == "nearest" else {"align_corners": False}
    return channels_last(F.interpolate(channels_first(x), size=tuple(size), mode=mode, **corners))


def pad(x, *, before, after, value=0.0):
    sides = [n for pair in zip(reversed(before), reversed(after)) for n in pair]
    return F.pad(x, sides, value=value)


def cumsum(x, *, axis=-1, reverse=False):
    return torch.cumsum(x.flip(axis), axis).flip(axis) if reverse else torch.cumsum(x, axis)


def product(x, *, axes=(), keep=False):
    for axis in sorted((a % x.dim() for a in axes_of(x, axes)), reverse=True):
        x = torch.prod(x, axis, keep)
    return x


def axes_of(x, axes):
    return list(axes) if axes else list(range(x.dim()))


# OPERATOR: what PyTorch calls it. Attributes come by name.
FUNCTIONS = {
    "abs": torch.abs,
    "absolute_error": lambda p, t: F.l1_loss(p, t, reduction="none"),
    "add": torch.add,
    "argmax": lambda x, *, axis=-1: torch.argmax(x, axis),
    "attention": attention,
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    "binary_cross_entropy": lambda x, t, *, positive_weight=1.0: F.binary_cross_entropy_with_logits(
        x, t, reduction="none", pos_weight=torch.tensor(positive_weight, dtype=x.dtype)),
    "broadcast": lambda x, *, dims: x.expand(*dims),
    "clamp": lambda x, *, low=-math.inf, high=math.inf: torch.clamp(x, low, high),
    "concat": lambda *xs, axis=-1: torch.cat(xs, axis),
    "conv2d": conv2d,
    "conv2d_filter": conv2d_filter,
    "conv2d_transpose": conv2d_transpose,
    "cos": torch.cos,
    "cross_entropy": cross_entropy,
    "cumsum": cumsum,
    "div": torch.div,
    "erf": torch.erf,
    "exp": torch.exp,
    "gather": lambda table, indices: F.embedding(indices, table),
    "gelu": F.gelu,
    "group_norm": group_norm,
    "huber": lambda p, t, *, delta=1.0: F.huber_loss(p, t, reduction="none", delta=delta),
    "layer_norm": lambda x, scale, shift, *, epsilon=1e-5: F.layer_norm(x, x.shape[-1:], scale, shift, epsilon),
    "lerp": torch.lerp,
    "log": torch.log,
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "log1p": torch.log1p,
    "matmul": matmul,
    "max_pool": max_pool,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "mul": torch.mul,
    "one_hot": lambda x, *, classes, dtype="f32": F.one_hot(x, classes).double(),
    "pad": pad,
    "pow": torch.pow,
    "put_along": lambda x, indices, *, size: torch.zeros(*x.shape[:-1], size, dtype=x.dtype).scatter_add(-1, indices, x),
    "reduce_max": lambda x, *, axes=(), keep=False: torch.amax(x, axes_of(x, axes), keep),
    "reduce_mean": lambda x, *, axes=(), keep=False: torch.mean(x, axes_of(x, axes), keep),
    "reduce_min": lambda x, *, axes=(), keep=False: torch.amin(x, axes_of(x, axes), keep),
    "reduce_prod": product,
    "reduce_sum": lambda x, *, axes=(), keep=False: torch.sum(x, axes_of(x, axes), keep),
    "relu": F.relu,
    "rms_norm": lambda x, scale, *, epsilon=1e-6: F.rms_norm(x, x.shape[-1:], scale, epsilon),
    "rsqrt": torch.rsqrt,
    "scatter_add": lambda target, indices, updates: target.index_add(0, indices, updates),
    "sigmoid": torch.sigmoid,
    "sin": torch.sin,
    "softmax": lambda x: torch.softmax(x, -1),
    "sort": lambda x, *, descending=False: tuple(torch.sort(x, dim=-1, descending=descending, stable=True)),
    "sqrt": torch.sqrt,
    "square": torch.square,
    "squared_error": lambda p, t: F.mse_loss(p, t, reduction="none"),
    "sub": torch.sub,
    "take_along": lambda x, indices: torch.gather(x, -1, indices),
    "tanh": torch.tanh,
    "top_k": lambda x, *, k=1: tuple(torch.topk(x, k)),
    "transpose": lambda x, *, permutation: x.permute(*permutation),
    "upsample": upsample,
    "where": lambda c, a, b: torch.where(c != 0, a, b),
}


def numbers(text):
    return [float(word) for word in text.replace(",", " ").split()]


def round_to(dtype, x):
    if dtype in WHOLE:
        return x.round().to(torch.int64)
    return x.to({"f32": torch.float32, "f64": torch.float64, "bf16": torch.bfloat16, "f16": torch.float16}[dtype]).double()


def draw(operand, generator):
    """name:dtype[dims] with its generators -> (name, dtype, tensor)"""
    name, dtype, dims, rest = re.fullmatch(r"(\w+):(\w+)\[([\d,]*)\](.*)", operand.strip()).groups()
    shape = [int(d) for d in dims.split(",") if d]
    low, high = (0, 3) if dtype in WHOLE else (-2, 2)
    if found := re.search(r"in\s*\[([^\]]*)\]", rest):
        low, high = numbers(found[1])
    count = int(torch.tensor(shape).prod()) if shape else 1
    if found := re.search(r"=\s*\{([^}]*)\}", rest):
        values = numbers(found[1])
        x = torch.tensor([values[i % len(values)] for i in range(count)], dtype=torch.float64)
    elif found := re.search(r"from\s*\{([^}]*)\}", rest):
        values = torch.tensor(numbers(found[1]), dtype=torch.float64)
        x = values[torch.randint(len(values), (count,), generator=generator)]
    elif "distinct" in rest:
        x = low + (high - low) * (torch.randperm(count, generator=generator).double() + 0.5) / count
    elif dtype in WHOLE:
        x = torch.randint(int(low), int(high) + 1, (count,), generator=generator).double()
    else:
        x = low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)
    return name, dtype, round_to(dtype, x).reshape(shape), "const" in rest


def attribute(text):
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"'):
        return text.strip('"')
    if text.startswith("["):
        return [int(x) for x in numbers(text.strip("[]"))]
    return float(text) if re.search(r"[.einf]", text) else int(text)


def shortest(x, dtype):
    if dtype in WHOLE:
        return str(int(x))
    if dtype == "f32":  # the fewest digits that read back as the same f32
        for digits in range(1, 10):
            text = f"{x:.{digits}g}"
            if struct.pack("f", float(text)) == struct.pack("f", x):
                return text
    return repr(x)


def line(kind, dtype, tensor):
    dims = ",".join(str(d) for d in tensor.shape)
    return " ".join([kind, f"{dtype}[{dims}]", *(shortest(x, dtype) for x in tensor.detach().flatten().tolist())])


def make_case(operator, row):
    name = re.search(r"torch=(\w+)", row)[1]
    left, _, right = row.partition("->")
    generator = torch.Generator().manual_seed(zlib.crc32(f"{operator} {name}".encode()))
    attributes = {}
    if found := re.search(r"(?<!=)(?<!from)\s\{([^}]*=[^}]*)\}", left):
        for pair in re.findall(r"(\w+)=(\[[^\]]*\]|\"[^\"]*\"|[^,\s]+)", found[1]):
            attributes[pair[0]] = attribute(pair[1])
        left = left.replace(found[0], " ")
    operands = [draw(text, generator) for text in re.split(r"\s+(?=\w+:)", left.strip())]
    inputs = [x.clone().requires_grad_() if dtype not in WHOLE and not constant else x for _, dtype, x, constant in operands]
    outputs = FUNCTIONS[operator](*inputs, **attributes)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    out_dtypes = re.findall(r"(\w+)\[[\d,]*\]", right)

    lines = [f"case {name}"]
    lines += [line(f"in {n}", dtype, x) for n, dtype, x, _ in operands]
    lines += [line("out", "f64", y.double()) for y in outputs]
    if outputs[0].requires_grad:
        upstream = torch.randn(outputs[0].shape, generator=generator, dtype=torch.float64)
        upstream = round_to(out_dtypes[0], upstream)
        lines.append(line("upstream", out_dtypes[0], upstream))
        wanted = [(n, x) for (n, *_), x in zip(operands, inputs) if x.requires_grad]
        gradients = torch.autograd.grad((outputs[0] * upstream).sum(), [x for _, x in wanted], allow_unused=True)
        lines += [line(f"grad {n}", "f64", g) for (n, _), g in zip(wanted, gradients) if g is not None]
    return "\n".join(lines)


def main():
    for path in sorted(HERE.glob("*.optest")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        rows = [text.split("#")[0] for text in path.read_text().splitlines()]
        cases = [make_case(path.stem, row) for row in rows if "torch=" in row]
        if cases:
            head = f"# PyTorch {torch.__version__}, made by make_torch_values.py\n"
            (HERE / "torch" / f"{path.stem}.txt").write_text(head + "\n".join(cases) + "\n")
            print(path.stem, len(cases))


if __name__ == "__main__":
    main()
