"""TensorBoard's own reader must find in a run's event files what metrics.jsonl says, of a run that was killed and resumed too.

usage: check_tensorboard.py FALX WORK

Trains one recipe twice on a small phantom: undisturbed, and killed (SIGKILL) in its second and third epoch and resumed each
time. Each epoch's values must be those of metrics.jsonl, rounded to single precision as TensorBoard keeps them; each step
must be there once; and both runs must tell the same losses. WORK/live.html is the page of the run when it was killed. Needs the package `tensorboard`; the folder WORK must be empty.
"""

import json
import pathlib
import subprocess
import sys
import time

import numpy as np
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

EPOCHS = 4
OF_AN_EPOCH = {
    "epoch/number": "epoch",
    "epoch/training_loss": "training_loss",
    "validation/weighted_log_loss": "validation_loss",
    "validation/no_skill": "validation_baseline",
    "validation/auc_any": "validation_auc_any",
}
OF_A_STEP = ["train/loss", "train/learning_rate", "train/gradient_norm", "time/images_per_second", "time/waiting_share"]


def falx(*words):
    subprocess.run([*map(str, words)], check=True, stdout=subprocess.DEVNULL)


def train(binary, recipe, run, kill_at=()):
    """Trains, and kills once the metrics have as many lines as `kill_at` says, and a few steps more were taken."""
    resume = []
    for lines in [*kill_at, None]:
        process = subprocess.Popen([str(binary), "train", str(recipe), "--out", str(run), "-q", *resume], stdout=subprocess.DEVNULL)
        resume = ["--resume"]
        while lines is not None and process.poll() is None:
            metrics = run / "metrics.jsonl"
            if metrics.exists() and len(metrics.read_text().splitlines()) >= lines:
                time.sleep(0.05)
                process.kill()
                # What a reader sees of a run that goes on.
                (run.parent / "live.html").write_bytes((run / "training.html").read_bytes())
                break
            time.sleep(0.002)
        code = process.wait()
        assert code == 0 or lines is not None, f"training ended with {code}"


def scalars(run):
    everything = {kind: 0 for kind in (event_accumulator.SCALARS, event_accumulator.TENSORS)}
    reader = event_accumulator.EventAccumulator(str(run / "tensorboard"), size_guidance=everything)
    reader.Reload()
    tags = reader.Tags()
    assert sorted(tags["scalars"]) == sorted([*OF_AN_EPOCH, *OF_A_STEP]), tags
    recipe = reader.Tensors("recipe")[0].tensor_proto.string_val[0].decode()
    assert (run / "recipe.toml").read_text().splitlines()[0] in recipe, recipe
    kept = reader.SummaryMetadata("_hparams_/session_start_info").plugin_data
    settings = plugin_data_pb2.HParamsPluginData.FromString(kept.content).session_start_info.hparams
    assert settings["seed"].number_value == 3 and settings["network.name"].string_value == "simple_cnn", settings
    return {tag: [(e.step, e.value) for e in reader.Scalars(tag)] for tag in tags["scalars"]}


def check(run):
    told = scalars(run)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == EPOCHS
    compared = 0
    for tag, key in OF_AN_EPOCH.items():
        expected = [(line["step"], float(np.float32(line[key]))) for line in lines if line[key] is not None]
        assert told[tag] == expected, f"{tag}: {told[tag]} is not {expected}"
        compared += len(expected)
    steps = list(range(1, lines[-1]["step"] + 1))
    for tag in OF_A_STEP:
        assert [step for step, _ in told[tag]] == steps, f"{tag}: {[step for step, _ in told[tag]]}"
    rates = dict(told["train/learning_rate"])
    assert all(rates[line["step"]] == np.float32(line["learning_rate"]) for line in lines)
    files = len(list((run / "tensorboard").iterdir()))
    print(f"{run.name}: {files} event files, {len(steps)} steps, {compared} values of epochs are those of metrics.jsonl")
    return told


def main():
    binary, work = map(pathlib.Path, sys.argv[1:])
    work.mkdir(parents=True, exist_ok=True)
    phantom, index, split, recipe = work / "phantom", work / "index.parquet", work / "split.parquet", work / "recipe.toml"
    falx(binary, "phantom", "--patients", 12, "--matrix", 64, "--prevalence", 0.4, "--seed", 8, "--out", phantom, "-q")
    falx(binary, "index", phantom / "stage_2_train", "--labels", phantom / "stage_2_train.csv", "--out", index, "-q")
    falx(binary, "split", index, "--folds", 3, "--out", split, "-q")
    recipe.write_text(
        'seed = 3\n[data]\nindex = "index.parquet"\nsplit = "split.parquet"\n[input]\nsize = 48\n[augment]\n'
        f"[sampler]\npositive_any_share = 0.5\n[training]\nepochs = {EPOCHS}\nbatch = 8\n"
    )
    train(binary, recipe, work / "undisturbed")
    train(binary, recipe, work / "killed", kill_at=[1, 2])
    whole, killed = check(work / "undisturbed"), check(work / "killed")
    for tag in [*OF_AN_EPOCH, *OF_A_STEP[:3]]:
        assert whole[tag] == killed[tag], f"{tag} differs after kills"
    print("the killed run tells what the undisturbed one tells")


main()
